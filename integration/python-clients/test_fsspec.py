"""fsspec's s3fs over aiobotocore, and checkpoints that are written through it."""

import os
import pickle

import numpy
import pytest
import safetensors.numpy
from botocore.exceptions import ClientError
from documented import documented_names
from s3fs import S3FileSystem
from server import ENDPOINT, fresh_name

MEBIBYTE = 1 << 20
KEYS = 1_100


@pytest.fixture(scope='module')
def fs() -> S3FileSystem:
    return documented_names('fsspec and s3fs')['fs']


@pytest.fixture(scope='module')
def bucket(fs):
    name = fresh_name('fsspec')
    fs.mkdir(name)
    return name


def test_buckets(fs):
    name = fresh_name('buckets')
    fs.mkdir(name)
    assert name in fs.ls('')
    fs.rmdir(name)
    fs.invalidate_cache()
    assert not fs.exists(name)


@pytest.mark.parametrize('size', [0, 1, 300_000, 23 * MEBIBYTE + 7])
def test_round_trip(fs, bucket, size):
    body = os.urandom(size)
    with fs.open(f'{bucket}/size/{size}', 'wb', block_size=5 * MEBIBYTE) as file:
        for start in range(0, size, 3 * MEBIBYTE):
            file.write(body[start:start + 3 * MEBIBYTE])
    fs.invalidate_cache()
    assert fs.size(f'{bucket}/size/{size}') == size
    with fs.open(f'{bucket}/size/{size}', 'rb') as file:
        assert file.read() == body
        file.seek(size // 2)
        assert file.read(100) == body[size // 2:size // 2 + 100]


def test_ranges_and_metadata(fs, bucket):
    body = os.urandom(200_000)
    fs.pipe_file(f'{bucket}/meta', body, Metadata={'team': 'ice'}, ContentType='text/plain')
    assert fs.cat_file(f'{bucket}/meta', start=65_530, end=65_550) == body[65_530:65_550]
    assert fs.cat_ranges([f'{bucket}/meta'] * 2, [0, 199_990], [10, 200_000]) == [body[:10], body[-10:]]
    assert fs.metadata(f'{bucket}/meta')['team'] == 'ice'
    assert fs.info(f'{bucket}/meta')['ContentType'] == 'text/plain'


def test_append(fs, bucket):
    """s3fs appends by a multipart upload whose first part is a copy of the old object."""
    path, first, second = f'{bucket}/appended', os.urandom(6 * MEBIBYTE), os.urandom(70_000)
    fs.pipe_file(path, first)
    with fs.open(path, 'ab') as file:
        file.write(second)
    fs.invalidate_cache()
    assert fs.cat_file(path) == first + second


def test_copy_move_and_folders(fs, bucket, tmp_path):
    for number in range(12):
        (tmp_path / 'up' / str(number % 3)).mkdir(parents=True, exist_ok=True)
        (tmp_path / 'up' / str(number % 3) / f'{number} ü').write_bytes(os.urandom(number * 1_000))
    fs.put(f'{tmp_path}/up/', f'{bucket}/folder/', recursive=True)
    fs.copy(f'{bucket}/folder/', f'{bucket}/copied/', recursive=True)
    fs.mv(f'{bucket}/copied/1/1 ü', f'{bucket}/moved')
    assert fs.cat_file(f'{bucket}/moved') == (tmp_path / 'up' / '1' / '1 ü').read_bytes()
    assert sorted(fs.ls(f'{bucket}/folder', detail=False, refresh=True)) == [f'{bucket}/folder/{number}' for number in range(3)]
    assert len(fs.find(f'{bucket}/copied')) == 11
    assert len(fs.glob(f'{bucket}/folder/*/*')) == 12
    fs.get(f'{bucket}/folder/', f'{tmp_path}/down/', recursive=True)
    for path in (tmp_path / 'up').rglob('* ü'):
        assert (tmp_path / 'down' / path.relative_to(tmp_path / 'up')).read_bytes() == path.read_bytes()


def test_many_keys(fs, bucket):
    fs.pipe({f'{bucket}/many/{number:05}': b'x' for number in range(KEYS)})
    wanted = [f'{bucket}/many/{number:05}' for number in range(KEYS)]
    assert fs.ls(f'{bucket}/many', detail=False, refresh=True) == wanted
    fs.rm(f'{bucket}/many', recursive=True)
    fs.invalidate_cache()
    assert not fs.exists(f'{bucket}/many')


def test_exclusive_create(fs, bucket):
    """Mode `create` sends If-None-Match."""
    fs.pipe_file(f'{bucket}/once', b'first', mode='create')
    with pytest.raises(FileExistsError):
        fs.pipe_file(f'{bucket}/once', b'second', mode='create')
    assert fs.cat_file(f'{bucket}/once') == b'first'


def test_wrong_credentials(bucket):
    wrong = S3FileSystem(key='moraineadmin', secret='wrong', endpoint_url=ENDPOINT, skip_instance_cache=True)
    with pytest.raises((PermissionError, OSError, ClientError)) as refused:
        wrong.ls(bucket)
    assert 'signature' in str(refused.value).lower() or isinstance(refused.value, PermissionError)


def test_pickled_checkpoints(fs, bucket):
    """As training loops do: write under a temporary name, move into place, keep the last two, resume from the newest."""
    generator = numpy.random.default_rng(7)
    saved = {}
    for step in range(4):
        state = {'step': step, 'weights': generator.standard_normal((700, 1_000)), 'optimizer': {'lr': 0.1 / (step + 1)}}
        saved[step] = state
        final = f'{bucket}/run/step-{step:04}.ckpt'
        with fs.open(f'{final}.tmp', 'wb', block_size=5 * MEBIBYTE) as file:
            pickle.dump(state, file, protocol=5)
        fs.mv(f'{final}.tmp', final)
        for old in sorted(fs.glob(f'{bucket}/run/*.ckpt', refresh=True))[:-2]:
            fs.rm(old)
    fs.invalidate_cache()
    kept = sorted(fs.ls(f'{bucket}/run', detail=False))
    assert kept == [f'{bucket}/run/step-{step:04}.ckpt' for step in (2, 3)]
    with fs.open(kept[-1], 'rb') as file:
        state = pickle.load(file)
    assert state['step'] == 3
    assert numpy.array_equal(state['weights'], saved[3]['weights'])


def test_safetensors_checkpoint(fs, bucket):
    tensors = {f'layer{number}': numpy.full((256, 1_024), number, dtype=numpy.float32) for number in range(8)}
    fs.pipe_file(f'{bucket}/model.safetensors', safetensors.numpy.save(tensors))
    loaded = safetensors.numpy.load(fs.cat_file(f'{bucket}/model.safetensors'))
    assert all(numpy.array_equal(loaded[name], tensor) for name, tensor in tensors.items())
