"""The settings in docs/engines.md, as a user would paste them: tests take them from there."""

import pathlib
import re

from server import ACCESS_KEY, ENDPOINT, SECRET_KEY

PAGE = pathlib.Path(__file__).parents[2] / 'docs' / 'engines.md'


def block(section: str, language: str) -> str:
    """The one block of `language` in `section`, with the address and the keys of the server under test put in."""
    (text,) = re.findall(rf'^## {re.escape(section)}$(.*?)(?=^## |\Z)', PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = re.findall(rf'^```{language}\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    host = ENDPOINT.split('://', 1)[1]
    return re.sub(r'\bSECRET_KEY\b', SECRET_KEY, re.sub(r'\bACCESS_KEY\b', ACCESS_KEY, found.replace('127.0.0.1:9000', host)))


def spark_defaults(section: str) -> dict[str, str]:
    """A section's `spark-defaults.conf`."""
    return dict(line.split(None, 1) for line in block(section, 'properties').splitlines())


def spark_settings(catalog: str) -> dict[str, str]:
    """Those of Spark with Iceberg, with the catalog under another name."""
    return {name.replace('spark.sql.catalog.moraine', f'spark.sql.catalog.{catalog}'): value for name, value in spark_defaults('Spark').items()}
