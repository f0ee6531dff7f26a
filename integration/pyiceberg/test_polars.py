"""Polars over tables that PyIceberg loads from the catalog."""

import polars as pl
import pytest
from engines_page import block
from lakehouse import fresh_namespace, pyiceberg_catalog
from pyiceberg.expressions import EqualTo
from reference import FLIGHT_QUERIES, arrow_table, assert_same_rows, expected, over_arrow

NAMESPACE = 'polars'
READERS = ['native', 'pyiceberg']


@pytest.fixture(scope='module')
def catalog():
    catalog = pyiceberg_catalog()
    fresh_namespace(catalog, NAMESPACE)
    return catalog


@pytest.fixture(scope='module')
def flights(catalog):
    """The flights, written by Polars in two commits."""
    first, rest = (pl.from_arrow(arrow_table(f'SELECT * FROM flights WHERE month {months}')) for months in ['<= 6', '> 6'])
    table = catalog.create_table((NAMESPACE, 'flights'), schema=first.to_arrow().schema)
    first.write_iceberg(table, mode='append')
    rest.write_iceberg(table, mode='append')
    return catalog.load_table((NAMESPACE, 'flights'))


@pytest.fixture(scope='module')
def documented(catalog):
    """What the block of docs/engines.md defines, with a table for it to write to."""
    people = pl.DataFrame({'id': [1, 2], 'name': ['Ada', 'Grace']}).to_arrow()
    catalog.create_table((NAMESPACE, 'people'), schema=people.schema).append(people)
    names = {'catalog': catalog}
    exec(compile(block('Polars', 'python'), 'docs/engines.md', 'exec'), names)  # noqa: S102 - the page is ours
    return names


@pytest.fixture(scope='module')
def scan(documented):
    """Rows by Polars' own reader, or by PyIceberg's."""
    def scan(table, reader: str, **options) -> pl.LazyFrame:
        return pl.scan_iceberg(table, storage_options=documented['storage_options'] if reader == 'native' else None, reader_override=reader, **options)
    return scan


def test_documented_settings(documented):
    assert documented['people'].sort('id').rows() == [(1, 'Ada'), (2, 'Grace'), (3, 'Barbara')]


@pytest.mark.parametrize('reader', READERS)
def test_results_equal_the_original(scan, flights, reader):
    rows = scan(flights, reader).collect().to_arrow()
    for query in FLIGHT_QUERIES:
        assert_same_rows(over_arrow(rows, query), expected(query.format(flights='flights')))


@pytest.mark.parametrize('reader', READERS)
def test_lazy_queries(scan, flights, reader):
    late = scan(flights, reader).filter((pl.col('origin') == 'JFK') & (pl.col('dep_delay') > 60))
    totals = late.group_by('carrier').agg(pl.len(), pl.col('distance').sum()).sort('carrier').collect().rows()
    assert totals == expected("""
      SELECT carrier, count(*), sum(distance) FROM flights WHERE origin = 'JFK' AND dep_delay > 60 GROUP BY carrier ORDER BY carrier""")


@pytest.mark.parametrize('reader', READERS)
def test_time_travel_and_increments(scan, flights, reader):
    first, second = (snapshot.snapshot_id for snapshot in flights.snapshots())
    for months, rows in [('<= 6', scan(flights, reader, snapshot_id=first)), ('> 6', scan(flights, reader, from_snapshot_id_exclusive=first, to_snapshot_id_inclusive=second))]:
        assert rows.select(pl.len()).collect().item() == expected(f'SELECT count(*) FROM flights WHERE month {months}')[0][0]


def test_overwrite(scan, catalog):
    january, february = (pl.from_arrow(arrow_table(f'SELECT carrier, distance FROM flights WHERE month = {month}')) for month in [1, 2])
    table = catalog.create_table((NAMESPACE, 'replaced'), schema=january.to_arrow().schema)
    january.write_iceberg(table, mode='append')
    february.write_iceberg(table, mode='overwrite')
    assert scan(catalog.load_table((NAMESPACE, 'replaced')), 'native').collect().sort('carrier', 'distance').equals(february.sort('carrier', 'distance'))


def test_deletes_and_an_evolved_schema(scan, catalog):
    january = arrow_table('SELECT carrier, flight, distance FROM flights WHERE month = 1')
    table = catalog.create_table((NAMESPACE, 'changed'), schema=january.schema)
    table.append(january)
    table.delete(EqualTo('carrier', 'UA'))
    with table.update_schema() as update:
        update.rename_column('flight', 'number')
    rows = scan(catalog.load_table((NAMESPACE, 'changed')), 'native').select(pl.len(), pl.col('number').sum()).collect().row(0)
    assert [rows] == expected("SELECT count(*), sum(flight) FROM flights WHERE month = 1 AND carrier <> 'UA'")
