"""restic: a backup from beginning to end."""

import json
import os

import pytest
from command import run
from documented import documented_environment
from folders import contents, sample_folder
from server import fresh_name


@pytest.fixture(scope='module')
def restic(tmp_path_factory):
    env = documented_environment('restic')
    env['RESTIC_REPOSITORY'] = env['RESTIC_REPOSITORY'].replace('/backups', f'/{fresh_name("backups")}')
    env['RESTIC_CACHE_DIR'] = str(tmp_path_factory.mktemp('restic-cache'))
    return lambda *words, refused=False, **changes: run('restic', *words, env={**env, **changes}, refused=refused)


def test_backup_check_restore_and_prune(restic, tmp_path):
    restic('init')
    up = sample_folder(tmp_path / 'up')
    restic('backup', str(up))
    (up / 'more').write_bytes(os.urandom(3 << 20))
    restic('backup', str(up))
    restic('check', '--read-data')
    snapshots = json.loads(restic('snapshots', '--json'))
    assert len(snapshots) == 2
    restic('restore', 'latest', '--target', str(tmp_path / 'restored'))
    assert contents(tmp_path / 'restored' / up.relative_to('/')) == contents(up)
    restic('forget', '--keep-last', '1', '--prune')
    restic('check')
    assert len(json.loads(restic('snapshots', '--json'))) == 1


def test_wrong_credentials(restic):
    restic('snapshots', refused=True, AWS_SECRET_ACCESS_KEY='wrong')
