import shutil

import pytest
from cluster import Client, Cluster, temporary_folder
from engines_page import block
from lakehouse import pyiceberg_catalog
from reference import reference


@pytest.fixture(scope='session')
def catalog():
    return pyiceberg_catalog()


@pytest.fixture(scope='session')
def cluster():
    folder = temporary_folder()
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def connected(client: Client) -> Client:
    """In the namespace `flink`, with the catalog that docs/engines.md shows."""
    for mode in ['batch', 'streaming']:
        for statement in [block('Flink', 'sql'), 'USE CATALOG moraine', 'CREATE DATABASE IF NOT EXISTS flink', 'USE flink']:
            client.execute(statement, mode)
    return client


@pytest.fixture(scope='session')
def flink(cluster):
    return connected(cluster.client('client'))


@pytest.fixture(scope='session')
def months():
    """A folder with the flights in a CSV file for each month."""
    folder = temporary_folder()
    zoned = "* REPLACE (strftime(time_hour, '%Y-%m-%d %H:%M:%SZ') AS time_hour)"
    for month in range(1, 13):
        reference().execute(f"COPY (SELECT {zoned} FROM flights WHERE month = {month}) TO '{folder}/{month:02}.csv' (HEADER false, NULLSTR 'NA')")
    yield folder
    shutil.rmtree(folder)
