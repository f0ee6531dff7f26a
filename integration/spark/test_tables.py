"""What a table goes through after its rows: evolution, snapshots and their names, maintenance, metadata tables; and views."""

import datetime

import pytest
from changes import NAMESPACE, TABLE, rows_of
from pyspark.errors import AnalysisException
from reference import assert_same_rows, expected
from server import s3_client


@pytest.mark.subset
def test_evolution_of_schemas(spark):
    table = f'{TABLE}.evolved'
    spark.sql(f'CREATE TABLE {table} (id BIGINT, name STRING, score INT, place STRUCT<city: STRING>) USING iceberg')
    spark.sql(f"INSERT INTO {table} VALUES (1, 'one', 10, struct('Paris')), (2, 'two', 20, struct('Rome'))")
    spark.sql(f'ALTER TABLE {table} ADD COLUMN note STRING AFTER name')
    spark.sql(f'ALTER TABLE {table} ADD COLUMN place.country STRING')
    spark.sql(f'ALTER TABLE {table} RENAME COLUMN name TO label')
    spark.sql(f'ALTER TABLE {table} ALTER COLUMN score TYPE BIGINT')
    spark.sql(f'ALTER TABLE {table} ALTER COLUMN note FIRST')
    spark.sql(f"INSERT INTO {table} (id, label, note, score, place) VALUES (3, 'three', 'new', 5000000000, struct('Bonn', 'DE'))")
    assert rows_of(spark, f'SELECT id, label, note, score, place.city, place.country FROM {table} ORDER BY id') == [
        (1, 'one', None, 10, 'Paris', None), (2, 'two', None, 20, 'Rome', None), (3, 'three', 'new', 5_000_000_000, 'Bonn', 'DE')]
    spark.sql(f'ALTER TABLE {table} DROP COLUMN note')
    spark.sql(f'ALTER TABLE {table} ADD COLUMN note STRING')
    # A column of a dropped one's name is another column.
    assert rows_of(spark, f'SELECT count(note) FROM {table}') == [(0,)]
    assert spark.table(table).columns == ['id', 'label', 'score', 'place', 'note']


@pytest.mark.subset
def test_evolution_of_partitions(spark, flights):
    table = f'{TABLE}.repartitioned'
    spark.sql(f'CREATE TABLE {table} USING iceberg PARTITIONED BY (carrier) AS SELECT carrier, origin, flight, time_hour FROM {flights} WHERE month = 1')
    spark.sql(f'ALTER TABLE {table} DROP PARTITION FIELD carrier')
    spark.sql(f'ALTER TABLE {table} ADD PARTITION FIELD months(time_hour)')
    spark.sql(f'INSERT INTO {table} SELECT carrier, origin, flight, time_hour FROM {flights} WHERE month = 2')
    spark.sql(f'ALTER TABLE {table} REPLACE PARTITION FIELD months(time_hour) WITH truncate(1, origin) AS initial')
    spark.sql(f'ALTER TABLE {table} WRITE ORDERED BY flight')
    spark.sql(f'INSERT INTO {table} SELECT carrier, origin, flight, time_hour FROM {flights} WHERE month = 3')
    assert spark.sql(f'SELECT DISTINCT spec_id FROM {table}.files').count() == 3
    totals = 'SELECT carrier, origin, count(*), sum(flight) FROM {flights} {where} GROUP BY carrier, origin ORDER BY carrier, origin'
    assert_same_rows(rows_of(spark, totals.format(flights=table, where='')), expected(totals.format(flights='flights', where='WHERE month <= 3')))
    alone = "WHERE carrier = 'UA' AND origin = 'EWR'"
    wanted = expected(totals.format(flights='flights', where=f'{alone} AND month <= 3'))
    assert_same_rows(rows_of(spark, totals.format(flights=table, where=alone)), wanted)


