"""Flink 2.1 with Iceberg 1.11 through the catalog; the original data reaches it in CSV files."""

import datetime
import os
import random
import re
import time

import pytest
from cluster import FlinkError, temporary_folder
from conftest import connected
from lakehouse import duckdb_lakehouse
from reference import FLIGHT_QUERIES, FLIGHTS, arrow_table, assert_same_rows, expected, over_arrow, reference

KINDS = {'BIGINT': 'BIGINT', 'VARCHAR': 'STRING', 'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP_LTZ(6)'}
RESERVED = re.compile(r'\b(year|month|day|hour|minute)\b')
# Where a kill falls into a commit is left to chance, and repeated by this seed.
SEED = 20_130_101


def columns() -> str:
    described = reference().sql('DESCRIBE flights').fetchall()
    return ', '.join(f'`{name}` {KINDS[kind]}' for name, kind, *_ in described)


def csv_source(flink, name: str, folder, **options: str) -> str:
    """A table of Flink's own over a folder of CSV files; its full name."""
    full = f'default_catalog.default_database.{name}'
    settings = {'connector': 'filesystem', 'path': f'file://{folder}', 'format': 'csv', 'csv.null-literal': 'NA', **options}
    listed = ', '.join(f"'{key}' = '{value}'" for key, value in settings.items())
    for mode in ['batch', 'streaming']:
        flink.execute(f'CREATE TEMPORARY TABLE {full} ({columns()}) WITH ({listed})', mode)
    return full


@pytest.fixture(scope='module')
def files(flink, months):
    return csv_source(flink, 'files', months)


def typed(text: str | None, like):
    if text is None or isinstance(like, str):
        return text
    if isinstance(like, datetime.datetime):
        return datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))
    return type(like)(text)


def assert_flink_reads(flink, query: str, wanted: list[tuple]) -> None:
    # Flink's average of integers is an integer.
    rows = flink.query(RESERVED.sub(r'`\1`', query).replace('avg(arr_delay)', 'avg(CAST(arr_delay AS DOUBLE))'))
    assert len(rows) == len(wanted)
    assert_same_rows([tuple(map(typed, row, like)) for row, like in zip(rows, wanted)], wanted)


def assert_holds_all_flights(catalog, name: str) -> None:
    """As DuckDB and PyIceberg read them."""
    db = duckdb_lakehouse()
    scanned = catalog.load_table(('flink', name)).scan().to_arrow()
    for query in FLIGHT_QUERIES:
        wanted = expected(query.format(flights='flights'))
        assert_same_rows(db.execute(query.format(flights=f'lh.flink.{name}')).fetchall(), wanted)
        assert_same_rows(over_arrow(scanned, query), wanted)


def test_batch_insert(flink, catalog, files):
    flink.execute(f'CREATE TABLE flights ({columns()}) PARTITIONED BY (origin)')
    flink.execute(f'INSERT INTO flights SELECT * FROM {files} WHERE `month` <= 6')
    flink.execute(f'INSERT INTO flights SELECT * FROM {files} WHERE `month` > 6')
    for query in FLIGHT_QUERIES:
        assert_flink_reads(flink, query.format(flights='flights'), expected(query.format(flights='flights')))
    assert_holds_all_flights(catalog, 'flights')
    assert len(catalog.load_table(('flink', 'flights')).snapshots()) == 2


def test_batch_overwrite(flink, catalog):
    flink.execute('CREATE TABLE changed AS SELECT carrier, origin, distance FROM flights WHERE `month` = 1')
    flink.execute("INSERT OVERWRITE changed SELECT carrier, origin, distance FROM flights WHERE `month` = 2")
    totals = 'SELECT origin, count(*), sum(distance) FROM {flights} GROUP BY origin ORDER BY origin'
    wanted = expected(totals.format(flights='(SELECT * FROM flights WHERE month = 2)'))
    assert_flink_reads(flink, totals.format(flights='changed'), wanted)
    assert_same_rows(over_arrow(catalog.load_table(('flink', 'changed')).scan().to_arrow(), totals), wanted)


def test_streaming_insert_ends_with_every_row_once(flink, catalog, files):
    flink.execute(f'CREATE TABLE streamed ({columns()})')
    flink.execute(f'INSERT INTO streamed SELECT * FROM {files}', 'streaming')
    assert_holds_all_flights(catalog, 'streamed')


