"""A Flink cluster of one JobManager and one TaskManager at a time, processes of their own that a test may kill; and its client."""

import collections.abc
import contextlib
import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

from engines_page import block

HERE = pathlib.Path(__file__).parent
LIBRARIES = pathlib.Path(next(iter(importlib.util.find_spec('pyflink').submodule_search_locations))) / 'lib'
OPENED = [f'--add-opens=java.base/{package}=ALL-UNNAMED' for package in ['java.lang', 'java.net', 'java.nio', 'java.util', 'java.util.concurrent', 'java.time']]
START_SECONDS = 120
SETTINGS = {
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.bind-host': '127.0.0.1',
    'rest.address': '127.0.0.1',
    'rest.bind-address': '127.0.0.1',
    'taskmanager.host': '127.0.0.1',
    'taskmanager.bind-host': '127.0.0.1',
    'taskmanager.numberOfTaskSlots': 4,
    'taskmanager.cpu.cores': 2.0,
    'taskmanager.memory.framework.heap.size': '128m',
    'taskmanager.memory.framework.off-heap.size': '128m',
    'taskmanager.memory.jvm-metaspace.size': '256m',
    'taskmanager.memory.jvm-overhead.min': '192m',
    'taskmanager.memory.jvm-overhead.max': '192m',
    'taskmanager.memory.task.heap.size': '512m',
    'taskmanager.memory.task.off-heap.size': '0m',
    'taskmanager.memory.network.min': '64m',
    'taskmanager.memory.network.max': '64m',
    'taskmanager.memory.managed.size': '128m',
    'parallelism.default': 2,
    'table.local-time-zone': 'UTC',
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': 1_000,
    'restart-strategy.fixed-delay.delay': '500ms',
    'heartbeat.interval': 500,
    'heartbeat.timeout': 10_000,
    'execution.target': 'remote',
    'execution.attached': 'true',
    'execution.checkpointing.interval': '1s',
    # What a job that was cancelled or killed leaves behind is what the next one goes on from.
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Cluster:
    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._class_path = ':'.join([f'{LIBRARIES}/*', *os.environ['TEST_JARS'].split(',')])
        self._processes: dict[str, subprocess.Popen] = {}
        port = _free_port()
        self._url = f'http://127.0.0.1:{port}'
        settings = {
            **SETTINGS, 'rest.port': port, 'rest.bind-port': port, 'jobmanager.rpc.port': _free_port(), 'io.tmp.dirs': str(folder),
            'execution.checkpointing.dir': f'file://{folder}/checkpoints',
        }
        (folder / 'config.yaml').write_text(''.join(f'{name}: {value}\n' for name, value in settings.items()) + block('Flink', 'yaml'))

    def _start(self, name: str, main: str, memory: str, *arguments: str, **pipes) -> subprocess.Popen:
        command = ['java', memory, *OPENED, f'-Djava.io.tmpdir={self._folder}', '-cp', self._class_path, main, *arguments]
        with (self._folder / f'{name}.log').open('a') as log:
            process = subprocess.Popen(command, cwd=self._folder, env={**os.environ, 'FLINK_CONF_DIR': str(self._folder)},
                                       **{'stdout': log, 'stderr': log, **pipes})
        self._processes[name] = process
        return process

    def start(self) -> None:
        self._start('jobmanager', 'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint', '-Xmx512m', '--configDir', str(self._folder))
        self.start_taskmanager()

    def start_taskmanager(self) -> None:
        """Returns when it has offered its slots."""
        before = set(self._taskmanagers())
        self._start('taskmanager', 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner', '-Xmx800m', '--configDir', str(self._folder))
        self.wait(lambda: set(self._taskmanagers()) - before, 'no TaskManager registered')

    def kill(self, *names: str) -> None:
        for name in names:
            process = self._processes.pop(name)
            process.kill()
            process.wait()

    def stop(self) -> None:
        self.kill(*self._processes)

    def client(self, name: str, *checkpoint: str) -> 'Client':
        """A client whose first streaming job goes on from `checkpoint`, if there is one."""
        source = str(HERE / 'Statements.java')
        process = self._start(name, source, '-Xmx512m', str(self._folder), *checkpoint, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return Client(process)

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(f'{self._url}{path}', timeout=10) as response:
            return json.load(response)

    def _taskmanagers(self) -> list[str]:
        try:
            return [entry['id'] for entry in self.get('/taskmanagers')['taskmanagers']]
        except OSError:
            return []

    def count_checkpoints(self, job: str, kind: str) -> int:
        """How many checkpoints were `completed`, or how often the job was `restored` from one."""
        return self.get(f'/jobs/{job}/checkpoints')['counts'][kind]

    def last_checkpoint(self, job: str) -> str:
        """The newest whole checkpoint that the job left on disk."""
        whole = [path.parent for path in (self._folder / 'checkpoints' / job).glob('chk-*/_metadata')]
        return f'file://{max(whole, key=lambda path: int(path.name.removeprefix("chk-")))}'

    def cancel(self, job: str) -> None:
        request = urllib.request.Request(f'{self._url}/jobs/{job}?mode=cancel', method='PATCH')
        urllib.request.urlopen(request, timeout=10).close()
        self.wait(lambda: self.get(f'/jobs/{job}')['state'] == 'CANCELED', f'{job} was not cancelled')

    def wait(self, condition, complaint: str, seconds: float = START_SECONDS):
        """The first truthy value of `condition`; throws with the logs' ends when there is none in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and all(process.poll() is None for process in self._processes.values()):
            # A busy JobManager, or one that starts, does not answer: the next question may be answered.
            with contextlib.suppress(OSError):
                if value := condition():
                    return value
            time.sleep(0.2)
        logs = '\n'.join(f'{path.name}: {path.read_text()[-3000:]}' for path in self._folder.glob('*.log'))
        raise AssertionError(f'{complaint}\n{logs}')


class FlinkError(Exception):
    pass


class Client:
    def __init__(self, process: subprocess.Popen):
        self._process = process
        self.outcome = ''

    def send(self, statement: str, mode: str, action: str = 'wait', limit: int = 0) -> None:
        self._process.stdin.write(f'{mode} {action} {limit}\n{statement.strip()}\n;\n')
        self._process.stdin.flush()

    def rows(self) -> collections.abc.Iterator[tuple[str, list[str | None]]]:
        """The answer's rows as they arrive, each with its kind of change; after them, the rest of the last line is `outcome`."""
        for line in self._process.stdout:
            word, _, rest = line.rstrip('\n').partition(' ')
            if word == 'error':
                raise FlinkError(rest)
            if word != 'row':
                self.outcome = rest
                return
            kind, *fields = rest.split('\t')
            yield kind, [None if field == '\\N' else field for field in fields]
        raise FlinkError(f'the client ended with exit code {self._process.wait()}')

    def execute(self, statement: str, mode: str = 'batch') -> None:
        self.send(statement, mode)
        assert list(self.rows()) == []

    def query(self, statement: str, limit: int = 1_000_000) -> list[list[str | None]]:
        self.send(statement, 'batch', limit=limit)
        return [fields for _, fields in self.rows()]

    def start(self, statement: str) -> str:
        """Submit an INSERT in streaming mode; the id of its job."""
        self.send(statement, 'streaming', 'start')
        assert list(self.rows()) == []
        return self.outcome


def temporary_folder() -> pathlib.Path:
    return pathlib.Path(tempfile.mkdtemp(prefix='flink-'))
