"""The configuration blocks of docs/clients.md, so that what a user copies is what the suites run."""

import os
import pathlib
import re

from server import ENDPOINT

PAGE = pathlib.Path(__file__).parents[2] / 'docs' / 'clients.md'
DOCUMENTED_ADDRESS = '127.0.0.1:9000'


def documented(heading: str, language: str) -> str:
    """The first code block of `language` under `## heading`, with the address of the server under test."""
    (section,) = re.findall(rf'^## {re.escape(heading)}\n(.*?)(?=^## |\Z)', PAGE.read_text(), re.MULTILINE | re.DOTALL)
    block = re.search(rf'^```{language}\n(.*?)^```', section, re.MULTILINE | re.DOTALL)
    assert block is not None, f'no {language} block under {heading}'
    return block[1].replace(DOCUMENTED_ADDRESS, ENDPOINT.removeprefix('http://'))


def documented_names(heading: str) -> dict:
    """The names that a Python block defines."""
    names = {}
    exec(compile(documented(heading, 'python'), f'docs/clients.md: {heading}', 'exec'), names)
    return names


def documented_environment(heading: str) -> dict[str, str]:
    """Our environment without any setting of an AWS client, plus the `export` lines of a shell block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith('AWS_')}
    return inherited | dict(re.findall(r"^export (\w+)='?(.*?)'?$", documented(heading, 'sh'), re.MULTILINE))
