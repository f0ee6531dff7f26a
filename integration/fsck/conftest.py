import pathlib
import tempfile

import pytest
from server_process import ServerProcess, claim_port

# Before anything reads it: the server's address is the same in all of its lives.
PORT = claim_port()
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
