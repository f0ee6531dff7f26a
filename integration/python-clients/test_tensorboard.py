"""TensorBoard's own event writer and reader straight on S3 (its `S3FileSystem` over boto3)."""

import pathlib
import subprocess
import sys

import pytest
from documented import documented_environment
from server import fresh_bucket, s3_client

WRITE = """
import sys
import tensorboard.compat.tensorflow_stub as stub
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

writer = EventFileWriter(sys.argv[1])
for step in range(200):
    value = Summary.Value(tag='loss', simple_value=1 / (step + 1))
    writer.add_event(Event(wall_time=float(step), step=step, summary=Summary(value=[value])))
    if step % 50 == 49:
        writer.flush()
writer.close()
"""
READ = """
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1])
events.Reload()
print([(event.step, round(event.value, 6)) for event in events.Scalars('loss')])
"""


@pytest.fixture(scope='module')
def log_folder():
    return f's3://{fresh_bucket(s3_client(), "tensorboard")}/runs/one'


def run(program: str, *arguments: str) -> str:
    # tensorboard.compat prefers TensorFlow; without it its own file systems serve s3://.
    done = subprocess.run(
        [sys.executable, '-c', program, *arguments], env=documented_environment('TensorBoard'), capture_output=True, text=True, timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_event_files(log_folder):
    run(WRITE, log_folder)
    assert run(READ, log_folder).strip() == str([(step, round(1 / (step + 1), 6)) for step in range(200)])
    bucket, prefix = log_folder.removeprefix('s3://').split('/', 1)
    keys = [entry['Key'] for entry in s3_client().list_objects_v2(Bucket=bucket, Prefix=prefix)['Contents']]
    assert [pathlib.PurePosixPath(key).name.split('.')[:3] for key in keys] == [['one'], ['events', 'out', 'tfevents']]
