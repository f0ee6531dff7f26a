"""TPC-H through DuckDB after changes to several tables in one transaction, against the same changes made to the original."""

import duckdb
import pytest
from lakehouse import duckdb_lakehouse, fresh_namespace, pyiceberg_catalog
from reference import TPCH_TABLES, arrow_table, assert_same_rows, reference, tpch_queries

NAMESPACE = 'tpch'

# TPC-H's refresh functions: new orders with their lines, old orders gone with theirs; and a change of prices.
NEW_ORDERS = """
  INSERT INTO {schema}.orders SELECT * REPLACE (o_orderkey + 10_000_000 AS o_orderkey) FROM {source}.orders WHERE o_orderkey % 50 = 1;
  INSERT INTO {schema}.lineitem SELECT * REPLACE (l_orderkey + 10_000_000 AS l_orderkey) FROM {source}.lineitem WHERE l_orderkey % 50 = 1;
"""
OLD_ORDERS = """
  DELETE FROM {schema}.lineitem WHERE l_orderkey % 50 = 2;
  DELETE FROM {schema}.orders WHERE o_orderkey % 50 = 2;
"""
NEW_PRICES = """
  UPDATE {schema}.partsupp SET ps_supplycost = ps_supplycost + 1 WHERE ps_suppkey % 10 = 3;
  UPDATE {schema}.supplier SET s_acctbal = s_acctbal - 10 WHERE s_suppkey % 10 = 3;
"""
CHANGES = [NEW_ORDERS, OLD_ORDERS, NEW_PRICES]
CHANGED = ['orders', 'lineitem', 'partsupp', 'supplier']


@pytest.fixture(scope='module')
def catalog():
    return pyiceberg_catalog()


def snapshots(catalog) -> dict[str, int]:
    return {name: catalog.load_table((NAMESPACE, name)).current_snapshot().snapshot_id for name in TPCH_TABLES}


@pytest.fixture(scope='module')
def db(catalog):
    fresh_namespace(catalog, NAMESPACE)
    connection = duckdb_lakehouse()
    connection.execute('CREATE SCHEMA original')
    for name in TPCH_TABLES:
        connection.register('rows', arrow_table(f'SELECT * FROM {name}'))
        connection.execute(f'CREATE TABLE original.{name} AS SELECT * FROM rows')
        connection.execute(f'CREATE TABLE lh.{NAMESPACE}.{name} AS SELECT * FROM rows')
        connection.unregister('rows')
    return connection


@pytest.fixture(scope='module')
def before(db, catalog):
    """The snapshots of the tables before any change."""
    return snapshots(catalog)


@pytest.fixture(scope='module')
def refreshed(db, before):
    """Each change is one transaction over two tables."""
    for change in CHANGES:
        db.execute('BEGIN')
        db.execute(change.format(schema=f'lh.{NAMESPACE}', source='memory.original'))
        db.execute('COMMIT')
    return f'lh.{NAMESPACE}'


@pytest.fixture(scope='module')
def wanted():
    """The original, changed in the same way."""
    cursor = reference().cursor()
    cursor.execute('CREATE SCHEMA refreshed')
    for name in TPCH_TABLES:
        cursor.execute(f'CREATE TABLE refreshed.{name} AS SELECT * FROM main.{name}')
    for change in CHANGES:
        cursor.execute(change.format(schema='refreshed', source='main'))
    cursor.execute('USE refreshed')
    return cursor


@pytest.mark.parametrize('number, query', tpch_queries(), ids=[f'q{number}' for number, _ in tpch_queries()])
def test_queries_after_the_changes(db, refreshed, wanted, number, query):
    db.execute(f'USE {refreshed}')
    assert_same_rows(db.execute(query).fetchall(), wanted.execute(query).fetchall())


def differing(db, left: str, right: str) -> int:
    """How many rows are in one of two queries' results and not in the other's."""
    (count,) = db.execute(f'SELECT count(*) FROM (({left} EXCEPT ALL {right}) UNION ALL ({right} EXCEPT ALL {left}))').fetchone()
    return count


def test_every_row_of_the_changed_tables(db, refreshed, wanted):
    for name in CHANGED:
        db.register('changed_original', wanted.sql(f'SELECT * FROM refreshed.{name}').to_arrow_table())
        assert differing(db, f'SELECT * FROM {refreshed}.{name}', 'SELECT * FROM changed_original') == 0


def test_the_snapshots_before_are_still_there(db, before, refreshed):
    for name in CHANGED:
        earlier = f'SELECT * FROM {refreshed}.{name} AT (VERSION => {before[name]})'
        assert differing(db, earlier, f'SELECT * FROM memory.original.{name}') == 0


def test_pyiceberg_reads_the_changed_tables(catalog, refreshed, wanted):
    for name in ['orders', 'partsupp', 'supplier']:
        wanted.register('scanned', catalog.load_table((NAMESPACE, name)).scan().to_arrow())
        assert differing(wanted, 'SELECT * FROM scanned', f'SELECT * FROM refreshed.{name}') == 0


def test_a_rolled_back_transaction_changes_no_table(db, catalog, refreshed):
    earlier = snapshots(catalog)
    db.execute('BEGIN')
    db.execute(NEW_PRICES.format(schema=refreshed))
    db.execute('ROLLBACK')
    assert snapshots(catalog) == earlier


def test_a_transaction_that_loses_one_table_changes_none(db, catalog, refreshed):
    """Two sessions update the same rows of `supplier`; the second one's change of `region` must not come through alone."""
    other = duckdb_lakehouse()
    other.execute('BEGIN')
    other.execute(f"INSERT INTO {refreshed}.region VALUES (5, 'ATLANTIS', 'sunken')")
    other.execute(f'UPDATE {refreshed}.supplier SET s_acctbal = 0 WHERE s_suppkey = 1')
    db.execute(f'UPDATE {refreshed}.supplier SET s_acctbal = 1 WHERE s_suppkey = 1')
    earlier = snapshots(catalog)
    with pytest.raises(duckdb.Error):
        other.execute('COMMIT')
    assert snapshots(catalog) == earlier
    fresh = duckdb_lakehouse()
    assert fresh.execute(f'SELECT s_acctbal FROM {refreshed}.supplier WHERE s_suppkey = 1').fetchall()[0][0] == 1
    assert fresh.execute(f'SELECT count(*) FROM {refreshed}.region').fetchone() == (5,)