@pytest.mark.subset
def test_time_travel(spark):
    table = f'{TABLE}.travelled'
    spark.sql(f'CREATE TABLE {table} (n BIGINT) USING iceberg')
    for number in range(3):
        spark.sql(f'INSERT INTO {table} VALUES ({number})')
    snapshots = spark.sql(f'SELECT snapshot_id, committed_at FROM {table}.snapshots ORDER BY committed_at').collect()
    for count, (snapshot, _) in enumerate(snapshots, 1):
        assert rows_of(spark, f'SELECT count(*) FROM {table} VERSION AS OF {snapshot}') == [(count,)]
    moment = snapshots[1]['committed_at'] + datetime.timedelta(milliseconds=1)
    # collect() gives local times.
    text = moment.astimezone(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M:%S.%f')
    assert rows_of(spark, f"SELECT count(*) FROM {table} TIMESTAMP AS OF '{text}'") == [(2,)]
    changes = spark.read.format('iceberg').option('start-snapshot-id', snapshots[0][0]).load(table)
    assert sorted(row['n'] for row in changes.collect()) == [1, 2]
    spark.sql(f"CALL lh.system.rollback_to_snapshot('{NAMESPACE}.travelled', {snapshots[0][0]})")
    assert rows_of(spark, f'SELECT n FROM {table}') == [(0,)]


@pytest.mark.subset
def test_branches_and_tags(spark):
    table = f'{TABLE}.referenced'
    spark.sql(f'CREATE TABLE {table} (n BIGINT) USING iceberg')
    spark.sql(f'INSERT INTO {table} VALUES (1)')
    spark.sql(f'ALTER TABLE {table} CREATE TAG released RETAIN 10 DAYS')
    spark.sql(f'ALTER TABLE {table} CREATE BRANCH side RETAIN 5 DAYS WITH SNAPSHOT RETENTION 3 SNAPSHOTS')
    spark.sql(f'INSERT INTO {table}.branch_side VALUES (2)')
    spark.sql(f'DELETE FROM {table}.branch_side WHERE n = 1')

    def rows(name: str) -> list[tuple]:
        return rows_of(spark, f"SELECT n FROM {table} VERSION AS OF '{name}' ORDER BY n")
    assert [rows(name) for name in ['main', 'side', 'released']] == [[(1,)], [(2,)], [(1,)]]
    spark.sql(f"CALL lh.system.fast_forward('{NAMESPACE}.referenced', 'main', 'side')")
    assert rows('main') == [(2,)]
    kinds = rows_of(spark, f'SELECT name, type, max_reference_age_in_ms, min_snapshots_to_keep FROM {table}.refs ORDER BY name')
    day = 86_400_000
    assert kinds == [('main', 'BRANCH', None, None), ('released', 'TAG', 10 * day, None), ('side', 'BRANCH', 5 * day, 3)]
    spark.sql(f'ALTER TABLE {table} DROP BRANCH side')
    spark.sql(f'ALTER TABLE {table} DROP TAG released')
    assert rows_of(spark, f'SELECT name FROM {table}.refs') == [('main',)]


@pytest.mark.subset
def test_write_audit_publish(spark):
    table = f'{TABLE}.audited'
    spark.sql(f"CREATE TABLE {table} (n BIGINT) USING iceberg TBLPROPERTIES ('write.wap.enabled' = 'true')")
    spark.conf.set('spark.wap.id', 'audit-1')
    spark.sql(f'INSERT INTO {table} VALUES (1)')
    spark.conf.unset('spark.wap.id')
    assert rows_of(spark, f'SELECT n FROM {table}') == []
    spark.sql(f"CALL lh.system.publish_changes('{NAMESPACE}.audited', 'audit-1')")
    spark.sql(f'REFRESH TABLE {table}')
    assert rows_of(spark, f'SELECT n FROM {table}') == [(1,)]


@pytest.mark.subset
def test_maintenance(spark, catalog):
    table = f'{TABLE}.maintained'
    spark.sql(f"""CREATE TABLE {table} (n BIGINT, half BOOLEAN) USING iceberg PARTITIONED BY (half)
      TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'commit.manifest-merge.enabled' = 'false')""")
    for number in range(6):
        spark.sql(f'INSERT INTO {table} SELECT id * 10 + {number}, id < 5 FROM range(10)')
    spark.sql(f'DELETE FROM {table} WHERE n % 10 = 3')

    def count(of: str) -> int:
        return spark.sql(f'SELECT * FROM {table}.{of}').count()
    assert count('delete_files') > 1
    (rewritten,) = spark.sql(f"CALL lh.system.rewrite_position_delete_files(table => '{NAMESPACE}.maintained', options => map('rewrite-all', 'true'))").collect()
    assert rewritten['rewritten_delete_files_count'] > 1
    (rewritten,) = spark.sql(f"CALL lh.system.rewrite_data_files(table => '{NAMESPACE}.maintained', options => map('rewrite-all', 'true'))").collect()
    assert rewritten['rewritten_data_files_count'] >= 10
    assert count('data_files') == 2
    spark.sql(f"CALL lh.system.rewrite_data_files(table => '{NAMESPACE}.maintained', strategy => 'sort', sort_order => 'n DESC', options => map('rewrite-all', 'true'))")
    spark.sql(f'INSERT INTO {table} VALUES (1000, true)')
    before = count('manifests')
    (rewritten,) = spark.sql(f"CALL lh.system.rewrite_manifests('{NAMESPACE}.maintained')").collect()
    assert rewritten['rewritten_manifests_count'] > 1 and count('manifests') < before
    (expired,) = spark.sql(f"""CALL lh.system.expire_snapshots(table => '{NAMESPACE}.maintained',
      older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)""").collect()
    assert expired['deleted_data_files_count'] >= 12 and expired['deleted_manifest_lists_count'] >= 8
    assert count('snapshots') == 1
    wanted = sorted([*(tens * 10 + number for number in range(6) if number != 3 for tens in range(10)), 1000])
    assert sorted(catalog.load_table((NAMESPACE, 'maintained')).scan().to_arrow()['n'].to_pylist()) == wanted
    assert [row[0] for row in rows_of(spark, f'SELECT n FROM {table} ORDER BY n')] == wanted


@pytest.mark.subset
def test_remove_orphan_files(spark, catalog):
    """The procedure refuses files younger than a day, so what S3 lists is handed to it with older times."""
    table = f'{TABLE}.orphaned'
    spark.sql(f'CREATE TABLE {table} (n BIGINT) USING iceberg')
    spark.sql(f'INSERT INTO {table} VALUES (1)')
    location = catalog.load_table((NAMESPACE, 'orphaned')).location()
    bucket, prefix = location.removeprefix('s3://').split('/', 1)
    s3 = s3_client()
    s3.put_object(Bucket=bucket, Key=f'{prefix}/data/orphan.parquet', Body=b'nobody refers to this')

    def keys() -> set[str]:
        return {entry['Key'] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f'{prefix}/')['Contents']}
    listed = keys()
    long_ago = datetime.datetime(2020, 1, 1)
    spark.createDataFrame([(f's3://{bucket}/{key}', long_ago) for key in listed], ['file_path', 'last_modified']).createOrReplaceTempView('listed')
    removed = spark.sql(f"CALL lh.system.remove_orphan_files(table => '{NAMESPACE}.orphaned', file_list_view => 'listed')").collect()
    assert [row[0] for row in removed] == [f'{location}/data/orphan.parquet']
    assert keys() == listed - {f'{prefix}/data/orphan.parquet'}
    # The same over the listing that Iceberg makes of the table's location, where nothing is old enough.
    (call,) = [f"CALL lh.system.remove_orphan_files(table => '{NAMESPACE}.orphaned', prefix_listing => true)"]
    assert spark.sql(call).collect() == []
    assert rows_of(spark, f'SELECT n FROM {table}') == [(1,)]


