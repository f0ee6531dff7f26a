import threading

import pyarrow as pa
import pytest
from lakehouse import fresh_namespace, pyiceberg_catalog, sigv4_catalog
from pyiceberg.exceptions import (
    CommitFailedException, NamespaceAlreadyExistsError, NamespaceNotEmptyError, NoSuchNamespaceError, NoSuchTableError, TableAlreadyExistsError,
)
from pyiceberg.expressions import And, EqualTo, GreaterThan, IsNull
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType
from reference import FLIGHT_QUERIES, FLIGHTS, TPCH_TABLES, arrow_table, assert_same_rows, expected, over_arrow
from server import ICEBERG_URI, SECRET_KEY

NAMESPACE = 'pyiceberg'


@pytest.fixture(scope='module')
def catalog():
    return pyiceberg_catalog()


@pytest.fixture(scope='module')
def namespace(catalog):
    return fresh_namespace(catalog, NAMESPACE)


@pytest.fixture(scope='module')
def flights(catalog, namespace):
    """The flights, appended in two commits."""
    first, rest = arrow_table('SELECT * FROM flights WHERE month <= 3'), arrow_table('SELECT * FROM flights WHERE month > 3')
    table = catalog.create_table((namespace, 'flights'), schema=first.schema)
    table.append(first)
    table.append(rest)
    return table


def test_results_equal_the_original(catalog, flights):
    scanned = catalog.load_table((NAMESPACE, 'flights')).scan().to_arrow()
    assert scanned.num_rows == FLIGHTS
    for query in FLIGHT_QUERIES:
        assert_same_rows(over_arrow(scanned, query), expected(query.format(flights='flights')))


@pytest.mark.parametrize('row_filter, condition', [
    (EqualTo('carrier', 'UA'), "carrier = 'UA'"),
    (And(EqualTo('origin', 'JFK'), GreaterThan('dep_delay', 60)), "origin = 'JFK' AND dep_delay > 60"),
    (IsNull('dep_time'), 'dep_time IS NULL'),
])
def test_filtered_scans(flights, row_filter, condition):
    scanned = flights.scan(row_filter=row_filter, selected_fields=('carrier', 'flight', 'distance')).to_arrow()
    totals = 'SELECT count(*), sum(flight), sum(distance) FROM {flights}'
    assert_same_rows(over_arrow(scanned, totals), expected(f'{totals} WHERE {condition}'.format(flights='flights')))


def test_time_travel(flights):
    first = flights.snapshots()[0]
    assert flights.scan(snapshot_id=first.snapshot_id).to_arrow().num_rows == expected('SELECT count(*) FROM flights WHERE month <= 3')[0][0]


def test_delete_overwrite_and_upsert(catalog, namespace):
    january = arrow_table('SELECT carrier, flight, day, distance FROM flights WHERE month = 1')
    table = catalog.create_table((namespace, 'changed'), schema=january.schema)
    table.append(january)
    table.delete(EqualTo('carrier', 'UA'))
    remaining = "month = 1 AND carrier <> 'UA'"
    assert table.scan().to_arrow().num_rows == expected(f'SELECT count(*) FROM flights WHERE {remaining}')[0][0]
    table.overwrite(january.filter(pa.compute.equal(january['carrier'], 'DL')), overwrite_filter=EqualTo('carrier', 'DL'))
    again = catalog.load_table((namespace, 'changed')).scan().to_arrow()
    totals = 'SELECT carrier, count(*), sum(distance) FROM {flights}'
    grouped = 'GROUP BY carrier ORDER BY carrier'
    assert_same_rows(over_arrow(again, f'{totals} {grouped}'), expected(f'{totals} WHERE {remaining} {grouped}'.format(flights='flights')))


