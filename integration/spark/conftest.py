import shutil
import tempfile

import pyarrow.parquet as pq
import pytest
from changes import TABLE
from engines_page import spark_settings
from lakehouse import fresh_namespace, pyiceberg_catalog
from reference import TPCH_TABLES, arrow_table
from spark_driver import spark_driver


@pytest.fixture(scope='session')
def catalog():
    return pyiceberg_catalog()


@pytest.fixture(scope='session')
def spark(catalog):
    fresh_namespace(catalog, 'spark')
    session = spark_driver(spark_settings('lh'), memory='2g')
    yield session
    session.stop()


@pytest.fixture(scope='session')
def local_files():
    """The original data as Parquet files that Spark reads."""
    folder = tempfile.mkdtemp(prefix='spark-input-')
    for name in ['flights', *TPCH_TABLES]:
        pq.write_table(arrow_table(f'SELECT * FROM {name}'), f'{folder}/{name}.parquet')
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope='session')
def flights(spark, local_files):
    """CREATE TABLE AS for the first half, partitioned; INSERT for the rest."""
    spark.read.parquet(f'{local_files}/flights.parquet').createOrReplaceTempView('flights_file')
    spark.sql(f'CREATE TABLE {TABLE}.flights USING iceberg PARTITIONED BY (origin, bucket(4, flight)) AS SELECT * FROM flights_file WHERE month <= 6')
    spark.sql(f'INSERT INTO {TABLE}.flights SELECT * FROM flights_file WHERE month > 6')
    return f'{TABLE}.flights'


@pytest.fixture(scope='session')
def tpch(spark, local_files):
    for name in TPCH_TABLES:
        spark.read.parquet(f'{local_files}/{name}.parquet').writeTo(f'{TABLE}.{name}').using('iceberg').create()
