"""Spark with Iceberg 1.11 through the catalog. The tests marked `subset` run with Spark 4.0 too, the others with 4.1 only."""

import threading

import pyarrow as pa
import pytest
from changes import NAMESPACE, TABLE, TOTALS, change, changed_reference, rows_of
from lakehouse import duckdb_lakehouse
from reference import FLIGHT_QUERIES, FLIGHTS, arrow_table, assert_same_rows, expected, over_arrow, tpch_queries

SUBSET_OF_TPCH = {1, 5, 9, 13, 18}


@pytest.mark.subset
def test_results_equal_the_original(spark, flights):
    for query in FLIGHT_QUERIES:
        assert_same_rows(rows_of(spark, query.format(flights=flights)), expected(query.format(flights='flights')))


@pytest.mark.subset
def test_pyiceberg_and_duckdb_read_what_spark_wrote(catalog, flights):
    scanned = catalog.load_table((NAMESPACE, 'flights')).scan().to_arrow()
    db = duckdb_lakehouse()
    for query in FLIGHT_QUERIES:
        wanted = expected(query.format(flights='flights'))
        assert_same_rows(over_arrow(scanned, query), wanted)
        assert_same_rows(db.execute(query.format(flights=flights)).fetchall(), wanted)


def tpch_parameters():
    for number, query in tpch_queries():
        yield pytest.param(number, query, id=f'q{number}', marks=[pytest.mark.subset] if number in SUBSET_OF_TPCH else [])


@pytest.mark.parametrize('number, query', tpch_parameters())
def test_tpch_queries(spark, tpch, number, query):
    spark.sql(f'USE {TABLE}')
    assert_same_rows(rows_of(spark, query), expected(query))


@pytest.mark.subset
@pytest.mark.parametrize('mode', ['copy-on-write', 'merge-on-read'])
def test_delete_update_and_merge(spark, catalog, flights, mode):
    name = f'changed_{mode.replace("-", "_")}'
    modes = ', '.join(f"'write.{operation}.mode' = '{mode}'" for operation in ['delete', 'update', 'merge'])
    change(spark, flights, f'{TABLE}.{name}', f"{modes}, 'format-version' = '2'")
    wanted = changed_reference()
    assert_same_rows(rows_of(spark, TOTALS.format(flights=f'{TABLE}.{name}')), wanted)
    assert_same_rows(duckdb_lakehouse().execute(TOTALS.format(flights=f'{TABLE}.{name}')).fetchall(), wanted)
    assert_same_rows(over_arrow(catalog.load_table((NAMESPACE, name)).scan().to_arrow(), TOTALS), wanted)


@pytest.mark.subset
def test_deletion_vectors(spark, flights):
    """Format version 3: row lineage and deletion vectors."""
    modes = ', '.join(f"'write.{operation}.mode' = 'merge-on-read'" for operation in ['delete', 'update', 'merge'])
    change(spark, flights, f'{TABLE}.changed_v3', f"{modes}, 'format-version' = '3'")
    wanted = changed_reference()
    assert_same_rows(rows_of(spark, TOTALS.format(flights=f'{TABLE}.changed_v3')), wanted)
    formats = spark.sql(f'SELECT DISTINCT file_format FROM {TABLE}.changed_v3.delete_files').collect()
    assert [row[0] for row in formats] == ['PUFFIN']
    ids = f'SELECT count(*), count(DISTINCT _row_id), max(_last_updated_sequence_number) FROM {TABLE}.changed_v3'
    (rows, distinct, newest), = rows_of(spark, ids)
    # The rows were written by the first commit, changed by the third and the fourth.
    assert rows == distinct == sum(row[1] for row in wanted) and newest == 4
    assert_same_rows(duckdb_lakehouse().execute(TOTALS.format(flights=f'{TABLE}.changed_v3')).fetchall(), wanted)


def test_variant_columns(spark):
    table = f'{TABLE}.variants'
    spark.sql(f"CREATE TABLE {table} (id BIGINT, seen VARIANT) USING iceberg TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read')")
    spark.sql(f"""INSERT INTO {table} SELECT id, parse_json(text) FROM VALUES (1, '{{"origin": "JFK", "delay": 12.5}}'), (2, '[1, "two", null]'), (3, NULL) AS rows(id, text)""")
    spark.sql(f'DELETE FROM {table} WHERE id = 3')
    spark.sql(f"""INSERT INTO {table} SELECT 4, parse_json('{{"origin": "EWR"}}')""")
    read = f"SELECT id, variant_get(seen, '$.origin', 'string'), variant_get(seen, '$.delay', 'double'), variant_get(seen, '$[1]', 'string') FROM {table} ORDER BY id"
    assert rows_of(spark, read) == [(1, 'JFK', 12.5, None), (2, None, None, 'two'), (4, 'EWR', None, None)]


