import os
import pathlib
import tempfile

import pytest
from server_process import ServerProcess, claim_port

# Before anything reads it.
PORT = claim_port()

# Long enough for one step, short enough to outlive.
LIFETIME_SECONDS = 12


@pytest.fixture(scope='session')
def folder():
    with tempfile.TemporaryDirectory(prefix='vended-expiry-') as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope='session', autouse=True)
def server(folder):
    os.environ |= {'MORAINE_VENDED_LIFETIME': f'{LIFETIME_SECONDS}s', 'MORAINE_AUDIT_FILE': str(folder / 'audit.log')}
    server = ServerProcess(PORT, folder)
    server.start()
    yield server
    server.kill()
