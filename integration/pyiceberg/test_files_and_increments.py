"""PyIceberg beyond rows: files that others wrote, what was appended between snapshots, partitions replaced, snapshots expired."""

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakehouse import fresh_namespace, pyiceberg_catalog
from pyiceberg.expressions import EqualTo
from pyiceberg.transforms import IdentityTransform
from reference import arrow_table, assert_same_rows, expected, over_arrow
from server import WAREHOUSE

NAMESPACE = 'pyiceberg_files'
TOTALS = 'SELECT origin, count(*), sum(distance) FROM {flights} GROUP BY origin ORDER BY origin'


@pytest.fixture(scope='module')
def catalog():
    catalog = pyiceberg_catalog()
    fresh_namespace(catalog, NAMESPACE)
    return catalog


def month(number: int) -> pa.Table:
    return arrow_table(f'SELECT carrier, origin, flight, distance FROM flights WHERE month = {number}')


def assert_totals(table, condition: str) -> None:
    assert_same_rows(over_arrow(table.scan().to_arrow(), TOTALS), expected(TOTALS.format(flights=f'(SELECT * FROM flights WHERE {condition})')))


def test_add_files():
    """Parquet files that are in a bucket already become a table's, without a copy: vended credentials do not reach them, the caller's own do."""
    catalog = pyiceberg_catalog(own_keys=True)
    namespace = fresh_namespace(catalog, 'pyiceberg_added')
    table = catalog.create_table((namespace, 'added'), schema=month(1).schema)
    paths = [f's3://{WAREHOUSE}/imported/{number}.parquet' for number in [1, 2]]
    for number, path in enumerate(paths, 1):
        with table.io.new_output(path).create(overwrite=True) as output:
            pq.write_table(month(number), output)
    table.add_files(paths)
    assert_totals(catalog.load_table((namespace, 'added')), 'month <= 2')
    assert sorted(table.inspect.files()['file_path'].to_pylist()) == paths
    with pytest.raises(ValueError, match='already referenced'):
        table.add_files(paths[:1])


def test_incremental_reads(catalog):
    table = catalog.create_table((NAMESPACE, 'followed'), schema=month(1).schema)
    snapshots = []
    for number in [1, 2, 3, 4]:
        table.append(month(number))
        snapshots.append(table.current_snapshot().snapshot_id)
    loaded = catalog.load_table((NAMESPACE, 'followed'))
    for first, last in [(0, 1), (0, 3), (2, 3)]:
        scan = loaded.incremental_append_scan(from_snapshot_id_exclusive=snapshots[first], to_snapshot_id_inclusive=snapshots[last])
        wanted = expected(TOTALS.format(flights=f'(SELECT * FROM flights WHERE month > {first + 1} AND month <= {last + 1})'))
        assert_same_rows(over_arrow(scan.to_arrow(), TOTALS), wanted)
    newest = loaded.incremental_append_scan(from_snapshot_id_exclusive=snapshots[2], row_filter=EqualTo('origin', 'JFK'))
    assert newest.to_arrow().num_rows == expected("SELECT count(*) FROM flights WHERE month = 4 AND origin = 'JFK'")[0][0]


def test_partitions_are_replaced(catalog):
    rows = month(1)
    table = catalog.create_table((NAMESPACE, 'replaced'), schema=rows.schema)
    with table.update_spec() as update:
        update.add_field('origin', IdentityTransform(), 'origin')
    table.append(rows)
    table.dynamic_partition_overwrite(month(2).filter(pa.compute.equal(month(2)['origin'], 'JFK')))
    assert_totals(catalog.load_table((NAMESPACE, 'replaced')), "month = 1 AND origin <> 'JFK' OR month = 2 AND origin = 'JFK'")


def test_changes_of_a_branch(catalog):
    table = catalog.create_table((NAMESPACE, 'branched'), schema=month(1).schema)
    table.append(month(1))
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, 'side').commit()
    table.delete(EqualTo('origin', 'JFK'), branch='side')
    table.overwrite(month(2), branch='side', overwrite_filter=EqualTo('origin', 'LGA'))
    loaded = catalog.load_table((NAMESPACE, 'branched'))
    assert_totals(loaded, 'month = 1')
    side = loaded.scan(snapshot_id=loaded.snapshot_by_name('side').snapshot_id).to_arrow()
    assert_same_rows(over_arrow(side, TOTALS), expected(TOTALS.format(flights="(SELECT * FROM flights WHERE month = 1 AND origin = 'EWR' OR month = 2)")))
    loaded.manage_snapshots().remove_branch('side').commit()
    assert set(catalog.load_table((NAMESPACE, 'branched')).refs()) == {'main'}


def test_snapshots_expire(catalog):
    table = catalog.create_table((NAMESPACE, 'expired'), schema=month(1).schema)
    for number in [1, 2, 3]:
        table.append(month(number))
    kept = table.current_snapshot().snapshot_id
    table.maintenance.expire_snapshots().older_than(datetime.datetime.now() + datetime.timedelta(days=1)).commit()
    loaded = catalog.load_table((NAMESPACE, 'expired'))
    assert [snapshot.snapshot_id for snapshot in loaded.snapshots()] == [kept]
    assert_totals(loaded, 'month <= 3')


def test_registered_again(catalog):
    """A dropped table comes back from its metadata file, under another name."""
    table = catalog.create_table((NAMESPACE, 'original'), schema=month(1).schema)
    table.append(month(1))
    location = catalog.load_table((NAMESPACE, 'original')).metadata_location
    catalog.drop_table((NAMESPACE, 'original'))
    catalog.register_table((NAMESPACE, 'registered'), location)
    catalog.rename_table((NAMESPACE, 'registered'), (NAMESPACE, 'renamed'))
    assert_totals(catalog.load_table((NAMESPACE, 'renamed')), 'month = 1')
