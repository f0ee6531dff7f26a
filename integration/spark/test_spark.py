"""Spark 4.1 with Iceberg 1.11 through the catalog; and every pair of writer and reader with PyIceberg and DuckDB."""

import os
import shutil
import tempfile
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engines_page import spark_settings
from lakehouse import duckdb_lakehouse, fresh_namespace, pyiceberg_catalog
from pyspark.sql import SparkSession
from reference import FLIGHT_QUERIES, FLIGHTS, TPCH_TABLES, arrow_table, assert_same_rows, expected, over_arrow, reference, tpch_queries

NAMESPACE = 'spark'
TABLE = f'lh.{NAMESPACE}'


@pytest.fixture(scope='module')
def catalog():
    return pyiceberg_catalog()


@pytest.fixture(scope='module')
def spark(catalog):
    fresh_namespace(catalog, NAMESPACE)
    settings = {
        'spark.jars': os.environ['TEST_JARS'],
        'spark.driver.memory': '2g',
        'spark.ui.enabled': 'false',
        'spark.driver.host': '127.0.0.1',
        'spark.driver.bindAddress': '127.0.0.1',
        'spark.sql.session.timeZone': 'UTC',
        'spark.sql.shuffle.partitions': '4',
        **spark_settings('lh'),
    }
    builder = SparkSession.builder.master('local[2]').appName('integration')
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel('ERROR')
    yield session
    session.stop()


@pytest.fixture(scope='module')
def local_files():
    """The original data as Parquet files that Spark reads."""
    folder = tempfile.mkdtemp(prefix='spark-input-')
    for name in ['flights', *TPCH_TABLES]:
        pq.write_table(arrow_table(f'SELECT * FROM {name}'), f'{folder}/{name}.parquet')
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope='module')
def flights(spark, local_files):
    """CREATE TABLE AS for the first half, partitioned; INSERT for the rest."""
    spark.read.parquet(f'{local_files}/flights.parquet').createOrReplaceTempView('flights_file')
    spark.sql(f'CREATE TABLE {TABLE}.flights USING iceberg PARTITIONED BY (origin, bucket(4, flight)) AS SELECT * FROM flights_file WHERE month <= 6')
    spark.sql(f'INSERT INTO {TABLE}.flights SELECT * FROM flights_file WHERE month > 6')
    return f'{TABLE}.flights'


def rows_of(spark, query: str) -> list[tuple]:
    """As DuckDB gives them: through Arrow, so that both sides have the same Python values."""
    table = spark.sql(query).toArrow()
    return over_arrow(table, 'SELECT * FROM {flights}')


def test_results_equal_the_original(spark, flights):
    for query in FLIGHT_QUERIES:
        assert_same_rows(rows_of(spark, query.format(flights=flights)), expected(query.format(flights='flights')))


def test_pyiceberg_and_duckdb_read_what_spark_wrote(catalog, flights):
    scanned = catalog.load_table((NAMESPACE, 'flights')).scan().to_arrow()
    db = duckdb_lakehouse()
    for query in FLIGHT_QUERIES:
        wanted = expected(query.format(flights='flights'))
        assert_same_rows(over_arrow(scanned, query), wanted)
        assert_same_rows(db.execute(query.format(flights=flights)).fetchall(), wanted)


@pytest.mark.parametrize('number, query', tpch_queries(), ids=[f'q{number}' for number, _ in tpch_queries()])
def test_tpch_queries(spark, local_files, number, query):
    if number == 1:
        for name in TPCH_TABLES:
            spark.read.parquet(f'{local_files}/{name}.parquet').writeTo(f'{TABLE}.{name}').using('iceberg').create()
    spark.sql(f'USE {TABLE}')
    assert_same_rows(rows_of(spark, query), expected(query))


def changed_reference():
    """The same changes made to the original, in DuckDB."""
    local = reference().cursor()
    local.execute("""
      CREATE OR REPLACE TEMP TABLE changed AS SELECT carrier, flight, day, distance FROM flights WHERE month = 5;
      DELETE FROM changed WHERE carrier = 'DL';
      UPDATE changed SET distance = distance + 1000 WHERE carrier = 'AA';
      UPDATE changed SET distance = 0 WHERE carrier = 'UA' AND day = 1;
      INSERT INTO changed VALUES ('ZZ', 1, 1, 1);
    """)
    return local.execute(f'{TOTALS.format(flights="changed")}').fetchall()


TOTALS = 'SELECT carrier, count(*) AS n, sum(distance) AS d, sum(flight) AS f FROM {flights} GROUP BY carrier ORDER BY carrier'


