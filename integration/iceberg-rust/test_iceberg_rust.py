"""iceberg-rust 0.10 through the catalog, by the program beside this file; what it writes is read by PyIceberg and DuckDB."""

import os
import subprocess

import pytest
from lakehouse import duckdb_lakehouse, fresh_namespace, pyiceberg_catalog
from reference import FLIGHT_QUERIES, arrow_table, assert_same_rows, expected, over_arrow

NAMESPACE = 'rust'
DEADLINE_SECONDS = 120


def run(*arguments: str) -> list[tuple[int, ...]]:
    """The numbers that a scenario prints, line by line; it must succeed."""
    done = subprocess.run([os.environ['TEST_PROGRAM'], *arguments], capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]


@pytest.fixture(scope='module')
def catalog():
    return pyiceberg_catalog()


@pytest.fixture(scope='module')
def source(catalog):
    """The original data, in a table that PyIceberg wrote."""
    rows = arrow_table('SELECT * FROM flights')
    catalog.create_table((fresh_namespace(catalog, NAMESPACE), 'source'), schema=rows.schema).append(rows)
    return f'{NAMESPACE}.source'


@pytest.fixture(scope='module')
def copied(source):
    """What iceberg-rust read from PyIceberg's table, appended to a table of its own in two commits."""
    run('copy', source, f'{NAMESPACE}.flights')
    return f'{NAMESPACE}.flights'


def test_namespaces():
    run('namespaces')


def test_others_read_what_it_wrote(catalog, copied):
    scanned = catalog.load_table(copied).scan().to_arrow()
    db = duckdb_lakehouse()
    for query in FLIGHT_QUERIES:
        wanted = expected(query.format(flights='flights'))
        assert_same_rows(over_arrow(scanned, query), wanted)
        assert_same_rows(db.execute(query.format(flights=f'lh.{copied}')).fetchall(), wanted)


def test_scans_and_time_travel(copied):
    totals = 'SELECT count(*), sum(distance) FROM flights'
    assert run('totals', copied) == [*expected(totals), *expected(f'{totals} WHERE month <= 6')]


def test_it_reads_position_deletes(copied):
    """Those of DuckDB."""
    db = duckdb_lakehouse()
    db.execute(f'CREATE TABLE lh.{NAMESPACE}.thinned AS SELECT carrier, distance FROM lh.{copied} WHERE month = 1')
    db.execute(f"DELETE FROM lh.{NAMESPACE}.thinned WHERE carrier = 'UA'")
    now, before = run('totals', f'{NAMESPACE}.thinned')
    totals = 'SELECT count(*), sum(distance) FROM flights WHERE month = 1'
    assert ([now], [before]) == (expected(f"{totals} AND carrier <> 'UA'"), expected(totals))


def test_concurrent_appends_lose_nothing(catalog, copied):
    run('race', f'{NAMESPACE}.raced', '4', '5')
    rows = catalog.load_table((NAMESPACE, 'raced')).scan().to_arrow()
    assert sorted(zip(rows['writer'].to_pylist(), rows['n'].to_pylist())) == [(w, n) for w in range(4) for n in range(5)]


def test_evolution_conflicts_and_names(catalog, source):
    """One table through its life: new columns, expired snapshots, a stale change, another name, registration, its end."""
    rows = arrow_table('SELECT carrier, flight FROM flights WHERE month = 1')
    name = f'{NAMESPACE}.changed'
    table = catalog.create_table(name, schema=rows.schema)
    table.append(rows)
    table.append(rows)
    run('evolve', name)
    run('conflict', name)
    loaded = catalog.load_table(name)
    assert [field.name for field in loaded.schema().fields] == ['carrier', 'flight', 'note', 'first', 'second']
    assert loaded.scan().to_arrow().num_rows == 2 * rows.num_rows
    run('names', name)
    assert not catalog.table_exists(name)
