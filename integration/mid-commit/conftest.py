import os
import pathlib
import tempfile

import pytest
from server_process import ServerProcess, free_port

# Before anything reads it: the server's address is the same in all of its lives.
PORT = free_port()
os.environ |= {'TEST_ENDPOINT': f'http://127.0.0.1:{PORT}', 'TEST_ACCESS_KEY': 'moraineadmin', 'TEST_SECRET_KEY': 'moraineadmin'}


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
