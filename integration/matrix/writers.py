"""The engines as writers: each makes the table of a feature, or says in its own words that it cannot."""

from pyiceberg.expressions import And, EqualTo, IsNull
from pyiceberg.types import LongType, StringType
from rows import COLUMNS, DELETES, arrow_flights, changed_by_upsert, evolved_later, flights, values

NAMESPACE = 'matrix'
FEATURES = ['v2', 'v3', 'position deletes', 'deletion vectors', 'equality deletes', 'evolved schema']
FORMAT_VERSIONS = {feature: 3 if feature in ('v3', 'deletion vectors') else 2 for feature in FEATURES}
HALF = len(flights()) // 2


def table_name(writer: str, feature: str) -> str:
    return f'{writer}_{feature}'.replace(' ', '_').replace('-', '_')


class SqlWriter:
    """What the engines of SQL have in common; they differ in the statements below."""
    name: str
    timestamp = 'TIMESTAMP'
    types = {'text': 'STRING', 'timestamp': 'TIMESTAMP', 'double': 'DOUBLE'}
    rename = 'ALTER TABLE {table} RENAME COLUMN carrier TO airline'
    widen = 'ALTER TABLE {table} ALTER COLUMN flight TYPE BIGINT'
    add = 'ALTER TABLE {table} ADD COLUMN note {text}'

    def __init__(self, execute, prefix: str):
        self.execute = execute
        self.prefix = prefix

    def columns(self) -> str:
        text, timestamp, double = (self.types[name] for name in ['text', 'timestamp', 'double'])
        kinds = ['BIGINT', text, text, 'INT', 'INT', double, 'DECIMAL(9, 2)', 'DATE', timestamp]
        return ', '.join(f'{name} {kind}' for name, kind in zip(COLUMNS, kinds))

    def create(self, table: str, feature: str) -> None:
        raise NotImplementedError

    def insert(self, table: str, rows: list[tuple]) -> None:
        self.execute(f'INSERT INTO {table} {values(rows, self.timestamp)}')

    def write(self, feature: str) -> None:
        table = f'{self.prefix}{table_name(self.name, feature)}'
        if feature == 'equality deletes':
            self.write_equality_deletes(table)
            return
        self.create(table, feature)
        self.insert(table, flights()[:HALF])
        self.insert(table, flights()[HALF:])
        if feature in ('position deletes', 'deletion vectors'):
            self.delete(table)
        if feature == 'evolved schema':
            for change in [self.add, self.rename, self.widen]:
                self.execute(change.format(table=table, **self.types))
            self.insert(table, evolved_later())

    def delete(self, table: str) -> None:
        for condition in DELETES:
            self.execute(f'DELETE FROM {table} WHERE {condition}')

    def write_equality_deletes(self, table: str) -> None:
        raise NotImplementedError


class SparkWriter(SqlWriter):
    name = 'spark'
    timestamp = 'TIMESTAMP_NTZ'
    types = {'text': 'STRING', 'timestamp': 'TIMESTAMP_NTZ', 'double': 'DOUBLE'}

    def __init__(self, spark):
        super().__init__(spark.sql, f'lh.{NAMESPACE}.')

    def create(self, table: str, feature: str) -> None:
        properties = f"'format-version' = '{FORMAT_VERSIONS[feature]}', 'write.delete.mode' = 'merge-on-read'"
        partitions = 'PARTITIONED BY (origin)' if feature in ('v2', 'v3') else ''
        self.execute(f'CREATE TABLE {table} ({self.columns()}) USING iceberg {partitions} TBLPROPERTIES ({properties})')

    def insert(self, table: str, rows: list[tuple]) -> None:
        self.execute(f'INSERT INTO {table} SELECT /*+ COALESCE(1) */ * FROM {values(rows, self.timestamp)}')


class TrinoWriter(SqlWriter):
    name = 'trino'
    types = {'text': 'VARCHAR', 'timestamp': 'TIMESTAMP(6)', 'double': 'DOUBLE'}
    widen = 'ALTER TABLE {table} ALTER COLUMN flight SET DATA TYPE BIGINT'

    def __init__(self, trino):
        super().__init__(trino.execute, '')

    def create(self, table: str, feature: str) -> None:
        self.execute(f'CREATE TABLE {table} ({self.columns()}) WITH (format_version = {FORMAT_VERSIONS[feature]})')


class DuckdbWriter(SqlWriter):
    name = 'duckdb'
    types = {'text': 'VARCHAR', 'timestamp': 'TIMESTAMP', 'double': 'DOUBLE'}

    def __init__(self, connection):
        super().__init__(connection.execute, f'lh.{NAMESPACE}.')

    def create(self, table: str, feature: str) -> None:
        self.execute(f"CREATE TABLE {table} ({self.columns()}) WITH ('format-version' = '{FORMAT_VERSIONS[feature]}')")


