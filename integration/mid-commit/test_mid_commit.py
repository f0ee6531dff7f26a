"""`kill -9` in mid-commit, of the server and of a Spark job: every table stays readable, no acknowledged commit is lost.

Commits are under way in Spark, in PyIceberg and over two tables at once. What was acknowledged is there once; what was not is
there wholly or not at all.
"""

import collections
import os
import pathlib
import random
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from lakehouse import duckdb_lakehouse, pyiceberg_catalog
from server_process import kill_group

NAMESPACE = 'mid_commit'
KILLS = 5
JOB_KILLS = 2
PROGRESS_SECONDS = 240
HERE = pathlib.Path(__file__).parent
SCHEMA = pa.schema([('n', pa.int64()), ('part', pa.int32())])


class Writer:
    """A process that commits; its journal outlives it."""

    def __init__(self, kind: str, folder: pathlib.Path):
        self.kind = kind
        self._journal = folder / f'{kind}.journal'
        self._log = folder / f'{kind}.log'
        self._journal.touch()
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        path = {'PYTHONPATH': str(HERE.parent / 'python')}
        with self._log.open('a') as log:
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / 'writer.py'), self.kind, str(self._journal)], env={**os.environ, **path},
                stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        if self._process is not None:
            kill_group(self._process)

    def numbers(self, word: str) -> list[int]:
        lines = (line.split() for line in self._journal.read_text().splitlines())
        return [int(fields[1]) for fields in lines if len(fields) > 1 and fields[0] == word]

    def last_words(self) -> str:
        return f'{self.kind} commits no more:\n{self._journal.read_text()[-1000:]}\n{self._log.read_text()[-4000:]}'

    def wait_for_commits(self, count: int) -> None:
        before, deadline = len(self.numbers('ack')), time.monotonic() + PROGRESS_SECONDS
        while len(self.numbers('ack')) < before + count:
            assert time.monotonic() < deadline and self._process.poll() is None, self.last_words()
            time.sleep(0.02)


@pytest.fixture(scope='module')
def tables(server):
    catalog = pyiceberg_catalog()
    catalog.create_namespace(NAMESPACE)
    for name in ['spark', 'pyiceberg', 'left', 'right']:
        catalog.create_table((NAMESPACE, name), schema=SCHEMA)


@pytest.fixture(scope='module')
def writers(folder):
    return {kind: Writer(kind, folder) for kind in ['spark', 'pyiceberg', 'raw']}


def assert_rows(writer: Writer, scan) -> None:
    """Of a table to which the writer may be committing at this moment."""
    acknowledged = set(writer.numbers('ack'))
    rows = scan()
    tried = set(writer.numbers('try'))
    parts = collections.defaultdict(list)
    for n, part in rows:
        parts[n].append(part)
    assert acknowledged <= parts.keys(), f'lost: {sorted(acknowledged - parts.keys())}'
    assert parts.keys() <= tried
    assert {n: sorted(found) for n, found in parts.items() if sorted(found) != [0, 1]} == {}


def scan_by_pyiceberg(name: str) -> list[tuple]:
    rows = pyiceberg_catalog().load_table((NAMESPACE, name)).scan().to_arrow()
    return list(zip(rows['n'].to_pylist(), rows['part'].to_pylist()))


def scan_by_duckdb(name: str) -> list[tuple]:
    return duckdb_lakehouse().execute(f'SELECT n, part FROM lh.{NAMESPACE}.{name}').fetchall()


def assert_one_number(writer: Writer) -> None:
    """Both tables have the number of one commit: the last that was acknowledged, or a later one."""
    last = max(writer.numbers('ack'))
    for _ in range(3):
        first, second = ([int(pyiceberg_catalog().load_table((NAMESPACE, name)).properties['n']) for name in names]
                         for names in [['left', 'right'], ['right', 'left']])
        # A commit may come between the loads, but never so that both tables lag behind each other.
        assert first[0] <= first[1] and second[0] <= second[1]
        assert min(first + second) >= last


def assert_nothing_lost(writers: dict[str, Writer], scans) -> None:
    for kind in ['spark', 'pyiceberg']:
        for scan in scans:
            assert_rows(writers[kind], lambda: scan(kind))
    assert_one_number(writers['raw'])


def test_kills_of_the_server(server, tables, writers):
    chance = random.Random()
    try:
        for writer in writers.values():
            writer.start()
            # Spark first, and alone: it takes longest to begin.
            writer.wait_for_commits(1)
        for _ in range(KILLS):
            for writer in writers.values():
                writer.wait_for_commits(1)
            time.sleep(chance.uniform(0, 1))
            server.kill()
            server.fsck()
            server.start()
            assert_nothing_lost(writers, [scan_by_pyiceberg])
        for writer in writers.values():
            writer.wait_for_commits(1)
    finally:
        for writer in writers.values():
            writer.kill()
    assert server.stop() == 0
    server.fsck()
    server.start()
    assert_nothing_lost(writers, [scan_by_pyiceberg, scan_by_duckdb])
    failed = [writer.numbers('failed') for writer in writers.values()]
    # Each kill met a commit: otherwise nothing was shown.
    assert sum(map(len, failed)) >= KILLS


def test_kills_of_a_spark_job(server, tables, writers):
    writer = writers['spark']
    chance = random.Random()
    for _ in range(JOB_KILLS):
        writer.start()
        try:
            writer.wait_for_commits(2)
            time.sleep(chance.uniform(0, 0.5))
        finally:
            writer.kill()
        for scan in [scan_by_pyiceberg, scan_by_duckdb]:
            assert_rows(writer, lambda: scan('spark'))
    # Killed while a number was under way, neither acknowledged nor failed.
    assert len(writer.numbers('try')) > len(writer.numbers('ack')) + len(writer.numbers('failed'))
