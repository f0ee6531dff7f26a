"""The `aws` command line."""

import json
import os
import urllib.request

import pytest
from command import run
from documented import documented, documented_environment
from folders import MEBIBYTE, contents, sample_folder
from server import fresh_name

ENV = documented_environment('aws')


def aws(*words: str, refused: bool = False, env: dict[str, str] = ENV) -> str:
    return run('aws', *words, env=env, refused=refused)


@pytest.fixture(scope='module')
def bucket():
    name = fresh_name('aws-cli')
    aws('s3', 'mb', f's3://{name}')
    return name


def test_buckets():
    name = fresh_name('buckets')
    aws('s3', 'mb', f's3://{name}')
    assert name in aws('s3', 'ls')
    aws('s3', 'rb', f's3://{name}')
    assert 'NoSuchBucket' in aws('s3', 'ls', f's3://{name}', refused=True)


def test_sync(bucket, tmp_path):
    up = sample_folder(tmp_path / 'up')
    aws('s3', 'sync', '--only-show-errors', str(up), f's3://{bucket}/tree')
    assert aws('s3', 'sync', str(up), f's3://{bucket}/tree') == ''
    aws('s3', 'sync', '--only-show-errors', f's3://{bucket}/tree', str(tmp_path / 'down'))
    assert contents(tmp_path / 'down') == contents(up)
    (up / 'one').unlink()
    aws('s3', 'sync', '--delete', str(up), f's3://{bucket}/tree')
    assert 'one' not in aws('s3', 'ls', f's3://{bucket}/tree/')
    aws('s3', 'cp', '--recursive', '--only-show-errors', f's3://{bucket}/tree', f's3://{bucket}/copy')
    aws('s3', 'mv', f's3://{bucket}/copy/large', f's3://{bucket}/moved')
    aws('s3', 'cp', '--only-show-errors', f's3://{bucket}/moved', str(tmp_path / 'moved'))
    assert (tmp_path / 'moved').read_bytes() == (up / 'large').read_bytes()
    aws('s3', 'rm', '--recursive', '--quiet', f's3://{bucket}/tree')
    aws('s3', 'rm', '--recursive', '--quiet', f's3://{bucket}/copy')
    assert [entry['Key'] for entry in json.loads(aws('s3api', 'list-objects-v2', '--bucket', bucket))['Contents']] == ['moved']


def test_streams_metadata_and_presigned_urls(bucket, tmp_path):
    body = os.urandom(MEBIBYTE)
    (tmp_path / 'body').write_bytes(body)
    aws('s3', 'cp', str(tmp_path / 'body'), f's3://{bucket}/meta', '--metadata', 'team=ice', '--content-type', 'text/plain', '--only-show-errors')
    head = json.loads(aws('s3api', 'head-object', '--bucket', bucket, '--key', 'meta'))
    assert (head['Metadata'], head['ContentType'], head['ContentLength']) == ({'team': 'ice'}, 'text/plain', MEBIBYTE)
    aws('s3api', 'get-object', '--bucket', bucket, '--key', 'meta', '--range', 'bytes=65530-65549', str(tmp_path / 'part'))
    assert (tmp_path / 'part').read_bytes() == body[65_530:65_550]
    config = tmp_path / 'config'
    config.write_text(documented('aws', 'ini'))
    url = aws('s3', 'presign', f's3://{bucket}/meta', env={**ENV, 'AWS_CONFIG_FILE': str(config)}).strip()
    with urllib.request.urlopen(url) as response:
        assert response.read() == body


def test_conditions(bucket, tmp_path):
    (tmp_path / 'body').write_bytes(b'x')
    put = ('s3api', 'put-object', '--bucket', bucket, '--key', 'once', '--body', str(tmp_path / 'body'), '--if-none-match', '*')
    aws(*put)
    assert 'PreconditionFailed' in aws(*put, refused=True)


def test_wrong_credentials(bucket):
    assert 'SignatureDoesNotMatch' in aws('s3api', 'list-buckets', refused=True, env={**ENV, 'AWS_SECRET_ACCESS_KEY': 'wrong'})
    assert 'InvalidAccessKeyId' in aws('s3', 'ls', f's3://{bucket}', refused=True, env={**ENV, 'AWS_ACCESS_KEY_ID': 'nobody'})
