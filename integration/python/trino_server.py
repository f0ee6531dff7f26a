"""A Trino server with the catalog file that docs/engines.md shows, as the catalog `lake`."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from engines_page import block

START_SECONDS = 180


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def _wait_until_started(url: str, process: subprocess.Popen, log: pathlib.Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f'{url}/v1/info', timeout=5) as response:
                if b'"starting":false' in response.read():
                    return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError(f'Trino did not start:\n{log.read_text()[-4000:]}')


@contextlib.contextmanager
def trino_server():
    """Yields its address; ended afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='trino-'))
    port = _free_port()
    url = f'http://127.0.0.1:{port}'
    (folder / 'catalog').mkdir()
    (folder / 'catalog' / 'lake.properties').write_text(block('Trino', 'properties'))
    (folder / 'config.properties').write_text('\n'.join([
        'coordinator=true', 'node-scheduler.include-coordinator=true', f'http-server.http.port={port}', f'discovery.uri={url}',
        'node.internal-address=127.0.0.1', 'query.max-memory-per-node=700MB', 'memory.heap-headroom-per-node=300MB',
    ]))
    log = folder / 'trino.log'
    command = [
        os.environ['TRINO_JAVA'], '-Xmx1500m', '-XX:+UseG1GC', '-XX:+ExitOnOutOfMemoryError', '-Djdk.attach.allowAttachSelf=true',
        '--enable-native-access=ALL-UNNAMED', '--sun-misc-unsafe-memory-access=allow', '-Dnode.environment=test', '-Dnode.id=test',
        f'-Dnode.data-dir={folder}', f'-Dconfig={folder}/config.properties', f'-Dcatalog.config-dir={folder}/catalog',
        '-cp', 'lib/*', 'io.trino.server.TrinoServer',
    ]
    with log.open('w') as output:
        process = subprocess.Popen(command, cwd=os.environ['TRINO_HOME'], stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_started(url, process, log)
        yield url
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)
