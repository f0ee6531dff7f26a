"""The first step of the notebook that compose.yaml starts, with the file of settings that it mounts."""

import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

from lakehouse import pyiceberg_catalog
from server import ACCESS_KEY, ENDPOINT, SECRET_KEY

ROOT = pathlib.Path(__file__).parents[2]


def mounted_settings() -> str:
    """The file of PyIceberg, with the address and the keys of the server under test."""
    (text,) = re.findall(r'^  pyiceberg:\n    content: \|\n((?:      .*\n)+)', (ROOT / 'compose.yaml').read_text(), re.MULTILINE)
    for written, tested in [('http://moraine:9000', ENDPOINT), ('${MORAINE_ROOT_USER}', ACCESS_KEY), ('${MORAINE_ROOT_PASSWORD}', SECRET_KEY)]:
        text = text.replace(written, tested)
    return textwrap.dedent(text)


def test_the_notebook_begins(tmp_path):
    (tmp_path / '.pyiceberg.yaml').write_text(mounted_settings())
    cells = json.loads((ROOT / 'deploy' / 'first-steps.ipynb').read_text())['cells']
    code = ''.join(next(cell['source'] for cell in cells if cell['cell_type'] == 'code'))
    done = subprocess.run([sys.executable, '-c', code], env={**os.environ, 'PYICEBERG_HOME': str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    rows = pyiceberg_catalog().load_table('first_steps.people').scan().to_arrow().sort_by('id')
    assert rows.to_pydict() == {'id': [1, 2], 'name': ['Ada', 'Grace']}
