"""What engines do when the credentials for a table's files end in the middle of a query: who gets new ones, and who fails, and how."""

import json
import time

import boto3
import duckdb
import pyarrow as pa
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import LIFETIME_SECONDS
from pyiceberg.catalog import load_catalog
from pyspark.sql.functions import udf
from pyspark.sql.types import LongType
from reference import load_extensions
from server import ENDPOINT, ICEBERG_URI, REGION, WAREHOUSE, ACCESS_KEY, SECRET_KEY
from spark_driver import spark_driver

FILES = 4
SCHEMA = pa.schema([('id', pa.int64()), ('filler', pa.string())])
# Each file is its own task: how Iceberg's readers are told.
SPLITS = {'read.split.target-size': '1', 'read.split.open-file-cost': '1', 'read.split.planning-lookback': '1'}


@pytest.fixture(scope='module')
def key(server):
    """A user with rights on tables alone: without vended credentials it reads no file."""
    client = boto3.client('iam', endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
    client.create_user(UserName='engine')
    document = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3tables:*', 'Resource': '*'}]}
    client.put_user_policy(UserName='engine', PolicyName='tables', PolicyDocument=json.dumps(document))
    made = client.create_access_key(UserName='engine')['AccessKey']
    return made['AccessKeyId'], made['SecretAccessKey']


def catalog_of(key):
    return load_catalog('lake', **{
        'type': 'rest', 'uri': ICEBERG_URI, 'warehouse': WAREHOUSE, 'credential': ':'.join(key), 'oauth2-server-uri': f'{ICEBERG_URI}/v1/oauth/tokens',
        'header.X-Iceberg-Access-Delegation': 'vended-credentials',
    })


@pytest.fixture(scope='module')
def numbers(key):
    """A table of as many files as tasks."""
    catalog = catalog_of(key)
    catalog.create_namespace_if_not_exists('expiry')
    table = catalog.create_table('expiry.numbers', SCHEMA, properties=SPLITS)
    for number in range(FILES):
        table.append(pa.table({'id': [number], 'filler': ['x' * 1000]}, schema=SCHEMA))
        table = catalog.load_table('expiry.numbers')
    return table


def outlive():
    time.sleep(LIFETIME_SECONDS + 2)


def records(folder):
    return [json.loads(line) for line in (folder / 'audit.log').read_text().splitlines()]


def test_an_expired_one_is_refused_as_expired(key, numbers):
    vended = catalog_of(key).load_table('expiry.numbers').io.properties
    s3 = boto3.client(
        's3', endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=vended['s3.access-key-id'], aws_secret_access_key=vended['s3.secret-access-key'],
        aws_session_token=vended['s3.session-token'], config=Config(s3={'addressing_style': 'path'}, retries={'total_max_attempts': 1}))
    prefix = numbers.location().removeprefix(f's3://{WAREHOUSE}/') + '/'
    assert s3.list_objects_v2(Bucket=WAREHOUSE, Prefix=prefix)['KeyCount'] > 0
    assert int(vended['s3.session-token-expires-at-ms']) - time.time() * 1000 <= LIFETIME_SECONDS * 1000
    outlive()
    with pytest.raises(ClientError, match='ExpiredToken'):
        s3.list_objects_v2(Bucket=WAREHOUSE, Prefix=prefix)


def test_pyiceberg_fails_in_the_query_and_works_on_a_table_loaded_anew(key, numbers):
    """It has no renewal of its own: https://github.com/apache/iceberg-python/issues/3506."""
    catalog = catalog_of(key)
    table = catalog.load_table('expiry.numbers')
    assert table.scan().to_arrow().num_rows == FILES
    outlive()
    with pytest.raises(Exception, match=r'(?i)expired|access.?denied|400|403'):
        table.scan().to_arrow()
    assert catalog.load_table('expiry.numbers').scan().to_arrow().num_rows == FILES


def test_duckdb_gets_new_ones_for_the_next_query(key, numbers):
    db = duckdb.connect()
    db.execute("SET memory_limit = '1GB'; SET threads = 2; SET autoinstall_known_extensions = false")
    load_extensions(db, 'httpfs', 'avro', 'iceberg')
    db.execute(f"""
        SET enable_external_file_cache = false;
        CREATE SECRET lake_catalog (TYPE iceberg, CLIENT_ID '{key[0]}', CLIENT_SECRET '{key[1]}', OAUTH2_SERVER_URI '{ICEBERG_URI}/v1/oauth/tokens');
        ATTACH '{WAREHOUSE}' AS lh (TYPE iceberg, ENDPOINT '{ICEBERG_URI}', SECRET lake_catalog, ACCESS_DELEGATION_MODE 'vended_credentials');
    """)
    assert db.execute('SELECT count(filler) FROM lh.expiry.numbers').fetchone() == (FILES,)
    outlive()
    assert db.execute('SELECT count(filler) FROM lh.expiry.numbers').fetchone() == (FILES,)
    # Within one transaction it stays with the table as it was loaded.
    db.execute('BEGIN')
    assert db.execute('SELECT count(filler) FROM lh.expiry.numbers').fetchone() == (FILES,)
    outlive()
    with pytest.raises(duckdb.Error, match=r'(?i)expired|400|403|bad request'):
        db.execute('SELECT max(filler) FROM lh.expiry.numbers').fetchone()
    db.execute('ROLLBACK')
    assert db.execute('SELECT count(filler) FROM lh.expiry.numbers').fetchone() == (FILES,)


def test_spark_renews_them_in_the_middle_of_a_query(key, numbers, folder):
    catalog = 'spark.sql.catalog.lh'
    spark = spark_driver({
        'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
        catalog: 'org.apache.iceberg.spark.SparkCatalog',
        f'{catalog}.type': 'rest',
        f'{catalog}.uri': ICEBERG_URI,
        f'{catalog}.warehouse': WAREHOUSE,
        f'{catalog}.credential': ':'.join(key),
        f'{catalog}.oauth2-server-uri': f'{ICEBERG_URI}/v1/oauth/tokens',
        f'{catalog}.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
        f'{catalog}.header.X-Iceberg-Access-Delegation': 'vended-credentials',
    })
    try:
        def wait(number):
            time.sleep(8)
            return number

        started = time.monotonic()
        before = len(records(folder))
        waited = spark.table('lh.expiry.numbers').select(udf(wait, LongType())('id').alias('id'))
        # Two tasks at a time: the last two files are opened after the first credentials have ended.
        assert waited.agg({'id': 'sum'}).first()[0] == sum(range(FILES))
        assert time.monotonic() - started > LIFETIME_SECONDS
        seen = records(folder)[before:]
        assert any(record['api']['name'] == 'loadCredentials' and record['api']['statusCode'] == 200 for record in seen)
        assert not any(record['api'].get('errorCode') == 'ExpiredToken' for record in seen)
    finally:
        spark.stop()
