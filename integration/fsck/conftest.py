import os
import pathlib
import tempfile

import pytest
from server_process import ServerProcess, free_port

# Before anything reads it: the server's address is the same in all of its lives.
PORT = free_port()
os.environ |= {'TEST_ENDPOINT': f'http://127.0.0.1:{PORT}', 'TEST_ACCESS_KEY': 'moraineadmin', 'TEST_SECRET_KEY': 'moraineadmin'}
DRIVES = 4


@pytest.fixture(scope='session')
def folder():
    with tempfile.TemporaryDirectory(prefix='fsck-') as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope='session')
def server(folder):
    """Over drives of which two may be lost."""
    server = ServerProcess(PORT, folder, drives=DRIVES)
    server.start()
    yield server
    server.kill()
