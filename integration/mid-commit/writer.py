"""A process that commits numbers to its tables until it is killed: `writer.py KIND JOURNAL`.

Every number is in the journal as `try N` before its commit is asked for, and as `ack N` once the commit was acknowledged.
A number whose commit failed is never tried again, so that no row may be there twice.
"""

import itertools
import json
import sys
import time
import urllib.request

import pyarrow as pa
from engines_page import spark_settings
from lakehouse import pyiceberg_catalog
from server import ACCESS_KEY, ICEBERG_URI, SECRET_KEY, WAREHOUSE
from spark_driver import spark_driver

NAMESPACE = 'mid_commit'
PAUSE_SECONDS = 0.05


def spark_commits():
    """One INSERT of two files."""
    spark = spark_driver(spark_settings('lh'))
    return lambda n: spark.sql(f'INSERT INTO lh.{NAMESPACE}.spark SELECT /*+ REPARTITION(2) */ * FROM VALUES ({n}, 0), ({n}, 1)')


def pyiceberg_commits():
    def commit(n: int) -> None:
        # A new catalog each time: its token may be of the server's life before.
        pyiceberg_catalog().load_table((NAMESPACE, 'pyiceberg')).append(pa.table({'n': [n, n], 'part': pa.array([0, 1], pa.int32())}))
    return commit


def raw_commits():
    """A property of two tables in one commit."""
    def request(path: str, body: bytes, kind: str, **headers: str) -> bytes:
        made = urllib.request.Request(f'{ICEBERG_URI}/v1/{path}', body, {'Content-Type': kind, **headers})
        with urllib.request.urlopen(made, timeout=30) as answer:
            return answer.read()

    def commit(n: int) -> None:
        form = f'grant_type=client_credentials&client_id={ACCESS_KEY}&client_secret={SECRET_KEY}'
        token = json.loads(request('oauth/tokens', form.encode(), 'application/x-www-form-urlencoded'))['access_token']
        changes = [{
            'identifier': {'namespace': [NAMESPACE], 'name': name}, 'requirements': [],
            'updates': [{'action': 'set-properties', 'updates': {'n': str(n)}}],
        } for name in ['left', 'right']]
        body = json.dumps({'table-changes': changes}).encode()
        request(f'{WAREHOUSE}/transactions/commit', body, 'application/json', Authorization=f'Bearer {token}')
    return commit


def main(kind: str, path: str) -> None:
    commit = {'spark': spark_commits, 'pyiceberg': pyiceberg_commits, 'raw': raw_commits}[kind]()
    with open(path, 'a', buffering=1) as journal:
        for n in itertools.count(int(time.time() * 1000)):
            journal.write(f'try {n}\n')
            try:
                commit(n)
            except Exception as error:  # noqa: BLE001 - the server is killed again and again
                journal.write(f'failed {n} {type(error).__name__}: {str(error)[:200]!r}\n')
            else:
                journal.write(f'ack {n}\n')
            # Kills are to come while it commits, but the others need the processor too.
            time.sleep(PAUSE_SECONDS)


main(*sys.argv[1:])
