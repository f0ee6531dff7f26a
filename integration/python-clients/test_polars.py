"""Polars reads and writes through the Rust crate object_store."""

import polars
import pytest
from documented import documented_names
from server import fresh_bucket, s3_client

ROWS = 4_000_000


@pytest.fixture(scope='module')
def options() -> dict[str, str]:
    return documented_names('Polars')['storage_options']


@pytest.fixture(scope='module')
def bucket():
    return fresh_bucket(s3_client(), 'polars')


@pytest.fixture(scope='module')
def frame():
    numbers = polars.int_range(ROWS, eager=True)
    return polars.DataFrame({'id': numbers, 'group': numbers % 7, 'value': (numbers * 2_654_435_761 % 1_000_003).cast(polars.Float64)})


def test_parquet(frame, bucket, options):
    """96 MB of Parquet, more than the 64 MiB from which Polars writes in parts."""
    frame.write_parquet(f's3://{bucket}/whole.parquet', storage_options=options, compression='uncompressed')
    assert '-' in s3_client().head_object(Bucket=bucket, Key='whole.parquet')['ETag']
    assert polars.read_parquet(f's3://{bucket}/whole.parquet', storage_options=options).equals(frame)
    lazy = polars.scan_parquet(f's3://{bucket}/whole.parquet', storage_options=options)
    summed = lazy.filter(polars.col('id') > ROWS - 1_000).group_by('group').agg(polars.col('value').sum()).sort('group').collect()
    wanted = frame.filter(polars.col('id') > ROWS - 1_000).group_by('group').agg(polars.col('value').sum()).sort('group')
    assert summed.equals(wanted)


def test_partitions_and_globs(frame, bucket, options):
    frame.lazy().sink_parquet(polars.PartitionBy(f's3://{bucket}/hive/', key='group'), storage_options=options, mkdir=True)
    read = polars.scan_parquet(f's3://{bucket}/hive/**/*.parquet', storage_options=options, hive_partitioning=True)
    assert read.select('id', 'value').sort('id').collect().equals(frame.select('id', 'value'))
    assert read.filter(polars.col('group') == 3).select(polars.len()).collect().item() == len(frame.filter(polars.col('group') == 3))


def test_csv_and_ndjson(frame, bucket, options):
    small = frame.head(10_000)
    small.write_csv(f's3://{bucket}/small.csv', storage_options=options)
    assert polars.scan_csv(f's3://{bucket}/small.csv', storage_options=options).collect().equals(small)
    small.lazy().sink_ndjson(f's3://{bucket}/small.ndjson', storage_options=options)
    assert polars.scan_ndjson(f's3://{bucket}/small.ndjson', storage_options=options).collect().equals(small)


def test_errors(bucket, options):
    with pytest.raises(Exception, match='(?i)not found|no such|expanded paths were empty'):
        polars.scan_parquet(f's3://{bucket}/absent.parquet', storage_options=options).collect()
    wrong = {**options, 'aws_secret_access_key': 'wrong', 'max_retries': 0}
    with pytest.raises(Exception, match='SignatureDoesNotMatch|403'):
        polars.scan_parquet(f's3://{bucket}/whole.parquet', storage_options=wrong).collect()
