import duckdb
import pyarrow as pa
import pytest
from lakehouse import duckdb_lakehouse, fresh_namespace, pyiceberg_catalog
from pyiceberg.expressions import EqualTo
from reference import (
    FLIGHT_QUERIES, TPCH_TABLES, arrow_table, assert_same_rows, expected, over_arrow, reference, tpch_queries,
)
from server import fresh_bucket, s3_client

NAMESPACE = 'duckdb'
TABLE = f'lh.{NAMESPACE}'


@pytest.fixture(scope='module')
def catalog():
    return pyiceberg_catalog()


@pytest.fixture(scope='module')
def db(catalog):
    fresh_namespace(catalog, NAMESPACE)
    return duckdb_lakehouse()


@pytest.fixture(scope='module')
def flights(db):
    """The flights: CREATE TABLE AS for the first half, INSERT for the rest."""
    db.register('first', arrow_table('SELECT * FROM flights WHERE month <= 6'))
    db.register('rest', arrow_table('SELECT * FROM flights WHERE month > 6'))
    db.execute(f'CREATE TABLE {TABLE}.flights AS SELECT * FROM first')
    db.execute(f'INSERT INTO {TABLE}.flights SELECT * FROM rest')
    return f'{TABLE}.flights'


@pytest.fixture(scope='module')
def tpch(db):
    for name in TPCH_TABLES:
        db.register(f'local_{name}', arrow_table(f'SELECT * FROM {name}'))
        db.execute(f'CREATE TABLE {TABLE}.{name} AS SELECT * FROM local_{name}')
    return NAMESPACE


def test_results_equal_the_original(db, flights):
    for query in FLIGHT_QUERIES:
        assert_same_rows(db.execute(query.format(flights=flights)).fetchall(), expected(query.format(flights='flights')))


def test_tables_are_listed(db, flights):
    assert ('flights',) in db.execute(f"SELECT table_name FROM duckdb_tables() WHERE schema_name = '{NAMESPACE}'").fetchall()


@pytest.mark.parametrize('number, query', tpch_queries(), ids=[f'q{number}' for number, _ in tpch_queries()])
def test_tpch_queries(db, tpch, number, query):
    db.execute(f'USE lh.{tpch}')
    assert_same_rows(db.execute(query).fetchall(), expected(query))


def test_pyiceberg_reads_what_duckdb_wrote(catalog, flights):
    scanned = catalog.load_table((NAMESPACE, 'flights')).scan().to_arrow()
    for query in FLIGHT_QUERIES:
        assert_same_rows(over_arrow(scanned, query), expected(query.format(flights='flights')))


def test_duckdb_reads_what_pyiceberg_wrote(db, catalog):
    rows = arrow_table('SELECT * FROM flights WHERE month = 2')
    table = catalog.create_table((NAMESPACE, 'from_pyiceberg'), schema=rows.schema)
    table.append(rows)
    table.delete(EqualTo('carrier', 'UA'))
    for query in FLIGHT_QUERIES[:2]:
        wanted = expected(query.format(flights="(SELECT * FROM flights WHERE month = 2 AND carrier <> 'UA')"))
        assert_same_rows(db.execute(query.format(flights=f'{TABLE}.from_pyiceberg')).fetchall(), wanted)


def test_update_and_delete(db, catalog):
    """Merge-on-read changes by DuckDB, read by DuckDB and by PyIceberg."""
    db.register('april', arrow_table('SELECT carrier, flight, day, distance FROM flights WHERE month = 4'))
    db.execute(f'CREATE TABLE {TABLE}.changed AS SELECT * FROM april')
    db.execute(f"DELETE FROM {TABLE}.changed WHERE carrier = 'DL'")
    db.execute(f"UPDATE {TABLE}.changed SET distance = distance + 1000 WHERE carrier = 'AA'")
    local = reference().cursor()
    local.execute('CREATE TEMP TABLE changed AS SELECT carrier, flight, day, distance FROM flights WHERE month = 4')
    local.execute("DELETE FROM changed WHERE carrier = 'DL'")
    local.execute("UPDATE changed SET distance = distance + 1000 WHERE carrier = 'AA'")
    query = 'SELECT carrier, count(*), sum(distance), sum(flight) FROM {flights} GROUP BY carrier ORDER BY carrier'
    wanted = local.execute(query.format(flights='changed')).fetchall()
    assert_same_rows(db.execute(query.format(flights=f'{TABLE}.changed')).fetchall(), wanted)
    assert_same_rows(over_arrow(catalog.load_table((NAMESPACE, 'changed')).scan().to_arrow(), query), wanted)


