"""DuckDB's httpfs without a catalog: plain files by COPY, ranges and globs."""

import duckdb
import pytest
from documented import documented
from reference import load_extensions
from server import fresh_bucket, s3_client

ROWS = 2_000_000


@pytest.fixture(scope='module')
def db():
    connection = duckdb.connect()
    load_extensions(connection, 'httpfs')
    connection.execute("SET memory_limit = '1GB'; SET threads = 2")
    connection.execute(documented('DuckDB httpfs', 'sql'))
    connection.execute(f'CREATE TABLE numbers AS SELECT i AS id, i % 10 AS digit, hash(i) AS hashed FROM range({ROWS}) t(i)')
    return connection


@pytest.fixture(scope='module')
def bucket():
    return fresh_bucket(s3_client(), 'httpfs')


def test_parquet(db, bucket):
    """20 MB, written as a multipart upload, read by ranges."""
    # The size of parts follows from that of the largest file that is to be possible.
    db.execute("SET s3_uploader_max_filesize = '50GB'")
    db.execute(f"COPY numbers TO 's3://{bucket}/numbers.parquet' (FORMAT parquet, ROW_GROUP_SIZE 100000)")
    assert '-' in s3_client().head_object(Bucket=bucket, Key='numbers.parquet')['ETag']
    differing = f"(SELECT * FROM numbers EXCEPT SELECT * FROM 's3://{bucket}/numbers.parquet')"
    assert db.execute(f'SELECT count(*) FROM {differing}').fetchone() == (0,)
    assert db.execute(f"SELECT count(*) FROM 's3://{bucket}/numbers.parquet' WHERE id BETWEEN 1500000 AND 1500009").fetchone() == (10,)


def test_partitions_and_globs(db, bucket):
    db.execute(f"COPY (FROM numbers LIMIT 100000) TO 's3://{bucket}/parts' (FORMAT parquet, PARTITION_BY (digit))")
    assert len(db.execute(f"FROM glob('s3://{bucket}/parts/*/*.parquet')").fetchall()) >= 10
    per_digit = db.execute(f"SELECT digit, count(*) FROM read_parquet('s3://{bucket}/parts/**/*.parquet') GROUP BY ALL ORDER BY 1").fetchall()
    assert [count for _, count in per_digit] == [10_000] * 10


def test_csv_and_json(db, bucket):
    for form in ('csv', 'json'):
        db.execute(f"COPY (FROM numbers LIMIT 1000) TO 's3://{bucket}/small file+ü.{form}'")
        assert db.execute(f"SELECT sum(id) FROM 's3://{bucket}/small file+ü.{form}'").fetchone() == (499_500,)


def test_errors(db, bucket):
    with pytest.raises(duckdb.Error, match='404'):
        db.execute(f"FROM 's3://{bucket}/absent.parquet'")
    wrong = documented('DuckDB httpfs', 'sql').replace("SECRET 'moraineadmin'", "SECRET 'wrong'").replace('SECRET moraine', 'SECRET mistaken')
    cursor = db.cursor()
    cursor.execute('DROP SECRET moraine')
    cursor.execute(wrong)
    with pytest.raises(duckdb.Error, match='403'):
        cursor.execute(f"FROM 's3://{bucket}/numbers.parquet'")
    cursor.execute('DROP SECRET mistaken')
    cursor.execute(documented('DuckDB httpfs', 'sql'))
