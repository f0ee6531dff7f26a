"""The engines as readers: the rows of a table as Python values, in the order of `id`."""

import datetime
import decimal
import os
import subprocess

import polars as pl
from reference import over_arrow

NAMESPACE = 'matrix'
MOST_ROWS = 10_000


class SqlReader:
    """An engine whose statements answer with Python values."""

    def __init__(self, name: str, query, prefix: str):
        self.name = name
        self._query = query
        self._prefix = prefix

    def rows(self, table: str, columns: list[str]) -> list[tuple]:
        return [tuple(row) for row in self._query(f'SELECT {", ".join(columns)} FROM {self._prefix}{table} ORDER BY id')]


class PyicebergReader:
    name = 'pyiceberg'

    def __init__(self, catalog):
        self.catalog = catalog

    def rows(self, table: str, columns: list[str]) -> list[tuple]:
        return _sorted(self.catalog.load_table((NAMESPACE, table)).scan().to_arrow(), columns)


class PolarsReader:
    """Its native reader, not PyIceberg's."""
    name = 'polars'

    def __init__(self, catalog, storage_options: dict[str, str]):
        self.catalog = catalog
        self.storage_options = storage_options

    def rows(self, table: str, columns: list[str]) -> list[tuple]:
        source = self.catalog.load_table((NAMESPACE, table))
        return _sorted(pl.scan_iceberg(source, reader_override='native', storage_options=self.storage_options).collect().to_arrow(), columns)


class FlinkReader:
    """Its client answers with text, which is given the types that the columns have."""
    name = 'flink'

    def __init__(self, client):
        self.client = client

    def rows(self, table: str, columns: list[str]) -> list[tuple]:
        self.client.send(f'SELECT {", ".join(columns)} FROM {NAMESPACE}.{table}', 'streaming', limit=MOST_ROWS)
        answer = [fields for _, fields in self.client.rows()]
        return sorted(tuple(_typed(name, text) for name, text in zip(columns, row)) for row in answer)


class RustReader:
    """iceberg-rust, by a program that prints the rows."""
    name = 'iceberg-rust'

    def rows(self, table: str, columns: list[str]) -> list[tuple]:
        done = subprocess.run([os.environ['TEST_PROGRAM'], 'rows', f'{NAMESPACE}.{table}', *columns], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return sorted(tuple(_counted(name, text) for name, text in zip(columns, line.split('\t'), strict=True)) for line in done.stdout.splitlines())


def spark_query(spark):
    return lambda query: over_arrow(spark.sql(query).toArrow(), 'SELECT * FROM {flights}')


def _sorted(table, columns: list[str]) -> list[tuple]:
    return over_arrow(table, f'SELECT {", ".join(columns)} FROM {{flights}} ORDER BY id')


TYPES = {
    'id': int, 'flight': int, 'delay': int, 'distance': float, 'fare': decimal.Decimal,
    'flown': datetime.date.fromisoformat, 'departed': datetime.datetime.fromisoformat,
}


def _typed(name: str, text: str | None):
    return None if text is None else TYPES.get(name, str)(text)


EPOCH = datetime.datetime(1970, 1, 1)
COUNTED = {
    **TYPES, 'fare': lambda text: decimal.Decimal(text).scaleb(-2),
    'flown': lambda text: (EPOCH + datetime.timedelta(days=int(text))).date(), 'departed': lambda text: EPOCH + datetime.timedelta(microseconds=int(text)),
}


def _counted(name: str, text: str):
    return None if text == r'\N' else COUNTED.get(name, str)(text)
