"""What `moraine fsck` says of tables that lack files, by exit code and finding; and that `--repair` makes and removes nothing that it should not."""

import json
import secrets
import uuid

import pyarrow as pa
import pytest
from conftest import DRIVES
from lakehouse import fresh_namespace, pyiceberg_catalog
from server import WAREHOUSE, s3_client

NAMESPACE = 'broken'
ROWS = pa.table({'id': list(range(10))})
# What `moraine fsck` exits with.
CLEAN, WRONG, LOST = 0, 2, 3
# A blob each: objects of up to 64 KiB lie in the metadata.
LARGE = 200_000


@pytest.fixture(scope='module')
def tables(server):
    """Tables by what they are going to lack, each with a snapshot of one data file."""
    catalog = pyiceberg_catalog(own_keys=True)
    fresh_namespace(catalog, NAMESPACE)
    made = {}
    for name in ('sound', 'list', 'manifest', 'data'):
        made[name] = catalog.create_table((NAMESPACE, name), schema=ROWS.schema)
        made[name].append(ROWS)
    return made


def address(location: str) -> dict:
    bucket, key = location.removeprefix('s3://').split('/', 1)
    return {'Bucket': bucket, 'Key': key}


def remove(location: str) -> None:
    s3_client().delete_object(**address(location))


def read(location: str) -> bytes:
    return s3_client().get_object(**address(location))['Body'].read()


def report(server, *options: str) -> tuple[int, dict]:
    code, out = server.check('--json', *options)
    return code, json.loads(out)


def broken(found: dict) -> list[tuple[str, str]]:
    return sorted((finding['severity'], finding['explanation']) for finding in found['findings'] if finding['code'] == 'TableBroken')


def stored(server) -> dict:
    """Every file of blobs, by its path."""
    return {path: path.read_bytes() for drive in server.drives for path in (drive / 'blobs').rglob('*') if path.is_file()}


def shards(server, blob: str) -> list:
    return [path for path in stored(server) if path.name == blob]


def new_blobs(server, before: dict) -> set[str]:
    return {path.name for path in stored(server).keys() - before.keys()}


def put(key: str) -> bytes:
    body = secrets.token_bytes(LARGE)
    s3_client().put_object(Bucket=WAREHOUSE, Key=key, Body=body)
    return body


def test_files_that_tables_lack(server, tables):
    server.stop()
    code, found = report(server)
    assert (code, found['verdict'], broken(found)) == (CLEAN, 'clean', [])
    # Of each table a manifest list, a manifest and a data file.
    assert (found['checked']['tables'], found['checked']['tableFiles']) == (4, 12)
    server.start()
    [data] = [task.file.file_path for task in tables['data'].scan().plan_files()]
    snapshot = tables['manifest'].current_snapshot()
    [manifest] = snapshot.manifests(tables['manifest'].io)
    manifest_list = tables['list'].current_snapshot().manifest_list
    for location in (data, manifest.manifest_path, manifest_list):
        remove(location)
    server.stop()
    code, found = report(server)
    assert (code, found['verdict']) == (WRONG, 'wrong')
    assert broken(found) == sorted([
        ('wrong', f'the data file {data} does not exist'),
        ('wrong', f'the manifest {manifest.manifest_path} does not exist'),
        ('wrong', f'the manifest list {manifest_list} of snapshot {tables["list"].current_snapshot().snapshot_id} does not exist'),
    ])
    code, text = server.check()
    assert code == WRONG
    assert f'TableBroken table lake.{NAMESPACE}.data: the data file {data} does not exist' in text
    server.start()


def test_a_pointer_whose_metadata_are_gone(server, tables):
    # The catalog keeps its own metadata in rows; what is registered is an object as any other, and a blob when it is large.
    location = f's3://{WAREHOUSE}/registered'
    metadata = json.loads(read(tables['sound'].metadata_location))
    metadata |= {'table-uuid': str(uuid.uuid4()), 'location': location, 'properties': {'filler': secrets.token_hex(LARGE)}}
    before = stored(server)
    s3_client().put_object(Bucket=WAREHOUSE, Key='registered/metadata/v1.metadata.json', Body=json.dumps(metadata))
    made = new_blobs(server, before)
    assert len(made) == 1
    pyiceberg_catalog().register_table((NAMESPACE, 'pointer'), f'{location}/metadata/v1.metadata.json')
    server.stop()
    gone = [path for blob in made for path in shards(server, blob)]
    assert len(gone) == DRIVES * len(made)
    kept = {path: path.read_bytes() for path in gone}
    for path in gone[:-1]:
        path.unlink()
    code, found = report(server)
    assert (code, found['verdict']) == (LOST, 'lost')
    [subject] = {finding['subject'] for finding in found['findings'] if finding['code'] == 'TableBroken' and finding['severity'] == 'lost'}
    assert subject == f'table lake.{NAMESPACE}.pointer'
    # One shard is left, too few to make the others: it is not touched. They may lie on a drive that is found again.
    code, found = report(server, '--repair')
    assert (code, found['verdict']) == (LOST, 'lost')
    assert stored(server)[gone[-1]] == kept[gone[-1]]
    for path, content in kept.items():
        path.write_bytes(content)
    assert report(server)[0] == WRONG
    server.start()


def test_repair_makes_what_is_missing_and_removes_nothing(server, tables):
    bodies = {key: put(key) for key in ('repair/damaged', 'repair/missing')}
    before = stored(server)
    bodies['repair/unfinished'] = put('repair/unfinished')
    [unfinished] = new_blobs(server, before)
    server.stop()
    damaged, missing = [path for path in before if path.stat().st_size > LARGE // DRIVES][:2]
    damaged.write_bytes(before[damaged][:1000] + bytes([before[damaged][1000] ^ 1]) + before[damaged][1001:])
    missing.unlink()
    [first, *others] = shards(server, unfinished)
    # As an upload leaves them that is cut off; and a file of nobody's, a blob that nothing refers to, and one of a name that is none.
    for path in others:
        path.write_bytes(path.read_bytes()[:500])
    strange = [first.with_name('7ZZZZZZZZZZZZZZZZZZZZZZZZZ'), first.with_name('notes.txt')]
    for path in strange:
        path.write_bytes(b'somebody keeps this here')
    was = stored(server)
    code, found = report(server, '--repair')
    assert (code, found['verdict']) == (LOST, 'lost')
    assert found['repaired']['healedBlobs'] == len({damaged.name, missing.name})
    now = stored(server)
    assert now.keys() == was.keys() | {missing}
    assert {path for path in was if now[path] != was[path]} == {damaged}
    assert (now[damaged], now[missing]) == (before[damaged], before[missing])
    server.start()
    for key in ('repair/damaged', 'repair/missing'):
        assert s3_client().get_object(Bucket=WAREHOUSE, Key=key)['Body'].read() == bodies[key]