@pytest.fixture
def inbox(months):
    """An empty folder, and a function that lets the next months arrive in it, each file whole."""
    folder = temporary_folder()
    waiting = sorted(months.iterdir())

    def arrive(count: int) -> None:
        for _ in range(count):
            path = waiting.pop(0)
            os.link(path, folder / path.name)
    yield folder, arrive
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_killed_jobs_go_on_from_their_checkpoints(flink, cluster, catalog, inbox):
    """TaskManagers are killed while rows arrive, then the whole cluster; each row is in the table once."""
    folder, arrive = inbox
    chance = random.Random(SEED)
    watched = {'source.monitor-interval': '300ms'}
    arriving = csv_source(flink, 'arriving', folder, **watched)
    flink.execute(f"CREATE TABLE resumed ({columns()}) WITH ('commit.retry.num-retries' = '20')")
    insert = f'INSERT INTO resumed SELECT * FROM {arriving}'
    job = flink.start(insert)
    arrive(2)
    cluster.wait(lambda: cluster.count_checkpoints(job, 'completed') > 0, 'no checkpoint was completed')
    for kills in [1, 2]:
        arrive(3)
        time.sleep(chance.uniform(0, 2))
        cluster.kill('taskmanager')
        cluster.start_taskmanager()
        cluster.wait(lambda: cluster.count_checkpoints(job, 'restored') >= kills, 'the job was not restored')
        done = cluster.count_checkpoints(job, 'completed')
        cluster.wait(lambda: cluster.count_checkpoints(job, 'completed') > done, 'the job does not go on')
    arrive(2)
    time.sleep(chance.uniform(0, 2))
    cluster.kill('jobmanager', 'taskmanager')
    cluster.start()
    resumed = connected(cluster.client('resumed', cluster.last_checkpoint(job)))
    assert csv_source(resumed, 'arriving', folder, **watched) == arriving
    job = resumed.start(insert)
    arrive(2)

    def records() -> int:
        return int(catalog.load_table(('flink', 'resumed')).current_snapshot().summary['total-records'])
    cluster.wait(lambda: records() >= FLIGHTS, 'rows are missing')
    done = cluster.count_checkpoints(job, 'completed')
    cluster.wait(lambda: cluster.count_checkpoints(job, 'completed') >= done + 2, 'the job does not go on')
    cluster.cancel(job)
    assert records() == FLIGHTS
    assert_holds_all_flights(catalog, 'resumed')


def test_upsert(flink, catalog, files):
    """Running totals replace one another by equality deletes; then those of half a year replace them."""
    flink.execute("""CREATE TABLE totals (carrier STRING, origin STRING, n BIGINT, distance BIGINT, PRIMARY KEY (carrier, origin) NOT ENFORCED)
      WITH ('format-version' = '2', 'write.upsert.enabled' = 'true')""")
    for months in ['< 13', '> 6']:
        flink.execute(f'INSERT INTO totals SELECT carrier, origin, count(*), sum(distance) FROM {files} WHERE `month` {months} GROUP BY carrier, origin', 'streaming')
    wanted = expected("""
      SELECT carrier, origin, coalesce(nullif(count(*) FILTER (month > 6), 0), count(*)), coalesce(sum(distance) FILTER (month > 6), sum(distance))
      FROM flights GROUP BY carrier, origin ORDER BY carrier, origin""")
    query = 'SELECT carrier, origin, n, distance FROM {totals} ORDER BY carrier, origin'
    assert_flink_reads(flink, query.format(totals='totals'), wanted)
    assert_same_rows(duckdb_lakehouse().execute(query.format(totals='lh.flink.totals')).fetchall(), wanted)
    assert int(catalog.load_table(('flink', 'totals')).current_snapshot().summary['total-equality-deletes']) > 0


def test_streaming_read(flink, catalog):
    """A query without an end sees what other engines commit while it runs."""
    days = [arrow_table(f'SELECT carrier, flight, day FROM flights WHERE month = 1 AND day = {day} ORDER BY ALL') for day in [1, 2, 3]]
    table = catalog.create_table(('flink', 'followed'), schema=days[0].schema)
    table.append(days[0])
    followed = "followed /*+ OPTIONS('streaming' = 'true', 'monitor-interval' = '500ms') */"
    flink.send(f'SELECT carrier, flight, `day` FROM {followed}', 'streaming', limit=sum(rows.num_rows for rows in days))
    arriving = flink.rows()
    for number, rows in enumerate(days):
        if number > 0:
            table.append(rows)
        seen = [next(arriving) for _ in range(rows.num_rows)]
        assert {kind for kind, _ in seen} == {'+I'}
        columns_of = zip(*(rows[name].to_pylist() for name in ['carrier', 'flight', 'day']))
        assert sorted(tuple(fields) for _, fields in seen) == sorted(tuple(map(str, row)) for row in columns_of)
    assert list(arriving) == []


def test_errors(flink):
    with pytest.raises(FlinkError, match="Object 'absent' not found"):
        flink.query('SELECT * FROM absent')
    with pytest.raises(FlinkError, match='already exists'):
        flink.execute('CREATE TABLE flights (n BIGINT)')