def test_upsert(catalog, namespace):
    schema = Schema(
        NestedField(1, 'id', LongType(), required=True), NestedField(2, 'value', StringType(), required=False), identifier_field_ids=[1])
    fields = pa.schema([pa.field('id', pa.int64(), nullable=False), pa.field('value', pa.string())])
    table = catalog.create_table((namespace, 'upserted'), schema=schema)
    table.append(pa.table({'id': [1, 2, 3], 'value': ['one', 'two', 'three']}, schema=fields))
    result = table.upsert(pa.table({'id': [2, 4], 'value': ['TWO', 'four']}, schema=fields))
    assert (result.rows_updated, result.rows_inserted) == (1, 1)
    rows = catalog.load_table((namespace, 'upserted')).scan().to_arrow().sort_by('id')
    assert rows.to_pydict() == {'id': [1, 2, 3, 4], 'value': ['one', 'TWO', 'three', 'four']}


def test_partitioned_table_and_evolution(catalog, namespace):
    rows = arrow_table("SELECT carrier, origin, flight FROM flights WHERE month = 1 AND day = 1")
    spec = PartitionSpec()
    table = catalog.create_table((namespace, 'partitioned'), schema=rows.schema, partition_spec=spec, properties={'write.format.default': 'parquet'})
    with table.update_spec() as update:
        update.add_field('origin', IdentityTransform(), 'origin')
        update.add_field('flight', BucketTransform(4), 'flight_bucket')
    table.append(rows)
    assert len({task.file.file_path for task in table.scan(row_filter=EqualTo('origin', 'JFK')).plan_files()}) <= 4
    with table.update_schema() as update:
        update.add_column('note', StringType(), doc='added later')
        update.rename_column('carrier', 'airline')
    with table.transaction() as transaction:
        transaction.set_properties({'owner': 'integration', 'gone': 'soon'})
        transaction.remove_properties('gone')
    loaded = catalog.load_table((namespace, 'partitioned'))
    assert loaded.properties['owner'] == 'integration' and 'gone' not in loaded.properties
    scanned = loaded.scan().to_arrow()
    assert scanned.column_names == ['airline', 'origin', 'flight', 'note']
    assert scanned['note'].null_count == rows.num_rows
    assert sorted(scanned['airline'].to_pylist()) == sorted(rows['carrier'].to_pylist())
    assert [field.name for field in loaded.spec().fields] == ['origin', 'flight_bucket']
    assert isinstance(loaded.spec().fields[0], PartitionField)


def test_branches_and_tags(catalog, namespace):
    table = catalog.create_table((namespace, 'referenced'), schema=pa.schema([('n', pa.int64())]))
    table.append(pa.table({'n': [1]}))
    table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, 'first').commit()
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, 'side').commit()
    table.append(pa.table({'n': [2]}))
    table.append(pa.table({'n': [3]}), branch='side')
    loaded = catalog.load_table((namespace, 'referenced'))
    assert set(loaded.refs()) == {'main', 'first', 'side'}

    def rows(reference):
        return sorted(loaded.scan(snapshot_id=loaded.snapshot_by_name(reference).snapshot_id).to_arrow()['n'].to_pylist())
    assert (rows('main'), rows('first'), rows('side')) == ([1, 2], [1], [1, 3])


def test_staged_creation(catalog, namespace):
    """A create transaction shows no table until it commits, and leaves none when it is dropped."""
    schema = pa.schema([('n', pa.int64())])
    catalog.create_table_transaction((namespace, 'dropped'), schema=schema)
    transaction = catalog.create_table_transaction((namespace, 'staged'), schema=schema)
    assert not catalog.table_exists((namespace, 'staged'))
    transaction.append(pa.table({'n': [1, 2]}))
    transaction.commit_transaction()
    assert catalog.load_table((namespace, 'staged')).scan().to_arrow().num_rows == 2
    assert not catalog.table_exists((namespace, 'dropped'))


def test_a_stale_commit_is_refused(catalog, namespace):
    table = catalog.create_table((namespace, 'stale'), schema=pa.schema([('n', pa.int64())]), properties={'commit.retry.num-retries': '0'})
    other = catalog.load_table((namespace, 'stale'))
    transaction = other.transaction()
    with transaction.update_schema() as update:
        update.add_column('late', StringType())
    with table.update_schema() as update:
        update.add_column('early', StringType())
    with pytest.raises(CommitFailedException):
        transaction.commit_transaction()
    assert [field.name for field in catalog.load_table((namespace, 'stale')).schema().fields] == ['n', 'early']


