"""s3cmd."""

import os

import pytest
from command import run
from documented import documented
from folders import MEBIBYTE, contents, sample_folder
from server import fresh_name

ENV = {name: value for name, value in os.environ.items() if not name.startswith('AWS_')} | {'LC_ALL': 'C.UTF-8'}


@pytest.fixture(scope='module')
def s3cmd(tmp_path_factory):
    config = tmp_path_factory.mktemp('s3cmd') / 's3cfg'
    config.write_text(documented('s3cmd', 'ini'))
    return lambda *words, refused=False: run('s3cmd', '-c', str(config), '--no-progress', *words, env=ENV, refused=refused)


@pytest.fixture(scope='module')
def bucket(s3cmd):
    name = fresh_name('s3cmd')
    s3cmd('mb', f's3://{name}')
    return name


def test_sync(s3cmd, bucket, tmp_path):
    up = sample_folder(tmp_path / 'up')
    s3cmd('sync', '--multipart-chunk-size-mb=5', f'{up}/', f's3://{bucket}/tree/')
    assert 'upload:' not in s3cmd('sync', f'{up}/', f's3://{bucket}/tree/')
    (tmp_path / 'down').mkdir()
    s3cmd('sync', f's3://{bucket}/tree/', f'{tmp_path}/down/')
    assert contents(tmp_path / 'down') == contents(up)
    s3cmd('cp', f's3://{bucket}/tree/block', f's3://{bucket}/copied')
    s3cmd('mv', f's3://{bucket}/copied', f's3://{bucket}/moved')
    s3cmd('get', f's3://{bucket}/moved', f'{tmp_path}/moved')
    assert (tmp_path / 'moved').read_bytes() == (up / 'block').read_bytes()
    assert f's3://{bucket}/tree/deep/' in s3cmd('ls', f's3://{bucket}/tree/')
    s3cmd('del', '--recursive', '--force', f's3://{bucket}/tree/')
    assert s3cmd('ls', f's3://{bucket}/tree/') == ''
    s3cmd('rb', '--recursive', '--force', f's3://{bucket}')
    assert bucket not in s3cmd('ls')


def test_metadata_and_refusals(s3cmd, tmp_path):
    name = fresh_name('s3cmd')
    s3cmd('mb', f's3://{name}')
    (tmp_path / 'body').write_bytes(os.urandom(MEBIBYTE))
    s3cmd('put', '--add-header=x-amz-meta-team:ice', '--mime-type=text/plain', f'{tmp_path}/body', f's3://{name}/meta')
    described = s3cmd('info', f's3://{name}/meta')
    assert 'x-amz-meta-team: ice' in described
    assert 'text/plain' in described
    assert 'not empty' in s3cmd('rb', f's3://{name}', refused=True)
    assert 'Signature' in s3cmd('--secret_key=wrong', 'ls', refused=True) + s3cmd('--secret_key=wrong', 'ls', f's3://{name}', refused=True)
    assert 'does not exist' in s3cmd('get', f's3://{name}/absent', f'{tmp_path}/absent', refused=True)