def test_types_of_version_3_are_kept(spark):
    """Spark has no SQL for most of them: its Iceberg library creates, changes and loads the table."""
    iceberg, catalog = spark._jvm.org.apache.iceberg, spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergCatalog(spark._jsparkSession, 'lh')
    types = iceberg.types.Types
    kinds = [types.VariantType.get(), types.GeometryType.crs84(), types.GeometryType.of('EPSG:3857'), types.GeographyType.crs84(), types.UnknownType.get(),
             types.TimestampNanoType.withZone(), types.TimestampNanoType.withoutZone()]
    columns = spark._jvm.java.util.ArrayList([types.NestedField.optional(index + 1, f'c{index}', kind) for index, kind in enumerate(kinds)])
    name = iceberg.catalog.TableIdentifier.parse(f'{NAMESPACE}.version_3')
    made = catalog.createTable(name, iceberg.Schema(columns), iceberg.PartitionSpec.unpartitioned(), {'format-version': '3'})
    made.updateSchema().addColumn('note', types.StringType.get(), None, iceberg.expressions.Expressions.lit('none')).commit()
    loaded = catalog.loadTable(name)
    assert [loaded.schema().findType(f'c{index}').toString() for index in range(len(kinds))] == [kind.toString() for kind in kinds]
    assert loaded.schema().findField('note').initialDefault() == 'none' and loaded.operations().current().formatVersion() == 3
    catalog.dropTable(name)


def test_spark_reads_what_pyiceberg_and_duckdb_wrote(spark, catalog):
    rows = arrow_table('SELECT * FROM flights')
    catalog.create_table((NAMESPACE, 'from_pyiceberg'), schema=rows.schema).append(rows)
    db = duckdb_lakehouse()
    db.register('original', rows)
    db.execute(f'CREATE TABLE {TABLE}.from_duckdb AS SELECT * FROM original')
    db.execute(f"DELETE FROM {TABLE}.from_duckdb WHERE carrier = 'UA'")
    for query in FLIGHT_QUERIES:
        assert_same_rows(rows_of(spark, query.format(flights=f'{TABLE}.from_pyiceberg')), expected(query.format(flights='flights')))
        wanted = expected(query.format(flights="(SELECT * FROM flights WHERE carrier <> 'UA')"))
        assert_same_rows(rows_of(spark, query.format(flights=f'{TABLE}.from_duckdb')), wanted)


def test_three_engines_append_to_one_table(spark, catalog):
    spark.sql(f'CREATE TABLE {TABLE}.shared (engine STRING, n BIGINT) USING iceberg')
    spark.sql(f"INSERT INTO {TABLE}.shared VALUES ('spark', 1)")
    catalog.load_table((NAMESPACE, 'shared')).append(pa.table({'engine': ['pyiceberg'], 'n': pa.array([2], pa.int64())}))
    db = duckdb_lakehouse()
    db.execute(f"INSERT INTO {TABLE}.shared VALUES ('duckdb', 3)")
    spark.sql(f'REFRESH TABLE {TABLE}.shared')
    wanted = [('duckdb', 3), ('pyiceberg', 2), ('spark', 1)]
    query = f'SELECT engine, n FROM {TABLE}.shared ORDER BY engine'
    assert rows_of(spark, query) == wanted
    assert db.execute(query).fetchall() == wanted
    assert over_arrow(catalog.load_table((NAMESPACE, 'shared')).scan().to_arrow(), 'SELECT * FROM {flights} ORDER BY engine') == wanted


@pytest.mark.subset
def test_concurrent_writers_retry_and_lose_nothing(spark, catalog):
    table = f'{TABLE}.raced'
    spark.sql(f"CREATE TABLE {table} (writer INT, n INT) USING iceberg TBLPROPERTIES ('commit.retry.num-retries' = '50', 'commit.retry.min-wait-ms' = '10')")
    failures = []

    def write(writer: int) -> None:
        try:
            for number in range(5):
                spark.sql(f'INSERT INTO {table} VALUES ({writer}, {number})')
        except Exception as error:  # noqa: BLE001 - reported by the assertion below, from the main thread
            failures.append(error)
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = catalog.load_table((NAMESPACE, 'raced')).scan().to_arrow()
    assert sorted(zip(rows['writer'].to_pylist(), rows['n'].to_pylist())) == [(w, n) for w in range(4) for n in range(5)]


def test_conflicting_updates_are_refused(spark):
    """Of updates of one row at once, those that are acknowledged were all made; the others say that they were not."""
    table = f'{TABLE}.counter'
    spark.sql(f'CREATE TABLE {table} (n INT) USING iceberg')
    spark.sql(f'INSERT INTO {table} VALUES (0)')
    outcomes = []

    def count() -> None:
        for _ in range(4):
            try:
                spark.sql(f'UPDATE {table} SET n = n + 1')
                outcomes.append('acknowledged')
            except Exception as error:  # noqa: BLE001 - judged by the assertions below, from the main thread
                outcomes.append(str(error))
    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = outcomes.count('acknowledged')
    assert made > 0 and len(outcomes) == 12
    assert all('conflicting files' in outcome or 'Missing required files to delete' in outcome for outcome in outcomes if outcome != 'acknowledged'), outcomes
    spark.sql(f'REFRESH TABLE {table}')
    assert rows_of(spark, f'SELECT n FROM {table}') == [(made,)]


def test_create_or_replace_and_drop(spark, flights):
    spark.sql(f'CREATE TABLE {TABLE}.replaced USING iceberg AS SELECT 1 AS n')
    spark.sql(f'CREATE OR REPLACE TABLE {TABLE}.replaced USING iceberg AS SELECT flight FROM {flights}')
    assert rows_of(spark, f'SELECT count(*) FROM {TABLE}.replaced') == [(FLIGHTS,)]
    assert ('replaced',) in [(row['tableName'],) for row in spark.sql(f'SHOW TABLES IN {TABLE}').collect()]
    spark.sql(f'DROP TABLE {TABLE}.replaced')
    assert not spark.catalog.tableExists(f'{TABLE}.replaced')
