"""Tables as folders of files, with the scans that Iceberg's own planner makes of them: the fixtures of the catalog's readers."""

import json
import pathlib
import shutil

from server import ICEBERG_URI, WAREHOUSE, s3_client

# In the JSON of the REST specification. Every table of the matrix has these columns.
FILTERS = {
    'all': None,
    'one carrier': {'type': 'eq', 'term': 'carrier', 'value': 'UA'},
    'first ids': {'type': 'lt-eq', 'term': 'id', 'value': 10},
    'cancelled, from one airport': {
        'type': 'and', 'left': {'type': 'is-null', 'term': 'delay'}, 'right': {'type': 'in', 'term': 'origin', 'values': ['EWR', 'ABC']}},
    'late in the morning': {'type': 'gt', 'term': 'departed', 'value': '2013-01-01T10:30:00'},
    'nothing': {'type': 'lt', 'term': 'distance', 'value': 0.0},
}


def filters_for(columns: list[str]) -> dict:
    """Where a table has another name for a column, or has it not."""
    renamed = json.loads(json.dumps(FILTERS).replace('"carrier"', '"airline"')) if 'airline' in columns else FILTERS
    return {name: value for name, value in renamed.items() if set(_terms(value)) <= set(columns)}


def _terms(expression: dict | None):
    if expression is None:
        return
    if 'term' in expression:
        yield expression['term']
    for side in ('left', 'right'):
        if side in expression:
            yield from _terms(expression[side])


class Exporter:
    def __init__(self, spark, catalog, folder: pathlib.Path):
        self.spark = spark
        self.catalog = catalog
        self.iceberg = spark._jvm.org.apache.iceberg
        self.folder = folder
        self.s3 = s3_client()

    def table(self, name: str, table: str) -> None:
        """Copies a table of any of Spark's catalogs into the folder `name`, with a `fixture.json` that says what readers are to find."""
        self.spark.sql(f'REFRESH TABLE {table}')
        loaded = self.iceberg.spark.Spark3Util.loadIcebergTable(self.spark._jsparkSession, table)
        location = loaded.location()
        scans = {
            scan: {'filter': value, 'tasks': self._plan(loaded, value, location)}
            for scan, value in filters_for(self.spark.table(table).columns).items()
        }
        current = loaded.operations().current()
        metadata = self.iceberg.TableMetadataParser.toJson(current)
        self._write(name, location, current.metadataFileLocation(), metadata, {'scans': scans})

    def view(self, name: str, namespace: str, view: str) -> None:
        answer = self.catalog._session.get(f'{ICEBERG_URI}/v1/{WAREHOUSE}/namespaces/{namespace}/views/{view}')
        answer.raise_for_status()
        loaded = answer.json()
        parser = self.iceberg.view.ViewMetadataParser
        metadata = parser.toJson(parser.fromJson(json.dumps(loaded['metadata'])))
        self._write(name, loaded['metadata']['location'], loaded['metadata-location'], metadata, {})

    def _plan(self, table, filter_json: dict | None, location: str) -> list:
        """Data files with the delete files that apply to each, both relative to the table."""
        scan = table.newScan()
        if filter_json is not None:
            scan = scan.filter(self.iceberg.expressions.ExpressionParser.fromJson(json.dumps(filter_json), table.schema()))
        planned = []
        iterator = scan.planFiles().iterator()
        while iterator.hasNext():
            task = iterator.next()
            deletes = sorted(delete.location().removeprefix(f'{location}/') for delete in task.deletes())
            planned.append([task.file().location().removeprefix(f'{location}/'), deletes])
        return sorted(planned)

    def _write(self, name: str, location: str, metadata_location: str, metadata: str, fixture: dict) -> None:
        """The present metadata as Iceberg's own library prints it, and all other files of the table but its earlier metadata."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        bucket, prefix = location.removeprefix('s3://').split('/', 1)
        listing = self.s3.list_objects_v2(Bucket=bucket, Prefix=f'{prefix}/')
        assert not listing['IsTruncated']
        for entry in listing['Contents']:
            if not entry['Key'].endswith('.metadata.json'):
                content = self.s3.get_object(Bucket=bucket, Key=entry['Key'])['Body'].read()
                self._file(name, entry['Key'].removeprefix(f'{prefix}/'), content)
        self._file(name, metadata_location.removeprefix(f'{location}/'), metadata.encode())
        described = {'location': location, 'metadata-location': metadata_location, **fixture}
        self._file(name, 'fixture.json', (json.dumps(described, indent=1, ensure_ascii=False) + '\n').encode())

    def _file(self, name: str, path: str, content: bytes) -> None:
        file = self.folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
