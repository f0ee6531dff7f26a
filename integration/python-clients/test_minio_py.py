"""minio-py."""

import datetime
import hashlib
import io
import os

import pytest
import urllib3
from documented import documented_names
from minio import Minio
from minio.commonconfig import REPLACE, ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.versioningconfig import ENABLED, VersioningConfig
from server import ENDPOINT, fresh_name

MEBIBYTE = 1 << 20
KEYS = 1_250


@pytest.fixture(scope='module')
def client() -> Minio:
    return documented_names('minio-py')['client']


@pytest.fixture(scope='module')
def bucket(client):
    name = fresh_name('minio-py')
    client.make_bucket(name)
    return name


def put(client, bucket, key, body, **options):
    return client.put_object(bucket, key, io.BytesIO(body), len(body), **options)


def read(client, bucket, key, **options) -> bytes:
    response = client.get_object(bucket, key, **options)
    try:
        return response.read()
    finally:
        response.close()
        response.release_conn()


def code_of(call, *arguments, **options) -> str:
    with pytest.raises(S3Error) as refused:
        call(*arguments, **options)
    return refused.value.code


def test_buckets(client):
    name = fresh_name('buckets')
    client.make_bucket(name)
    assert client.bucket_exists(name)
    assert name in [entry.name for entry in client.list_buckets()]
    put(client, name, 'full', b'x')
    assert code_of(client.remove_bucket, name) == 'BucketNotEmpty'
    client.remove_object(name, 'full')
    client.remove_bucket(name)
    assert not client.bucket_exists(name)


@pytest.mark.parametrize('size', [0, 1, 300_000, 5 * MEBIBYTE - 1, 17 * MEBIBYTE + 3])
def test_round_trip(client, bucket, size):
    body = os.urandom(size)
    written = put(client, bucket, f'size/{size}', body, part_size=5 * MEBIBYTE)
    assert ('-' in written.etag) == (size > 5 * MEBIBYTE)
    assert client.stat_object(bucket, f'size/{size}').size == size
    assert read(client, bucket, f'size/{size}') == body


def test_unknown_length_and_files(client, bucket, tmp_path):
    body = os.urandom(11 * MEBIBYTE)
    client.put_object(bucket, 'stream', io.BytesIO(body), -1, part_size=5 * MEBIBYTE)
    client.fget_object(bucket, 'stream', str(tmp_path / 'down'))
    assert (tmp_path / 'down').read_bytes() == body
    client.fput_object(bucket, 'file', str(tmp_path / 'down'))
    assert hashlib.md5(read(client, bucket, 'file')).digest() == hashlib.md5(body).digest()


def test_ranges_and_metadata(client, bucket):
    body = os.urandom(100_000)
    put(client, bucket, 'meta ü+%', body, content_type='text/plain', metadata={'Team': 'ice'})
    assert read(client, bucket, 'meta ü+%', offset=65_530, length=20) == body[65_530:65_550]
    head = client.stat_object(bucket, 'meta ü+%')
    assert (head.content_type, head.metadata['x-amz-meta-team']) == ('text/plain', 'ice')
    tags = Tags(for_object=True)
    tags['stage'] = 'raw'
    client.set_object_tags(bucket, 'meta ü+%', tags)
    assert dict(client.get_object_tags(bucket, 'meta ü+%')) == {'stage': 'raw'}


def test_copy_and_compose(client, bucket):
    parts = [os.urandom(5 * MEBIBYTE), os.urandom(1_000)]
    for number, part in enumerate(parts):
        put(client, bucket, f'piece/{number}', part)
    client.copy_object(bucket, 'copied', CopySource(bucket, 'piece/1'), metadata={'new': '1'}, metadata_directive=REPLACE)
    assert read(client, bucket, 'copied') == parts[1]
    assert client.stat_object(bucket, 'copied').metadata['x-amz-meta-new'] == '1'
    client.compose_object(bucket, 'composed', [ComposeSource(bucket, f'piece/{number}') for number in range(2)])
    assert read(client, bucket, 'composed') == b''.join(parts)


def test_many_keys(client, bucket):
    for number in range(KEYS):
        put(client, bucket, f'many/{number:05}', b'')
    wanted = [f'many/{number:05}' for number in range(KEYS)]
    assert [entry.object_name for entry in client.list_objects(bucket, prefix='many/', recursive=True)] == wanted
    assert [entry.object_name for entry in client.list_objects(bucket, prefix='many/', start_after='many/01200', use_api_v1=False)] == wanted[1201:]
    assert [entry.object_name for entry in client.list_objects(bucket, prefix='man')] == ['many/']
    assert list(client.remove_objects(bucket, [DeleteObject(key) for key in wanted])) == []
    assert list(client.list_objects(bucket, prefix='many/')) == []


def test_versions(client):
    name = fresh_name('versions')
    client.make_bucket(name)
    client.set_bucket_versioning(name, VersioningConfig(ENABLED))
    first = put(client, name, 'key', b'one').version_id
    put(client, name, 'key', b'two')
    client.remove_object(name, 'key')
    assert code_of(client.stat_object, name, 'key') == 'NoSuchKey'
    assert read(client, name, 'key', version_id=first) == b'one'
    entries = list(client.list_objects(name, include_version=True))
    assert sorted(entry.is_delete_marker for entry in entries) == [False, False, True]


def test_presigned_urls(client, bucket):
    http = urllib3.PoolManager()
    body = os.urandom(10_000)
    url = client.presigned_put_object(bucket, 'presigned', expires=datetime.timedelta(minutes=5))
    assert http.request('PUT', url, body=body).status == 200
    url = client.presigned_get_object(bucket, 'presigned')
    assert http.request('GET', url).data == body
    assert http.request('GET', url.replace('presigned', 'presigned2', 1)).status == 403


def test_wrong_credentials(bucket):
    address = ENDPOINT.removeprefix('http://')
    wrong = Minio(address, access_key='moraineadmin', secret_key='wrong', secure=False, region='us-east-1')
    assert code_of(wrong.stat_object, bucket, 'any') in ('AccessDenied', 'SignatureDoesNotMatch')
    assert code_of(wrong.list_buckets) == 'SignatureDoesNotMatch'
    unknown = Minio(address, access_key='nobody', secret_key='wrong', secure=False, region='us-east-1')
    assert code_of(unknown.list_buckets) == 'InvalidAccessKeyId'
