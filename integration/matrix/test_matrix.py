"""Writer, reader and feature: what `matrix.json` says of each is what happens, so that an upgrade of an engine shows.

`writes` of a feature and a writer is `written`, or a part of what the engine says instead, or `never` where it has no way to;
where it is `written`, each reader's cell is `equal results`, or a part of the reader's own error message.
"""

import json
import pathlib

import pytest
from reference import assert_same_rows
from rows import COLUMNS, EVOLVED_COLUMNS, evolved, flights, upserted, without_deleted
from writers import FEATURES, FORMAT_VERSIONS, table_name

MATRIX = json.loads((pathlib.Path(__file__).parent / 'matrix.json').read_text())
WRITERS = ['spark', 'trino', 'flink', 'duckdb', 'pyiceberg', 'iceberg-java']
READERS = ['spark', 'trino', 'flink', 'duckdb', 'pyiceberg', 'polars', 'iceberg-rust']
WANTED = {
    'v2': flights, 'v3': flights, 'position deletes': without_deleted, 'deletion vectors': without_deleted,
    'equality deletes': upserted, 'evolved schema': evolved,
}
# As Iceberg numbers the contents of delete files, with their format.
DELETE_FILES = {'position deletes': {(1, 'PARQUET')}, 'deletion vectors': {(1, 'PUFFIN')}}
PAIRS = [(feature, writer) for feature in FEATURES for writer in WRITERS]
TRIED = [pair for pair in PAIRS if MATRIX[pair[0]][pair[1]]['writes'] != 'never']
WRITTEN = [pair for pair in PAIRS if MATRIX[pair[0]][pair[1]]['writes'] == 'written']


def test_every_cell_is_filled():
    assert list(MATRIX) == FEATURES
    for feature, writer in PAIRS:
        row = MATRIX[feature][writer]
        assert list(row) == ['writes', *READERS] if row['writes'] == 'written' else ['writes'], (feature, writer)


def outcome(act) -> str:
    """What came of it: 'written' or 'equal results' of the caller, else the message."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - the engines' own errors are what the matrix is about
        return str(error)


def assert_cell(cell: str, wanted: str, seen: str) -> None:
    assert seen == wanted if cell == wanted else cell in seen, f'the matrix says: {cell}\nthe engine says: {seen}'


@pytest.mark.parametrize('feature, writer', TRIED, ids=[f'{writer}-{feature}'.replace(' ', '-') for feature, writer in TRIED])
def test_writes(writers, spark, catalog, feature, writer):
    def write() -> str:
        writers[writer].write(feature)
        table = f'lh.matrix.{table_name(writer, feature)}'
        deletes = {(row[0], row[1].upper()) for row in spark.sql(f'SELECT content, file_format FROM {table}.delete_files').collect()}
        if feature == 'equality deletes':
            assert 2 in {content for content, _ in deletes}, f'delete files: {deletes}'
        elif deletes != DELETE_FILES.get(feature, set()):
            return f'delete files: {sorted(deletes)}'
        return 'written'
    assert_cell(MATRIX[feature][writer]['writes'], 'written', outcome(write))
    if MATRIX[feature][writer]['writes'] == 'written':
        found = spark.sql(f"SHOW TBLPROPERTIES lh.matrix.{table_name(writer, feature)} ('format-version')").collect()
        assert found[0]['value'] == str(FORMAT_VERSIONS[feature])


@pytest.mark.parametrize('reader', READERS)
@pytest.mark.parametrize('feature, writer', WRITTEN, ids=[f'{writer}-{feature}'.replace(' ', '-') for feature, writer in WRITTEN])
def test_reads(readers, feature, writer, reader):
    def read() -> str:
        rows = readers[reader].rows(table_name(writer, feature), EVOLVED_COLUMNS if feature == 'evolved schema' else COLUMNS)
        try:
            assert_same_rows(rows, WANTED[feature]())
        except AssertionError as difference:
            return f'other results: {difference}'
        return 'equal results'
    assert_cell(MATRIX[feature][writer][reader], 'equal results', outcome(read))
