"""Every engine once. Writing is a part of the session's start: each writer makes all of its tables before any reader reads."""

import os
import pathlib
import shutil
import sys
import unittest.mock

import pytest
from engines_page import block, spark_settings
from lakehouse import duckdb_lakehouse, pyiceberg_catalog
from readers import FlinkReader, PolarsReader, PyicebergReader, RustReader, SqlReader, spark_query
from server import ACCESS_KEY, ENDPOINT, REGION, SECRET_KEY
from spark_driver import spark_driver
from trino_server import trino_server
from trino_statement import Trino
from writers import NAMESPACE, DuckdbWriter, FlinkWriter, JavaWriter, PyicebergWriter, SparkWriter, TrinoWriter

sys.path.append(str(pathlib.Path(__file__).parents[1] / 'flink'))
from cluster import Cluster, temporary_folder  # noqa: E402 - it is found once its folder is on the path

POLARS = {
    'aws_endpoint_url': ENDPOINT, 'aws_allow_http': 'true', 'aws_region': REGION, 'aws_access_key_id': ACCESS_KEY, 'aws_secret_access_key': SECRET_KEY,
}


@pytest.fixture(scope='session')
def catalog():
    catalog = pyiceberg_catalog()
    catalog.create_namespace(NAMESPACE)
    return catalog


@pytest.fixture(scope='session')
def spark(catalog):
    session = spark_driver(spark_settings('lh'))
    yield session
    session.stop()


@pytest.fixture(scope='session')
def trino(catalog):
    with trino_server() as url:
        yield Trino(url, 'lake', NAMESPACE)


@pytest.fixture(scope='session')
def duckdb(catalog):
    return duckdb_lakehouse()


@pytest.fixture(scope='session')
def flink(catalog):
    folder = temporary_folder()
    with unittest.mock.patch.dict(os.environ, TEST_JARS=os.environ['TEST_FLINK_JARS']):
        cluster = Cluster(folder)
    try:
        cluster.start()
        client = cluster.client('client')
        for mode in ['streaming', 'batch']:
            for statement in [block('Flink', 'sql'), 'USE CATALOG moraine']:
                client.execute(statement, mode)
        yield client
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope='session')
def writers(spark, trino, duckdb, flink, catalog) -> dict:
    writers = [SparkWriter(spark), TrinoWriter(trino), FlinkWriter(flink), DuckdbWriter(duckdb), PyicebergWriter(catalog), JavaWriter(spark)]
    return {writer.name: writer for writer in writers}


@pytest.fixture(scope='session')
def readers(spark, trino, duckdb, flink, catalog) -> dict:
    readers = [
        SqlReader('spark', spark_query(spark), f'lh.{NAMESPACE}.'), SqlReader('trino', trino.execute, ''), FlinkReader(flink),
        SqlReader('duckdb', lambda query: duckdb.execute(query).fetchall(), f'lh.{NAMESPACE}.'), PyicebergReader(catalog), PolarsReader(catalog, POLARS),
        RustReader(),
    ]
    return {reader.name: reader for reader in readers}