def change(spark, flights: str, table: str, properties: str) -> None:
    spark.sql(f"""CREATE TABLE {table} USING iceberg TBLPROPERTIES ({properties})
      AS SELECT carrier, flight, day, distance FROM {flights} WHERE month = 5""")
    spark.sql(f"DELETE FROM {table} WHERE carrier = 'DL'")
    spark.sql(f"UPDATE {table} SET distance = distance + 1000 WHERE carrier = 'AA'")
    spark.sql(f"""MERGE INTO {table} t USING (SELECT 'UA' AS carrier, 1 AS day UNION ALL SELECT 'ZZ', 1) s
      ON t.carrier = s.carrier AND t.day = s.day
      WHEN MATCHED THEN UPDATE SET distance = 0
      WHEN NOT MATCHED THEN INSERT (carrier, flight, day, distance) VALUES (s.carrier, 1, s.day, 1)""")


@pytest.mark.parametrize('mode', ['copy-on-write', 'merge-on-read'])
def test_delete_update_and_merge(spark, catalog, flights, mode):
    name = f'changed_{mode.replace("-", "_")}'
    modes = ', '.join(f"'write.{operation}.mode' = '{mode}'" for operation in ['delete', 'update', 'merge'])
    change(spark, flights, f'{TABLE}.{name}', f"{modes}, 'format-version' = '2'")
    wanted = changed_reference()
    assert_same_rows(rows_of(spark, TOTALS.format(flights=f'{TABLE}.{name}')), wanted)
    assert_same_rows(duckdb_lakehouse().execute(TOTALS.format(flights=f'{TABLE}.{name}')).fetchall(), wanted)
    assert_same_rows(over_arrow(catalog.load_table((NAMESPACE, name)).scan().to_arrow(), TOTALS), wanted)


def test_deletion_vectors(spark, flights):
    """Format version 3: row lineage and deletion vectors."""
    modes = ', '.join(f"'write.{operation}.mode' = 'merge-on-read'" for operation in ['delete', 'update', 'merge'])
    change(spark, flights, f'{TABLE}.changed_v3', f"{modes}, 'format-version' = '3'")
    wanted = changed_reference()
    assert_same_rows(rows_of(spark, TOTALS.format(flights=f'{TABLE}.changed_v3')), wanted)
    formats = spark.sql(f'SELECT DISTINCT file_format FROM {TABLE}.changed_v3.delete_files').collect()
    assert [row[0] for row in formats] == ['PUFFIN']
    assert_same_rows(duckdb_lakehouse().execute(TOTALS.format(flights=f'{TABLE}.changed_v3')).fetchall(), wanted)


def test_spark_reads_what_pyiceberg_and_duckdb_wrote(spark, catalog):
    rows = arrow_table('SELECT * FROM flights')
    catalog.create_table((NAMESPACE, 'from_pyiceberg'), schema=rows.schema).append(rows)
    db = duckdb_lakehouse()
    db.register('original', rows)
    db.execute(f'CREATE TABLE {TABLE}.from_duckdb AS SELECT * FROM original')
    db.execute(f"DELETE FROM {TABLE}.from_duckdb WHERE carrier = 'UA'")
    for query in FLIGHT_QUERIES:
        assert_same_rows(rows_of(spark, query.format(flights=f'{TABLE}.from_pyiceberg')), expected(query.format(flights='flights')))
        wanted = expected(query.format(flights="(SELECT * FROM flights WHERE carrier <> 'UA')"))
        assert_same_rows(rows_of(spark, query.format(flights=f'{TABLE}.from_duckdb')), wanted)


def test_three_engines_append_to_one_table(spark, catalog):
    spark.sql(f'CREATE TABLE {TABLE}.shared (engine STRING, n BIGINT) USING iceberg')
    spark.sql(f"INSERT INTO {TABLE}.shared VALUES ('spark', 1)")
    catalog.load_table((NAMESPACE, 'shared')).append(pa.table({'engine': ['pyiceberg'], 'n': pa.array([2], pa.int64())}))
    db = duckdb_lakehouse()
    db.execute(f"INSERT INTO {TABLE}.shared VALUES ('duckdb', 3)")
    spark.sql(f'REFRESH TABLE {TABLE}.shared')
    wanted = [('duckdb', 3), ('pyiceberg', 2), ('spark', 1)]
    query = f'SELECT engine, n FROM {TABLE}.shared ORDER BY engine'
    assert rows_of(spark, query) == wanted
    assert db.execute(query).fetchall() == wanted
    assert over_arrow(catalog.load_table((NAMESPACE, 'shared')).scan().to_arrow(), 'SELECT * FROM {flights} ORDER BY engine') == wanted


