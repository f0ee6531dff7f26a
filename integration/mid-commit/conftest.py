import pathlib
import tempfile

import pytest
from server_process import ServerProcess, claim_port

# Before anything reads it: the server's address is the same in all of its lives.
PORT = claim_port()


@pytest.fixture(scope='session')
def folder():
    with tempfile.TemporaryDirectory(prefix='mid-commit-') as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope='session')
def server(folder):
    server = ServerProcess(PORT, folder)
    server.start()
    yield server
    server.kill()