def test_concurrent_appends_lose_nothing(catalog, namespace):
    catalog.create_table((namespace, 'concurrent'), schema=pa.schema([('writer', pa.int64()), ('n', pa.int64())]))
    failures = []

    def write(writer):
        own = pyiceberg_catalog()
        for number in range(5):
            rows = pa.table({'writer': [writer], 'n': [number]})
            for _ in range(100):
                try:
                    own.load_table((namespace, 'concurrent')).append(rows)
                    break
                except CommitFailedException:
                    continue
            else:
                failures.append((writer, number))
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = catalog.load_table((namespace, 'concurrent')).scan().to_arrow()
    assert sorted(zip(rows['writer'].to_pylist(), rows['n'].to_pylist())) == [(w, n) for w in range(4) for n in range(5)]


def test_namespaces(catalog):
    fresh_namespace(catalog, 'outer')
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace('outer')
    if ('outer', 'inner') not in catalog.list_namespaces('outer'):
        catalog.create_namespace(('outer', 'inner'), {'purpose': 'nesting'})
    assert ('outer', 'inner') in catalog.list_namespaces('outer')
    assert catalog.load_namespace_properties(('outer', 'inner'))['purpose'] == 'nesting'
    assert ('outer',) in catalog.list_namespaces()
    assert catalog.namespace_exists('outer') and not catalog.namespace_exists('absent')
    catalog.drop_namespace(('outer', 'inner'))
    catalog.drop_namespace('outer')
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties('outer')


def test_errors(catalog, namespace):
    schema = pa.schema([('n', pa.int64())])
    catalog.create_table((namespace, 'once'), schema=schema)
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table((namespace, 'once'), schema=schema)
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace(namespace)
    assert (namespace, 'once') in catalog.list_tables(namespace)
    catalog.drop_table((namespace, 'once'))
    assert not catalog.table_exists((namespace, 'once'))
    with pytest.raises(NoSuchTableError):
        catalog.load_table((namespace, 'once'))
    with pytest.raises(NoSuchTableError):
        catalog.drop_table((namespace, 'once'))
    with pytest.raises(NoSuchNamespaceError):
        catalog.create_table(('absent', 'table'), schema=schema)


def test_wrong_credentials_are_refused():
    with pytest.raises(Exception) as refused:
        pyiceberg_catalog(credential='nobody:wrong', **{'oauth2-server-uri': f'{ICEBERG_URI}/v1/oauth/tokens'})
    assert SECRET_KEY not in str(refused.value)
    assert any(word in f'{type(refused.value).__name__} {refused.value}' for word in ['Unauthorized', 'invalid_client', 'OAuth'])


def test_sigv4(namespace):
    """The same catalog by request signatures instead of a token."""
    catalog = sigv4_catalog()
    table = catalog.create_table((namespace, 'by_signature'), schema=pa.schema([('n', pa.int64())]))
    table.append(pa.table({'n': [1, 2, 3]}))
    assert pyiceberg_catalog().load_table((namespace, 'by_signature')).scan().to_arrow()['n'].to_pylist() == [1, 2, 3]
    assert (namespace, 'by_signature') in catalog.list_tables(namespace)


@pytest.mark.parametrize('name', TPCH_TABLES)
def test_tpch_tables(catalog, namespace, name):
    rows = arrow_table(f'SELECT * FROM {name}')
    table = catalog.create_table((namespace, name), schema=rows.schema)
    table.append(rows)
    scanned = catalog.load_table((namespace, name)).scan().to_arrow()
    key = ', '.join(rows.column_names[:4])
    query = f'SELECT * FROM {{flights}} ORDER BY {key} LIMIT 5000'
    assert_same_rows(over_arrow(scanned, query), expected(query.format(flights=name)))
    assert scanned.num_rows == rows.num_rows