def test_time_travel(db, catalog):
    db.execute(f'CREATE TABLE {TABLE}.travelled (n BIGINT)')
    for number in range(3):
        db.execute(f'INSERT INTO {TABLE}.travelled VALUES ({number})')
    snapshots = catalog.load_table((NAMESPACE, 'travelled')).snapshots()
    assert len(snapshots) == 3
    for count, snapshot in enumerate(snapshots, 1):
        moment = f"TIMESTAMP => make_timestamptz({snapshot.timestamp_ms} * 1000)"
        for point in [f'VERSION => {snapshot.snapshot_id}', moment]:
            rows = db.execute(f'SELECT n FROM {TABLE}.travelled AT ({point}) ORDER BY n').fetchall()
            assert rows == [(number,) for number in range(count)]


def test_a_transaction_is_seen_whole_or_not_at_all(db):
    db.execute(f'CREATE TABLE {TABLE}.atomic (n BIGINT)')
    other = duckdb_lakehouse()
    db.execute('BEGIN')
    db.execute(f'INSERT INTO {TABLE}.atomic VALUES (1)')
    db.execute(f'INSERT INTO {TABLE}.atomic VALUES (2)')
    assert other.execute(f'SELECT count(*) FROM {TABLE}.atomic').fetchone() == (0,)
    db.execute('COMMIT')
    assert other.execute(f'SELECT count(*) FROM {TABLE}.atomic').fetchone() == (2,)
    db.execute('BEGIN')
    db.execute(f'INSERT INTO {TABLE}.atomic VALUES (3)')
    db.execute('ROLLBACK')
    assert other.execute(f'SELECT sum(n) FROM {TABLE}.atomic').fetchone() == (3,)


def test_errors(db):
    with pytest.raises(duckdb.Error, match='(?i)does not exist'):
        db.execute(f'SELECT * FROM {TABLE}.absent')
    db.execute(f'CREATE TABLE {TABLE}.once (n BIGINT)')
    with pytest.raises(duckdb.Error, match='(?i)exists'):
        db.execute(f'CREATE TABLE {TABLE}.once (n BIGINT)')
    db.execute(f'DROP TABLE {TABLE}.once')
    with pytest.raises(duckdb.Error):
        db.execute(f'SELECT * FROM {TABLE}.once')


def test_parquet_files_over_httpfs(db):
    """Plain files: written in multipart, read by range, found by glob (which reads the listing's XML as text)."""
    bucket = fresh_bucket(s3_client(), 'httpfs')
    db.register('all_flights', arrow_table('SELECT * FROM flights'))
    db.execute(f"COPY all_flights TO 's3://{bucket}/flights/all.parquet' (FORMAT parquet)")
    db.execute(f"COPY (SELECT * FROM all_flights) TO 's3://{bucket}/by-month' (FORMAT parquet, PARTITION_BY (month))")
    whole = f"read_parquet('s3://{bucket}/flights/all.parquet')"
    parted = f"read_parquet('s3://{bucket}/by-month/*/*.parquet', hive_partitioning = true)"
    for source in [whole, parted]:
        for query in FLIGHT_QUERIES[:3]:
            assert_same_rows(db.execute(query.format(flights=source)).fetchall(), expected(query.format(flights='flights')))
    found = db.execute(f"SELECT file FROM glob('s3://{bucket}/by-month/month=1*/*.parquet')").fetchall()
    assert len(found) >= 4
    db.execute(f"COPY (SELECT 1 AS a) TO 's3://{bucket}/one line.csv' (FORMAT csv)")
    assert db.execute(f"SELECT a FROM 's3://{bucket}/one line.csv'").fetchall() == [(1,)]


def test_arrow_type_coverage(db, catalog):
    """One row of every type that both DuckDB and PyIceberg write."""
    db.execute(f"""CREATE TABLE {TABLE}.typed AS SELECT
      true AS flag, 7::INTEGER AS small, 9223372036854775807::BIGINT AS big, 1.5::FLOAT AS single, 2.25::DOUBLE AS double,
      12345678901234567890.123456789::DECIMAL(38, 9) AS exact, DATE '2013-01-01' AS day, TIMESTAMP '2013-01-01 10:00:00.123456' AS moment,
      TIMESTAMPTZ '2013-01-01 10:00:00Z' AS instant, 'naïve \U0001f600' AS text, '\\x00\\xff'::BLOB AS bytes,
      [1, 2, 3] AS numbers, {{'a': 1, 'b': 'two'}} AS record""")
    (mine,) = db.execute(f'SELECT * FROM {TABLE}.typed').fetchall()
    scanned = catalog.load_table((NAMESPACE, 'typed')).scan().to_arrow()
    assert isinstance(scanned, pa.Table)
    (theirs,) = over_arrow(scanned, 'SELECT * FROM {flights}')
    assert mine == theirs
    assert mine[2] == 9223372036854775807
