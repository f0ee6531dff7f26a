"""s5cmd."""

import pytest
from command import run
from documented import documented_environment
from folders import contents, sample_folder
from server import fresh_name

ENV = documented_environment('s5cmd')


def s5cmd(*words: str, refused: bool = False, env: dict[str, str] = ENV) -> str:
    return run('s5cmd', '--retry-count', '0', *words, env=env, refused=refused)


@pytest.fixture(scope='module')
def bucket():
    name = fresh_name('s5cmd')
    s5cmd('mb', f's3://{name}')
    return name


def test_copy_and_sync(bucket, tmp_path):
    up = sample_folder(tmp_path / 'up')
    s5cmd('cp', '--part-size', '5', f'{up}/', f's3://{bucket}/tree/')
    assert s5cmd('sync', '--size-only', f'{up}/', f's3://{bucket}/tree/') == ''
    s5cmd('sync', f's3://{bucket}/tree/*', f'{tmp_path}/down/')
    assert contents(tmp_path / 'down') == contents(up)
    (up / 'one').unlink()
    s5cmd('sync', '--delete', '--size-only', f'{up}/', f's3://{bucket}/tree/')
    s5cmd('cp', f's3://{bucket}/tree/large', f's3://{bucket}/copied')
    s5cmd('mv', f's3://{bucket}/copied', f's3://{bucket}/moved')
    s5cmd('cp', f's3://{bucket}/moved', f'{tmp_path}/moved')
    assert (tmp_path / 'moved').read_bytes() == (up / 'large').read_bytes()
    listed = [line.split()[-1] for line in s5cmd('ls', f's3://{bucket}/').splitlines()]
    assert listed == ['tree/', 'moved']
    s5cmd('rm', f's3://{bucket}/*')
    s5cmd('rb', f's3://{bucket}')
    assert bucket not in s5cmd('ls')


def test_many_keys(tmp_path):
    name = fresh_name('s5cmd')
    s5cmd('mb', f's3://{name}')
    (tmp_path / 'many').mkdir()
    for number in range(1_100):
        (tmp_path / 'many' / f'{number:04}').write_bytes(b'x')
    s5cmd('cp', f'{tmp_path}/many/', f's3://{name}/many/')
    assert [line.split()[-1] for line in s5cmd('ls', f's3://{name}/many/').splitlines()] == [f'{number:04}' for number in range(1_100)]
    s5cmd('rm', f's3://{name}/many/*')
    assert 'no object found' in s5cmd('ls', f's3://{name}/many/', refused=True)


def test_refusals(tmp_path):
    assert 'SignatureDoesNotMatch' in s5cmd('ls', refused=True, env={**ENV, 'AWS_SECRET_ACCESS_KEY': 'wrong'})
    assert 'NoSuchBucket' in s5cmd('ls', f's3://{fresh_name("absent")}', refused=True)