def test_evolution_and_time_travel(spark, flights):
    table = f'{TABLE}.evolved'
    spark.sql(f'CREATE TABLE {table} (id BIGINT, name STRING, score INT) USING iceberg')
    spark.sql(f"INSERT INTO {table} VALUES (1, 'one', 10), (2, 'two', 20)")
    first = spark.sql(f'SELECT snapshot_id FROM {table}.snapshots').collect()[0][0]
    spark.sql(f'ALTER TABLE {table} ADD COLUMN note STRING AFTER name')
    spark.sql(f'ALTER TABLE {table} RENAME COLUMN name TO label')
    spark.sql(f'ALTER TABLE {table} ALTER COLUMN score TYPE BIGINT')
    spark.sql(f'ALTER TABLE {table} ADD PARTITION FIELD bucket(2, id)')
    spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('comment' = 'evolved')")
    spark.sql(f"INSERT INTO {table} (id, label, note, score) VALUES (3, 'three', 'new', 5000000000)")
    assert rows_of(spark, f'SELECT id, label, note, score FROM {table} ORDER BY id') == [
        (1, 'one', None, 10), (2, 'two', None, 20), (3, 'three', 'new', 5_000_000_000)]
    assert rows_of(spark, f'SELECT count(*) FROM {table} VERSION AS OF {first}') == [(2,)]
    spark.sql(f'ALTER TABLE {table} CREATE TAG released AS OF VERSION {first}')
    spark.sql(f'ALTER TABLE {table} CREATE BRANCH side')
    spark.sql(f"INSERT INTO {table}.branch_side (id, label) VALUES (4, 'four')")
    counts = [rows_of(spark, f"SELECT count(*) FROM {table} VERSION AS OF '{name}'")[0][0] for name in ['main', 'side', 'released']]
    assert counts == [3, 4, 2]
    spark.sql(f"CALL lh.system.rollback_to_snapshot('{NAMESPACE}.evolved', {first})")
    assert rows_of(spark, f'SELECT count(*) FROM {table}') == [(2,)]


def test_maintenance(spark, catalog):
    table = f'{TABLE}.maintained'
    spark.sql(f'CREATE TABLE {table} (n BIGINT) USING iceberg')
    for number in range(6):
        spark.sql(f'INSERT INTO {table} VALUES ({number})')
    (rewritten,) = spark.sql(f"CALL lh.system.rewrite_data_files(table => '{NAMESPACE}.maintained', options => map('min-input-files', '2'))").collect()
    assert rewritten['rewritten_data_files_count'] >= 6
    spark.sql(f"CALL lh.system.rewrite_manifests('{NAMESPACE}.maintained')")
    spark.sql(f"CALL lh.system.expire_snapshots(table => '{NAMESPACE}.maintained', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)")
    assert spark.sql(f'SELECT count(*) FROM {table}.snapshots').collect()[0][0] == 1
    assert sorted(catalog.load_table((NAMESPACE, 'maintained')).scan().to_arrow()['n'].to_pylist()) == list(range(6))


def test_concurrent_writers_retry_and_lose_nothing(spark, catalog):
    table = f'{TABLE}.raced'
    spark.sql(f"CREATE TABLE {table} (writer INT, n INT) USING iceberg TBLPROPERTIES ('commit.retry.num-retries' = '50', 'commit.retry.min-wait-ms' = '10')")
    failures = []

    def write(writer: int) -> None:
        try:
            for number in range(5):
                spark.sql(f'INSERT INTO {table} VALUES ({writer}, {number})')
        except Exception as error:  # noqa: BLE001 - reported by the assertion below, from the main thread
            failures.append(error)
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = catalog.load_table((NAMESPACE, 'raced')).scan().to_arrow()
    assert sorted(zip(rows['writer'].to_pylist(), rows['n'].to_pylist())) == [(w, n) for w in range(4) for n in range(5)]


def test_create_or_replace_and_drop(spark, flights):
    spark.sql(f'CREATE TABLE {TABLE}.replaced USING iceberg AS SELECT 1 AS n')
    spark.sql(f'CREATE OR REPLACE TABLE {TABLE}.replaced USING iceberg AS SELECT flight FROM {flights}')
    assert rows_of(spark, f'SELECT count(*) FROM {TABLE}.replaced') == [(FLIGHTS,)]
    assert ('replaced',) in [(row['tableName'],) for row in spark.sql(f'SHOW TABLES IN {TABLE}').collect()]
    spark.sql(f'DROP TABLE {TABLE}.replaced')
    assert not spark.catalog.tableExists(f'{TABLE}.replaced')
