"""A server of the test's own, which it may kill: on one port and the same drives for all of its lives."""

import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

PROGRAM = pathlib.Path(__file__).parents[2] / 'src' / 'main.ts'
START_SECONDS = 60
STOP_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def claim_port() -> int:
    """A port for a server of the tests' own, which all clients find in the environment: to be called before they are imported."""
    port = free_port()
    os.environ |= {'TEST_ENDPOINT': f'http://127.0.0.1:{port}', 'TEST_ACCESS_KEY': 'moraineadmin', 'TEST_SECRET_KEY': 'moraineadmin'}
    return port


class ServerProcess:
    def __init__(self, port: int, folder: pathlib.Path, drives: int = 1):
        self._port = port
        self.drives = [folder / 'drive'] if drives == 1 else [folder / f'drive{number}' for number in range(1, drives + 1)]
        self._word = str(folder / 'drive') + (f'{{1...{drives}}}' if drives > 1 else '')
        self._log = folder / 'server.log'
        for drive in self.drives:
            drive.mkdir()
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Returns once it is ready."""
        words = ['server', '--address', f'127.0.0.1:{self._port}', '--workers', '2', self._word]
        with self._log.open('a') as log:
            self._process = subprocess.Popen(
                [os.environ['TEST_NODE'], str(PROGRAM), *words], stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f'http://127.0.0.1:{self._port}/minio/health/ready', timeout=5).close()
                return
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise AssertionError(f'the server did not become ready:\n{self._log.read_text()[-4000:]}')

    def kill(self) -> None:
        """SIGKILL to every process of the server."""
        kill_group(self._process)

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            self.kill()

    def fsck(self) -> str:
        """What `moraine fsck` says of the drives, which must be sound."""
        code, out = self.check()
        assert code == 0, out
        return out

    def check(self, *options: str) -> tuple[int, str]:
        """The exit code of `moraine fsck` and what it prints."""
        words = [os.environ['TEST_NODE'], str(PROGRAM), 'fsck', *options, self._word]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr


def kill_group(process: subprocess.Popen) -> None:
    """SIGKILL to a process that leads its own group, and to all of the group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