@pytest.mark.subset
def test_metadata_tables(spark):
    table = f'{TABLE}.inspected'
    spark.sql(f'CREATE TABLE {table} (n BIGINT, part STRING) USING iceberg PARTITIONED BY (part)')
    spark.sql(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')")
    spark.sql(f"INSERT OVERWRITE {table} VALUES (3, 'a')")

    def rows(query: str) -> list[tuple]:
        return rows_of(spark, query.replace('{t}', table))
    assert rows('SELECT count(*), count(DISTINCT snapshot_id), bool_and(is_current_ancestor) FROM {t}.history') == [(2, 2, True)]
    assert rows('SELECT operation FROM {t}.snapshots ORDER BY committed_at') == [('append',), ('overwrite',)]
    assert rows('SELECT count(*), max(latest_sequence_number) FROM {t}.metadata_log_entries') == [(3, 2)]
    assert rows('SELECT partition.part, record_count FROM {t}.partitions ORDER BY 1') == [('a', 1)]
    assert rows('SELECT content, record_count FROM {t}.files ORDER BY ALL') == [(0, 1)]
    assert rows('SELECT count(*) FROM {t}.all_data_files') == [(3,)]
    assert rows('SELECT status, count(*) FROM {t}.entries GROUP BY status ORDER BY status') == [(1, 1), (2, 2)]
    assert rows('SELECT count(*) > 0, sum(added_data_files_count) FROM {t}.manifests') == [(True, 1)]
    for name in ['all_entries', 'all_files', 'all_manifests', 'data_files', 'delete_files', 'refs', 'position_deletes']:
        assert rows(f'SELECT count(*) >= 0 FROM {{t}}.{name}') == [(True,)]
    assert rows('SELECT n, _spec_id, _partition.part FROM {t}') == [(3, 0, 'a')]


@pytest.mark.subset
def test_views(spark, catalog, flights):
    view = f'{TABLE}.late'
    late = 'SELECT carrier, count(*) AS n FROM {flights} WHERE dep_delay > {delay} GROUP BY carrier'
    spark.sql(f"CREATE VIEW {view} (carrier COMMENT 'the airline', n) COMMENT 'by an hour' AS {late.format(flights=flights, delay=60)}")
    ordered = 'SELECT carrier, n FROM {view} ORDER BY carrier'
    wanted = expected(ordered.format(view=f"({late.format(flights='flights', delay=60)})"))
    assert_same_rows(rows_of(spark, ordered.format(view=view)), wanted)
    assert (NAMESPACE, 'late') in catalog.list_views(NAMESPACE)
    assert 'late' in [row['viewName'] for row in spark.sql(f'SHOW VIEWS IN {TABLE}').collect()]
    spark.sql(f'CREATE OR REPLACE VIEW {view} AS {late.format(flights=flights, delay=120)}')
    assert_same_rows(rows_of(spark, ordered.format(view=view)), expected(ordered.format(view=f"({late.format(flights='flights', delay=120)})")))
    spark.sql(f"ALTER VIEW {view} SET TBLPROPERTIES ('team' = 'integration')")
    assert ('team', 'integration') in [tuple(row) for row in spark.sql(f'SHOW TBLPROPERTIES {view}').collect()]
    spark.sql(f'ALTER VIEW {view} RENAME TO {TABLE}.very_late')
    with pytest.raises(AnalysisException):
        spark.sql(f'CREATE TABLE {TABLE}.very_late (n BIGINT) USING iceberg')
    spark.sql(f'DROP VIEW {TABLE}.very_late')
    assert (NAMESPACE, 'very_late') not in catalog.list_views(NAMESPACE)


def test_namespaces(spark, catalog):
    spark.sql("CREATE NAMESPACE lh.outer_spark COMMENT 'outer'")
    spark.sql('CREATE NAMESPACE lh.outer_spark.inner')
    spark.sql("ALTER NAMESPACE lh.outer_spark SET PROPERTIES ('team' = 'a')")
    assert catalog.load_namespace_properties('outer_spark')['team'] == 'a'
    assert [row[0] for row in spark.sql('SHOW NAMESPACES IN lh.outer_spark').collect()] == ['outer_spark.inner']
    spark.sql('CREATE TABLE lh.outer_spark.inner.deep USING iceberg AS SELECT 1 AS n')
    assert rows_of(spark, 'SELECT n FROM lh.outer_spark.inner.deep') == [(1,)]
    spark.sql('DROP TABLE lh.outer_spark.inner.deep PURGE')
    spark.sql('DROP NAMESPACE lh.outer_spark.inner')
    spark.sql('DROP NAMESPACE lh.outer_spark')
