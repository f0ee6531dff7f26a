"""Makes the fixtures of `iceberg-fixtures/` anew and compares them with those that are there; `TEST_FIXTURES` names a folder to keep them in."""

import json
import os
import pathlib

import pytest
from fixtures import Exporter
from property_tables import NAMESPACE, PropertyTables
from test_matrix import WRITTEN
from writers import table_name

CHECKED_IN = pathlib.Path(__file__).parents[2] / 'iceberg-fixtures'


@pytest.fixture(scope='module')
def made(spark, catalog, tmp_path_factory) -> pathlib.Path:
    folder = pathlib.Path(os.environ.get('TEST_FIXTURES') or tmp_path_factory.mktemp('fixtures'))
    exporter = Exporter(spark, catalog, folder)
    for feature, writer in WRITTEN:
        table = table_name(writer, feature)
        exporter.table(table.replace('_', '-'), f'lh.matrix.{table}')
    spark.sql(f'CREATE NAMESPACE lh.{NAMESPACE}')
    tables = PropertyTables(spark)
    for table in tables.make_all():
        exporter.table(table.replace('_', '-'), f'lh.{NAMESPACE}.{table}')
    exporter.view('view', NAMESPACE, tables.view())
    return folder


def shape(folder: pathlib.Path) -> dict:
    """What two runs of the same engines have in common: names are drawn anew."""
    shapes = {}
    for path in sorted(folder.glob('*/fixture.json')):
        fixture = json.loads(path.read_text())
        scans = fixture.get('scans', {})
        shapes[path.parent.name] = {name: sorted(len(deletes) for _, deletes in scan['tasks']) for name, scan in scans.items()}
    return shapes


def test_the_fixtures_are_what_the_engines_make(made):
    assert shape(made) == shape(CHECKED_IN)
