"""Tables by Spark that are each named after the property they hold."""

from rows import flights, values
from writers import SparkWriter

NAMESPACE = 'properties'
HALF = len(flights()) // 2


class PropertyTables:
    def __init__(self, spark):
        self.spark = spark
        self.jvm = spark._jvm
        self.sql = spark.sql
        self.writer = SparkWriter(spark)

    def create(self, table: str, partitions: str = '', **properties: str) -> str:
        """Its full name."""
        name = f'lh.{NAMESPACE}.{table}'
        listed = ', '.join(f"'{key.replace('_', '-')}' = '{value}'" for key, value in properties.items())
        partitioned = f'PARTITIONED BY ({partitions})' if partitions else ''
        self.sql(f'CREATE TABLE {name} ({self.writer.columns()}) USING iceberg {partitioned} TBLPROPERTIES ({listed})')
        return name

    def insert_both_halves(self, name: str) -> None:
        self.writer.insert(name, flights()[:HALF])
        self.writer.insert(name, flights()[HALF:])

    def make_all(self) -> list[str]:
        """The names of the tables."""
        made = [self.version_1, self.partition_transforms, self.partition_evolution, self.branches_and_tags, self.statistics, self.sort_order,
                self.nested_types, self.default_values, self.row_lineage, self.rewritten_manifests, self.empty, self.rolled_back]
        for make in made:
            make(make.__name__)
        return [make.__name__ for make in made]

    def version_1(self, table: str) -> None:
        self.insert_both_halves(self.create(table, format_version='1'))

    def partition_transforms(self, table: str) -> None:
        unsorted = {'write.distribution-mode': 'none', 'write.spark.fanout.enabled': 'true'}
        name = self.create(table, 'bucket(2, id), truncate(1, carrier), hours(departed)', format_version='2', **unsorted)
        self.writer.insert(name, flights()[:6])

    def partition_evolution(self, table: str) -> None:
        name = self.create(table, 'origin', format_version='2')
        self.writer.insert(name, flights()[:HALF])
        self.sql(f'ALTER TABLE {name} REPLACE PARTITION FIELD origin WITH days(departed)')
        self.sql(f'ALTER TABLE {name} ADD PARTITION FIELD truncate(1, carrier) AS initial')
        self.writer.insert(name, flights()[HALF:])

    def branches_and_tags(self, table: str) -> None:
        name = self.create(table, format_version='2')
        self.writer.insert(name, flights()[:HALF])
        self.sql(f'ALTER TABLE {name} CREATE TAG first RETAIN 365 DAYS')
        self.sql(f'ALTER TABLE {name} CREATE BRANCH side RETAIN 30 DAYS WITH SNAPSHOT RETENTION 2 SNAPSHOTS 3 DAYS')
        self.writer.insert(f'{name}.branch_side', flights()[HALF:])

    def statistics(self, table: str) -> None:
        name = self.create(table, 'origin', format_version='2')
        self.insert_both_halves(name)
        self.sql(f"CALL lh.system.compute_table_stats('{NAMESPACE}.{table}')")
        self.sql(f"CALL lh.system.compute_partition_stats('{NAMESPACE}.{table}')")

    def sort_order(self, table: str) -> None:
        name = self.create(table, format_version='2')
        self.sql(f'ALTER TABLE {name} WRITE ORDERED BY carrier ASC NULLS LAST, truncate(2, origin) DESC')
        self.insert_both_halves(name)

    def nested_types(self, table: str) -> None:
        name = f'lh.{NAMESPACE}.{table}'
        self.sql(f"""CREATE TABLE {name} (id BIGINT NOT NULL COMMENT 'the key', place STRUCT<lat: DOUBLE NOT NULL, tags: ARRAY<STRING>>,
          counts MAP<STRING, ARRAY<INT>>, raw BINARY, exact DECIMAL(38, 10), seen TIMESTAMP, small FLOAT, flag BOOLEAN) USING iceberg
          TBLPROPERTIES ('format-version' = '2', 'comment' = 'über alles "quoted" \\\\ 日本')""")
        self.sql(f"ALTER TABLE {name} SET IDENTIFIER FIELDS id")
        self.sql(f"""INSERT INTO {name} VALUES (9223372036854775807, named_struct('lat', 1.5D, 'tags', array('a', NULL)), map('k', array(1, 2)), X'00FF',
          CAST(1234567890123456789012345678.0123456789 AS DECIMAL(38, 10)), TIMESTAMP '2013-01-01 10:00:00', CAST(0.5 AS FLOAT), true)""")

    def default_values(self, table: str) -> None:
        name = self.create(table, format_version='3')
        self.writer.insert(name, flights()[:HALF])
        # Spark has no statement for it.
        iceberg = self.jvm.org.apache.iceberg
        loaded = iceberg.spark.Spark3Util.loadIcebergTable(self.spark._jsparkSession, name)
        loaded.updateSchema().addColumn('note', iceberg.types.Types.StringType.get(), None, iceberg.expressions.Expressions.lit('none')).commit()
        self.sql(f'REFRESH TABLE {name}')
        self.sql(f'INSERT INTO {name} SELECT /*+ COALESCE(1) */ *, NULL FROM {values(flights()[HALF:], "TIMESTAMP_NTZ")}')

    def row_lineage(self, table: str) -> None:
        name = self.create(table, format_version='3', **{'write.update.mode': 'merge-on-read'})
        self.insert_both_halves(name)
        self.sql(f'UPDATE {name} SET distance = 0 WHERE id = 3')

    def rewritten_manifests(self, table: str) -> None:
        name = self.create(table, 'origin', format_version='2', **{'write.delete.mode': 'merge-on-read'})
        self.insert_both_halves(name)
        self.sql(f"DELETE FROM {name} WHERE carrier = 'UA'")
        self.sql(f"CALL lh.system.rewrite_manifests('{NAMESPACE}.{table}')")
        self.sql(f"CALL lh.system.expire_snapshots(table => '{NAMESPACE}.{table}', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)")

    def empty(self, table: str) -> None:
        self.create(table, 'months(departed)', format_version='2')

    def rolled_back(self, table: str) -> None:
        name = self.create(table, format_version='2')
        self.insert_both_halves(name)
        first = self.sql(f'SELECT snapshot_id FROM {name}.snapshots ORDER BY committed_at').collect()[0][0]
        self.sql(f"CALL lh.system.rollback_to_snapshot('{NAMESPACE}.{table}', {first})")

    def view(self) -> str:
        self.sql(f"""CREATE VIEW lh.{NAMESPACE}.delayed (id COMMENT 'the key', carrier) COMMENT 'late'
          AS SELECT id, carrier FROM lh.{NAMESPACE}.version_1 WHERE delay > 10""")
        self.sql(f"ALTER VIEW lh.{NAMESPACE}.delayed SET TBLPROPERTIES ('purpose' = 'fixtures')")
        return 'delayed'
