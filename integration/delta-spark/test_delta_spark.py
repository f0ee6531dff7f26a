"""Delta on Spark 4.1 with the LogStore that orders the commits of one driver; delta-rs reads what Spark wrote, and the reverse."""

import tempfile
import threading

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from engines_page import spark_defaults
from reference import FLIGHT_QUERIES, arrow_table, assert_same_rows, expected, over_arrow
from server import ACCESS_KEY, ENDPOINT, REGION, SECRET_KEY, fresh_bucket, s3_client
from spark_driver import spark_driver

DELTA_RS = {
    'AWS_ENDPOINT_URL': ENDPOINT, 'AWS_ALLOW_HTTP': 'true', 'AWS_REGION': REGION,
    'AWS_ACCESS_KEY_ID': ACCESS_KEY, 'AWS_SECRET_ACCESS_KEY': SECRET_KEY,
}
WRITERS, COMMITS = 4, 4
# The state of a small table needs no more; the default of 50 is most of the work here.
FEW_PARTITIONS = {'spark.databricks.delta.snapshotPartitions': '1'}


@pytest.fixture(scope='module')
def spark():
    session = spark_driver({**spark_defaults('Delta Lake with Spark'), **FEW_PARTITIONS})
    yield session
    session.stop()


@pytest.fixture(scope='module')
def bucket():
    return fresh_bucket(s3_client(), 'delta-spark')


@pytest.fixture(scope='module')
def flights(spark, bucket):
    """The flights in two commits, partitioned."""
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(arrow_table('SELECT * FROM flights'), f'{folder}/flights.parquet')
        file = spark.read.parquet(f'{folder}/flights.parquet')
        file.where('month <= 6').write.format('delta').partitionBy('origin').save(f's3a://{bucket}/flights')
        file.where('month > 6').write.format('delta').mode('append').save(f's3a://{bucket}/flights')
    return f'delta.`s3a://{bucket}/flights`'


def read_by_delta_rs(bucket: str, name: str):
    return DeltaTable(f's3://{bucket}/{name}', storage_options=DELTA_RS)


def test_results_equal_the_original(spark, flights):
    for query in FLIGHT_QUERIES:
        rows = over_arrow(spark.sql(query.format(flights=flights)).toArrow(), 'SELECT * FROM {flights}')
        assert_same_rows(rows, expected(query.format(flights='flights')))


def test_delta_rs_reads_what_spark_wrote(bucket, flights):
    table = read_by_delta_rs(bucket, 'flights')
    assert table.version() == 1
    scanned = table.to_pyarrow_table()
    for query in FLIGHT_QUERIES[:3]:
        assert_same_rows(over_arrow(scanned, query), expected(query.format(flights='flights')))


def test_spark_reads_what_delta_rs_wrote(spark, bucket):
    rows = arrow_table('SELECT carrier, flight, day, distance FROM flights WHERE month = 2')
    write_deltalake(f's3://{bucket}/from-delta-rs', rows, storage_options=DELTA_RS)
    read_by_delta_rs(bucket, 'from-delta-rs').delete("carrier = 'UA'")
    query = 'SELECT carrier, count(*) AS n, sum(distance) AS d FROM {flights} GROUP BY carrier ORDER BY carrier'
    mine = spark.sql(query.format(flights=f'delta.`s3a://{bucket}/from-delta-rs`')).toArrow()
    wanted = expected(query.format(flights="flights WHERE month = 2 AND carrier <> 'UA'"))
    assert_same_rows(over_arrow(mine, 'SELECT * FROM {flights}'), wanted)


def test_delete_update_merge_and_time_travel(spark, bucket):
    path = f's3a://{bucket}/changed'
    table = f'delta.`{path}`'
    spark.createDataFrame([(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')], 'id BIGINT, value STRING').write.format('delta').save(path)
    spark.sql(f'DELETE FROM {table} WHERE id = 1')
    spark.sql(f"UPDATE {table} SET value = 'B' WHERE id = 2")
    spark.sql(f"""MERGE INTO {table} t USING (SELECT 3 AS id, 'C' AS value UNION ALL SELECT 5, 'e') s ON t.id = s.id
      WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *""")
    wanted = {'id': [2, 3, 4, 5], 'value': ['B', 'C', 'd', 'e']}
    assert spark.sql(f'SELECT * FROM {table} ORDER BY id').toArrow().to_pydict() == wanted
    assert read_by_delta_rs(bucket, 'changed').to_pyarrow_table().sort_by('id').to_pydict() == wanted
    assert [row[0] for row in spark.sql(f'SELECT id FROM {table} VERSION AS OF 0 ORDER BY id').collect()] == [1, 2, 3, 4]


def test_threads_of_one_driver_lose_nothing(spark, bucket):
    path = f's3a://{bucket}/raced'
    # Delta 4.2.0 reads its checkpoints (every tenth commit) by a method that this Spark does not have: see the page.
    spark.sql(f"CREATE TABLE delta.`{path}` (writer INT, n INT) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '1000')")
    failures = []

    def write(writer: int) -> None:
        try:
            for number in range(COMMITS):
                spark.sql(f'INSERT INTO delta.`{path}` VALUES ({writer}, {number})')
        except Exception as error:  # noqa: BLE001 - reported by the assertion below, from the main thread
            failures.append(f'writer {writer}: {error}')
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, '\n'.join(failures)
    table = read_by_delta_rs(bucket, 'raced')
    rows = table.to_pyarrow_table()
    assert sorted(zip(rows['writer'].to_pylist(), rows['n'].to_pylist())) == [(w, n) for w in range(WRITERS) for n in range(COMMITS)]
    assert table.version() == WRITERS * COMMITS
