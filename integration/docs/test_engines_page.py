"""Executes the Python and SQL blocks of docs/engines.md. Those of Spark and Trino are read by the suites of these engines."""

import pathlib
import re

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from engines_page import PAGE, block
from reference import load_extensions

PEOPLE = pa.table({'id': pa.array([1, 2], pa.int64()), 'name': ['Ada', 'Grace']})


def test_duckdb():
    connection = duckdb.connect()
    load_extensions(connection, 'httpfs', 'avro', 'iceberg')
    installing, statements = block('DuckDB', 'sql').split('\n', 1)
    # The extensions come from their wheels: a test fetches nothing while it runs.
    assert installing == 'INSTALL httpfs; LOAD httpfs; INSTALL iceberg; LOAD iceberg;'
    connection.execute(statements)
    connection.execute('CREATE SCHEMA moraine.page_duckdb')
    connection.register('people', PEOPLE)
    connection.execute('CREATE TABLE moraine.page_duckdb.people AS SELECT * FROM people')
    assert connection.execute('SELECT id, name FROM moraine.page_duckdb.people ORDER BY id').fetchall() == [(1, 'Ada'), (2, 'Grace')]


def test_pyiceberg():
    names: dict = {}
    exec(compile(block('PyIceberg', 'python'), 'docs/engines.md', 'exec'), names)  # noqa: S102 - the page is ours
    catalog = names['catalog']
    catalog.create_namespace('page_pyiceberg')
    table = catalog.create_table('page_pyiceberg.people', schema=PEOPLE.schema)
    table.append(PEOPLE)
    assert catalog.load_table('page_pyiceberg.people').scan().to_arrow().sort_by('id').to_pydict() == PEOPLE.to_pydict()


def test_delta():
    names: dict = {}
    exec(compile(block('Delta Lake', 'python'), 'docs/engines.md', 'exec'), names)  # noqa: S102 - the page is ours
    table = DeltaTable('s3://lake/delta/people', storage_options=names['options'])
    assert table.to_pyarrow_table().sort_by('id').to_pydict() == PEOPLE.to_pydict()


@pytest.mark.parametrize('section, language', [('Spark', 'properties'), ('Trino', 'properties'), ('DuckDB', 'sql'), ('PyIceberg', 'python')])
def test_the_readme_has_the_same_block(section, language):
    """With the keys of a server that was started with nothing configured."""
    readme = (pathlib.Path(PAGE).parents[1] / 'README.md').read_text()
    (text,) = re.findall(rf'^### {section}$(.*?)(?=^##|\Z)', readme, re.MULTILINE | re.DOTALL)
    (page,) = re.findall(rf'^## {section}$(.*?)(?=^## |\Z)', PAGE.read_text(), re.MULTILINE | re.DOTALL)
    fence = rf'^```{language}\n(.*?)^```$'
    (shown,), (tested,) = (re.findall(fence, part, re.MULTILINE | re.DOTALL) for part in (text, page))
    assert shown == tested.replace('ACCESS_KEY', 'moraineadmin').replace('SECRET_KEY', 'moraineadmin')
