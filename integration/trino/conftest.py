"""One Trino server for the part."""

import pytest
from trino_server import trino_server
from trino_statement import Trino


@pytest.fixture(scope='session')
def trino_url():
    with trino_server() as url:
        yield url


@pytest.fixture(scope='session')
def trino(trino_url):
    """A session in which maintenance may touch what was written a moment ago."""
    client = Trino(trino_url, 'lake', 'trino', expire_snapshots_min_retention='0s', remove_orphan_files_min_retention='0s')
    client.execute('CREATE SCHEMA IF NOT EXISTS lake.trino')
    return client
