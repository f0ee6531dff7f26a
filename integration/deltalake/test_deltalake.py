"""Delta tables straight on the S3 side: delta-rs commits with `PUT If-None-Match: *`, so writers need no lock service."""

import multiprocessing

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from reference import FLIGHT_QUERIES, arrow_table, assert_same_rows, expected, over_arrow
from server import ACCESS_KEY, ENDPOINT, REGION, SECRET_KEY, fresh_bucket, s3_client

OPTIONS = {
    'AWS_ENDPOINT_URL': ENDPOINT,
    'AWS_ALLOW_HTTP': 'true',
    'AWS_REGION': REGION,
    'AWS_ACCESS_KEY_ID': ACCESS_KEY,
    'AWS_SECRET_ACCESS_KEY': SECRET_KEY,
}
WRITERS, COMMITS = 4, 10


@pytest.fixture(scope='module')
def bucket():
    return fresh_bucket(s3_client(), 'delta')


def append_rows(uri: str, writer: int, start: multiprocessing.Barrier) -> None:
    start.wait()
    for commit in range(COMMITS):
        write_deltalake(
            uri, pa.table({'writer': [writer], 'n': [commit]}), mode='append', storage_options=OPTIONS,
            commit_properties=CommitProperties(custom_metadata={'writer': str(writer)}))


def test_processes_lose_nothing(bucket):
    uri = f's3://{bucket}/raced'
    empty = pa.table({'writer': pa.array([], pa.int64()), 'n': pa.array([], pa.int64())})
    write_deltalake(uri, empty, storage_options=OPTIONS)
    context = multiprocessing.get_context('spawn')
    start = context.Barrier(WRITERS)
    processes = [context.Process(target=append_rows, args=(uri, writer, start)) for writer in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * WRITERS
    table = DeltaTable(uri, storage_options=OPTIONS)
    rows = table.to_pyarrow_table()
    written = sorted(zip(rows['writer'].to_pylist(), rows['n'].to_pylist()))
    assert written == [(writer, commit) for writer in range(WRITERS) for commit in range(COMMITS)]
    assert table.version() == WRITERS * COMMITS
    # All were at it: their commits interleave in the history.
    order = [entry['writer'] for entry in table.history() if 'writer' in entry]
    assert sorted(order) == sorted(str(writer) for writer in range(WRITERS) for _ in range(COMMITS))
    assert sum(before != after for before, after in zip(order, order[1:])) >= 2 * WRITERS


def test_flights(bucket):
    uri = f's3://{bucket}/flights'
    flights = arrow_table('SELECT * FROM flights')
    write_deltalake(uri, flights, partition_by=['month'], storage_options=OPTIONS)
    table = DeltaTable(uri, storage_options=OPTIONS)
    scanned = table.to_pyarrow_table().select(flights.column_names)
    for query in FLIGHT_QUERIES:
        assert_same_rows(over_arrow(scanned, query), expected(query.format(flights='flights')))


def test_delete_update_merge_and_time_travel(bucket):
    uri = f's3://{bucket}/changed'
    write_deltalake(uri, pa.table({'id': [1, 2, 3, 4], 'value': ['a', 'b', 'c', 'd']}), storage_options=OPTIONS)
    table = DeltaTable(uri, storage_options=OPTIONS)
    table.delete('id = 1')
    table.update(predicate='id = 2', updates={'value': "'B'"})
    source = pa.table({'id': [3, 5], 'value': ['C', 'e']})
    (table.merge(source, 'target.id = source.id', source_alias='source', target_alias='target')
        .when_matched_update_all().when_not_matched_insert_all().execute())
    rows = DeltaTable(uri, storage_options=OPTIONS).to_pyarrow_table().sort_by('id').to_pydict()
    assert rows == {'id': [2, 3, 4, 5], 'value': ['B', 'C', 'd', 'e']}
    first = DeltaTable(uri, version=0, storage_options=OPTIONS).to_pyarrow_table().sort_by('id').to_pydict()
    assert first == {'id': [1, 2, 3, 4], 'value': ['a', 'b', 'c', 'd']}


def test_checkpoint_optimize_and_vacuum(bucket):
    uri = f's3://{bucket}/maintained'
    for number in range(6):
        write_deltalake(uri, pa.table({'n': [number]}), mode='append', storage_options=OPTIONS)
    table = DeltaTable(uri, storage_options=OPTIONS)
    table.create_checkpoint()
    assert table.optimize.compact()['numFilesRemoved'] == 6
    removed = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert len(removed) == 6
    assert sorted(DeltaTable(uri, storage_options=OPTIONS).to_pyarrow_table()['n'].to_pylist()) == list(range(6))
