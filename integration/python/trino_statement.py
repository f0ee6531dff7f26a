"""Trino over its statement protocol, with Python values as DuckDB gives them."""

import datetime
import decimal
import json
import re
import time
import urllib.request

NODE_SECONDS = 60


class TrinoError(Exception):
    """A refused or failed statement: `name` is Trino's error name."""

    def __init__(self, error: dict):
        super().__init__(f'{error["errorName"]}: {error["message"]}')
        self.name = error['errorName']


def _timestamp(text: str) -> datetime.datetime:
    moment, _, zone = text.partition(' UTC')
    parsed = datetime.datetime.fromisoformat(moment[:26])
    return parsed.replace(tzinfo=datetime.timezone.utc) if text.endswith('UTC') else parsed


def _converter(kind: str):
    if kind.startswith('decimal'):
        return decimal.Decimal
    if kind == 'date':
        return datetime.date.fromisoformat
    if kind.startswith('timestamp'):
        return _timestamp
    return lambda value: value


class Trino:
    def __init__(self, url: str, catalog: str, schema: str, **session: str):
        self._url = url
        self._headers = {'X-Trino-User': 'integration', 'X-Trino-Catalog': catalog, 'X-Trino-Schema': schema, 'X-Trino-Time-Zone': 'UTC',
            # Without it a timestamp is cut to milliseconds.
            'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME'}
        if session:
            self._headers['X-Trino-Session'] = ', '.join(f'{catalog}.{name}={value}' for name, value in session.items())

    def execute(self, sql: str) -> list[tuple]:
        """The rows; for a change the one row that counts them. Throws TrinoError."""
        deadline = time.monotonic() + NODE_SECONDS
        while True:
            try:
                return self._execute(sql)
            except TrinoError as error:
                # On a busy machine Trino loses sight of its one node for a moment: nothing was begun.
                if error.name != 'NO_NODES_AVAILABLE' or time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _execute(self, sql: str) -> list[tuple]:
        rows: list[tuple] = []
        answer = self._request(f'{self._url}/v1/statement', re.sub(r';\s*$', '', sql).encode())
        while True:
            if 'error' in answer:
                raise TrinoError(answer['error'])
            if 'data' in answer:
                converters = [_converter(column['type']) for column in answer['columns']]
                rows += [tuple(None if v is None else convert(v) for convert, v in zip(converters, row)) for row in answer['data']]
            if 'nextUri' not in answer:
                return rows
            answer = self._request(answer['nextUri'])

    def _request(self, url: str, body: bytes | None = None) -> dict:
        with urllib.request.urlopen(urllib.request.Request(url, body, self._headers), timeout=120) as response:
            return json.load(response)