class FlinkWriter(SqlWriter):
    """In the streaming mode: a job of the batch mode takes most of a small cluster's network buffers."""
    name = 'flink'
    types = {'text': 'STRING', 'timestamp': 'TIMESTAMP(6)', 'double': 'DOUBLE'}
    add = 'ALTER TABLE {table} ADD note {text}'
    rename = 'ALTER TABLE {table} RENAME carrier TO airline'
    widen = 'ALTER TABLE {table} MODIFY flight BIGINT'

    def __init__(self, client):
        super().__init__(lambda statement: client.execute(statement, 'streaming'), f'{NAMESPACE}.')
        self.execute_batch = lambda statement: client.execute(statement, 'batch')

    def create(self, table: str, feature: str, key: str = '', **options: str) -> None:
        settings = {'format-version': str(FORMAT_VERSIONS[feature]), **options}
        listed = ', '.join(f"'{name}' = '{value}'" for name, value in settings.items())
        self.execute(f'CREATE TABLE {table} ({self.columns()}{key}) WITH ({listed})')

    def delete(self, table: str) -> None:
        for condition in DELETES:
            self.execute_batch(f'DELETE FROM {table} WHERE {condition}')

    def write_equality_deletes(self, table: str) -> None:
        self.create(table, 'equality deletes', ', PRIMARY KEY (id) NOT ENFORCED', **{'write.upsert.enabled': 'true'})
        self.insert(table, flights())
        self.insert(table, changed_by_upsert())


class PyicebergWriter:
    name = 'pyiceberg'

    def __init__(self, catalog):
        self.catalog = catalog

    def write(self, feature: str) -> None:
        rows = arrow_flights()
        properties = {'format-version': str(FORMAT_VERSIONS[feature]), 'write.delete.mode': 'merge-on-read'}
        table = self.catalog.create_table((NAMESPACE, table_name(self.name, feature)), schema=rows.schema, properties=properties)
        table.append(rows.slice(0, HALF))
        table.append(rows.slice(HALF))
        if feature in ('position deletes', 'deletion vectors'):
            table.delete(EqualTo('carrier', 'UA'))
            table.delete(And(EqualTo('carrier', 'AA'), IsNull('delay')))
        if feature == 'evolved schema':
            with table.update_schema() as update:
                update.add_column('note', StringType())
                update.rename_column('carrier', 'airline')
                update.update_column('flight', LongType())
            fields = table.schema().as_arrow()
            columns = list(zip(*evolved_later()))
            table.append(rows.schema.empty_table().from_arrays([*map(list, columns)], names=fields.names).cast(fields))


class JavaWriter:
    """Iceberg's own Java API, on Spark's JVM: for what only streaming engines write."""
    name = 'iceberg-java'

    def __init__(self, spark):
        self.spark = spark
        self.jvm = spark._jvm
        self.spark_writer = SparkWriter(spark)

    def write(self, feature: str) -> None:
        assert feature == 'equality deletes', 'Spark writes the others by this API'
        name = f'lh.{NAMESPACE}.{table_name(self.name, feature)}'
        self.spark_writer.create(name, feature)
        self.spark_writer.insert(name, flights())
        self.delete_carriers(name, sorted({row[1] for row in changed_by_upsert()}))
        self.spark_writer.insert(name, changed_by_upsert())

    def delete_carriers(self, name: str, carriers: list[str]) -> None:
        """Commits a row delta of one equality delete file."""
        iceberg = self.jvm.org.apache.iceberg
        table = iceberg.spark.Spark3Util.loadIcebergTable(self.spark._jsparkSession, name)
        deleted = table.schema().select(['carrier'])
        ids = self.spark.sparkContext._gateway.new_array(self.jvm.int, 1)
        ids[0] = table.schema().findField('carrier').fieldId()
        parquet = iceberg.FileFormat.PARQUET
        builder = getattr(iceberg.data, 'GenericFileWriterFactory$Builder')(table)
        factory = builder.equalityFieldIds(ids).equalityDeleteRowSchema(deleted).deleteFileFormat(parquet).build()
        file = iceberg.io.OutputFileFactory.builderFor(table, 1, 1).format(parquet).build().newOutputFile()
        writer = factory.newEqualityDeleteWriter(file, table.spec(), None)
        for carrier in carriers:
            record = iceberg.data.GenericRecord.create(deleted)
            record.setField('carrier', carrier)
            writer.write(record)
        writer.close()
        table.newRowDelta().addDeletes(writer.toDeleteFile()).commit()
        self.spark.sql(f'REFRESH TABLE {name}')
