"""Hudi 1.2 on Spark 3.5: copy-on-write and merge-on-read upserts, and two writers of one table under a lock."""

import threading

import pytest
from engines_page import block, spark_defaults
from reference import arrow_table
from server import fresh_bucket, s3_client
from spark_driver import spark_driver

WRITERS, COMMITS = 2, 4


@pytest.fixture(scope='module')
def spark():
    session = spark_driver(spark_defaults('Hudi'))
    yield session
    session.stop()


@pytest.fixture(scope='module')
def bucket():
    return fresh_bucket(s3_client(), 'hudi')


@pytest.fixture(scope='module')
def concurrent_writers() -> dict[str, str]:
    names: dict = {}
    exec(compile(block('Hudi', 'python'), 'docs/engines.md', 'exec'), names)  # noqa: S102 - the page is ours
    return names['concurrent_writers']


def table_options(name: str, kind: str) -> dict[str, str]:
    return {
        'hoodie.table.name': name,
        'hoodie.datasource.write.table.type': kind,
        'hoodie.datasource.write.recordkey.field': 'id',
        'hoodie.datasource.write.partitionpath.field': 'origin',
        'hoodie.datasource.write.precombine.field': 'version',
        'hoodie.datasource.write.operation': 'upsert',
        'hoodie.upsert.shuffle.parallelism': '2',
        'hoodie.insert.shuffle.parallelism': '2',
        'hoodie.bulkinsert.shuffle.parallelism': '2',
    }


FLIGHTS = """SELECT row_number() OVER (ORDER BY sched_dep_time, carrier, flight, origin) AS id, origin, carrier, distance
  FROM flights WHERE month = 1 AND day = 1"""
COLUMNS = 'id BIGINT, origin STRING, carrier STRING, distance DOUBLE, version INT'


def flights(condition=lambda row: True, distance=lambda row: row['distance'], version: int = 0) -> list[tuple]:
    return [(row['id'], row['origin'], row['carrier'], float(distance(row)), version) for row in arrow_table(FLIGHTS).to_pylist() if condition(row)]


def rows_of(spark, path: str) -> list[tuple]:
    return sorted(tuple(row) for row in spark.read.format('hudi').load(path).select('id', 'origin', 'carrier', 'distance', 'version').collect())


@pytest.mark.parametrize('kind', ['COPY_ON_WRITE', 'MERGE_ON_READ'])
def test_upserts_and_deletes_read_back_equal(spark, bucket, kind):
    path = f's3a://{bucket}/{kind.lower()}'
    options = table_options(kind.lower(), kind)

    def write(rows: list[tuple], **changed: str) -> None:
        changes = {f'hoodie.datasource.write.{name}': value for name, value in changed.items()}
        spark.createDataFrame(rows, COLUMNS).coalesce(2).write.format('hudi').options(**{**options, **changes}).mode('append').save(path)
    write(flights(), operation='bulk_insert')
    updated = flights(lambda row: row['carrier'] == 'AA', lambda row: row['distance'] + 1000, version=1)
    added = [(1_000_000 + number, 'JFK', 'ZZ', float(number), 1) for number in range(10)]
    write(updated + added)
    write(flights(lambda row: row['carrier'] == 'DL'), operation='delete')
    wanted = {row[0]: row for row in flights() + updated + added}
    assert rows_of(spark, path) == sorted(row for row in wanted.values() if row[2] != 'DL')
    if kind == 'MERGE_ON_READ':
        keys = [entry['Key'] for entry in s3_client().list_objects_v2(Bucket=bucket, Prefix='merge_on_read/')['Contents']]
        assert any('.log.' in key for key in keys), 'the upserts are to be in log files, which the read merges'


def test_two_writers_under_the_lock_lose_nothing(spark, bucket, concurrent_writers):
    """Each writer upserts its own keys in its own partition, so that optimistic concurrency control lets both through."""
    path = f's3a://{bucket}/raced'
    options = {**table_options('raced', 'COPY_ON_WRITE'), **concurrent_writers}
    spark.createDataFrame([(-1, 'start', 'none', 0.0, 0)], COLUMNS).write.format('hudi').options(**options).mode('append').save(path)
    failures = []

    def write(writer: int) -> None:
        try:
            for number in range(COMMITS):
                rows = [(writer * 1_000 + number, f'writer{writer}', 'XX', float(number), 0), (writer * 1_000 + 999, f'writer{writer}', 'YY', 0.0, number)]
                spark.createDataFrame(rows, COLUMNS).coalesce(1).write.format('hudi').options(**options).mode('append').save(path)
        except Exception as error:  # noqa: BLE001 - reported by the assertion below, from the main thread
            failures.append(error)
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    own = [(writer * 1_000 + number, f'writer{writer}', 'XX', float(number), 0) for writer in range(WRITERS) for number in range(COMMITS)]
    upserted = [(writer * 1_000 + 999, f'writer{writer}', 'YY', 0.0, COMMITS - 1) for writer in range(WRITERS)]
    assert rows_of(spark, path) == sorted([(-1, 'start', 'none', 0.0, 0), *own, *upserted])
