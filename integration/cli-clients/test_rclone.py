"""rclone."""

import os

import pytest
from command import run
from documented import documented
from folders import contents, sample_folder
from server import fresh_name

ENV = {name: value for name, value in os.environ.items() if not name.startswith('AWS_')}


@pytest.fixture(scope='module')
def rclone(tmp_path_factory):
    config = tmp_path_factory.mktemp('rclone') / 'rclone.conf'
    config.write_text(documented('rclone', 'ini'))
    options = ('--config', str(config), '--retries', '1', '--s3-chunk-size', '5M', '--s3-upload-cutoff', '8M')
    return lambda *words, refused=False: run('rclone', *options, *words, env=ENV, refused=refused)


@pytest.fixture(scope='module')
def bucket(rclone):
    name = fresh_name('rclone')
    rclone('mkdir', f'moraine:{name}')
    return name


def test_sync_and_check(rclone, bucket, tmp_path):
    up = sample_folder(tmp_path / 'up')
    rclone('sync', str(up), f'moraine:{bucket}/tree')
    rclone('check', '--download', str(up), f'moraine:{bucket}/tree')
    rclone('check', str(up), f'moraine:{bucket}/tree')
    rclone('copy', '--multi-thread-cutoff', '8M', f'moraine:{bucket}/tree', str(tmp_path / 'down'))
    assert contents(tmp_path / 'down') == contents(up)
    # Modification times are kept in metadata to the nanosecond.
    assert (tmp_path / 'down' / 'large').stat().st_mtime_ns == (up / 'large').stat().st_mtime_ns
    (up / 'block').unlink()
    assert 'block' in rclone('check', str(up), f'moraine:{bucket}/tree', '--combined', '-', refused=True)
    rclone('sync', str(up), f'moraine:{bucket}/tree')
    rclone('copy', f'moraine:{bucket}/tree', f'moraine:{bucket}/copy')
    rclone('check', f'moraine:{bucket}/copy', f'moraine:{bucket}/tree')
    rclone('moveto', f'moraine:{bucket}/copy/large', f'moraine:{bucket}/moved')
    assert 'moved' in rclone('lsf', f'moraine:{bucket}')
    rclone('purge', f'moraine:{bucket}/copy')
    assert rclone('lsf', '-R', f'moraine:{bucket}/copy', refused=False) == ''


def test_many_keys(rclone, bucket, tmp_path):
    (tmp_path / 'many').mkdir()
    for number in range(1_050):
        (tmp_path / 'many' / f'{number:04}').write_bytes(b'x')
    rclone('copy', '--transfers', '16', '--no-check-dest', str(tmp_path / 'many'), f'moraine:{bucket}/many')
    assert rclone('lsf', f'moraine:{bucket}/many').split() == [f'{number:04}' for number in range(1_050)]
    rclone('delete', f'moraine:{bucket}/many')
    assert rclone('lsf', f'moraine:{bucket}/many') == ''


def test_streams_hashes_and_refusals(rclone, bucket, tmp_path):
    (tmp_path / 'body').write_bytes(b'0123456789')
    rclone('copyto', str(tmp_path / 'body'), f'moraine:{bucket}/body')
    assert rclone('cat', '--offset', '3', '--count', '4', f'moraine:{bucket}/body') == '3456'
    assert rclone('md5sum', f'moraine:{bucket}/body').startswith('781e5e245d69b566979b86e28d23f2c7')
    assert 'SignatureDoesNotMatch' in rclone('--s3-secret-access-key', 'wrong', '--low-level-retries', '1', 'lsd', 'moraine:', refused=True)
    # A bucket that holds objects stays.
    rclone('rmdir', f'moraine:{bucket}', refused=True)
