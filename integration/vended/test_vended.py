"""Engines with the credentials that the catalog gives them, and none of their own: a writer and a reader, made by boto3."""

import json

import boto3
import duckdb
import pyarrow as pa
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pyiceberg.catalog import load_catalog
from reference import load_extensions
from server import ACCESS_KEY, ENDPOINT, ICEBERG_URI, REGION, SECRET_KEY, WAREHOUSE
from spark_driver import spark_driver

ROWS = pa.table({'id': pa.array([1, 2, 3], pa.int64()), 'name': ['a', 'b', 'c']})


def iam():
    return boto3.client('iam', endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)


def new_user(name, *actions):
    """A user with rights on tables alone, none in S3."""
    client = iam()
    client.create_user(UserName=name)
    document = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': list(actions), 'Resource': '*'}]}
    client.put_user_policy(UserName=name, PolicyName='tables', PolicyDocument=json.dumps(document))
    assert client.get_user_policy(UserName=name, PolicyName='tables')['PolicyDocument'] == document
    key = client.create_access_key(UserName=name)['AccessKey']
    return key['AccessKeyId'], key['SecretAccessKey']


@pytest.fixture(scope='module')
def writer():
    return new_user('table-writer', 's3tables:*')


@pytest.fixture(scope='module')
def reader():
    return new_user('table-reader', 's3tables:Get*', 's3tables:List*')


def catalog_of(key):
    """No setting of S3: endpoint, region and credentials come with each table."""
    return load_catalog('lake', **{
        'type': 'rest', 'uri': ICEBERG_URI, 'warehouse': WAREHOUSE, 'credential': ':'.join(key), 'oauth2-server-uri': f'{ICEBERG_URI}/v1/oauth/tokens',
        'header.X-Iceberg-Access-Delegation': 'vended-credentials',
    })


@pytest.fixture(scope='module')
def orders(writer):
    catalog = catalog_of(writer)
    catalog.create_namespace_if_not_exists('vended')
    table = catalog.create_table('vended.orders', ROWS.schema)
    table.append(ROWS)
    return table


def test_pyiceberg_writes_and_reads(writer, orders):
    assert catalog_of(writer).load_table('vended.orders').scan().to_arrow().num_rows == 3


def test_pyiceberg_reads_for_a_reader_who_cannot_write(reader, orders):
    table = catalog_of(reader).load_table('vended.orders')
    assert table.scan().to_arrow().num_rows == 3
    with pytest.raises(Exception, match=r'(?i)access.?denied|forbidden|not authorized'):
        table.append(ROWS)
    assert catalog_of(reader).load_table('vended.orders').scan().to_arrow().num_rows == 3


def test_the_reader_has_no_right_of_its_own(reader, orders):
    s3 = boto3.client(
        's3', endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=reader[0], aws_secret_access_key=reader[1], config=Config(s3={'addressing_style': 'path'}))
    with pytest.raises(ClientError, match='AccessDenied'):
        s3.list_objects_v2(Bucket=WAREHOUSE)


def duckdb_of(key):
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '1GB'; SET threads = 2; SET autoinstall_known_extensions = false")
    load_extensions(connection, 'httpfs', 'avro', 'iceberg')
    connection.execute(f"""
        CREATE SECRET lake_catalog (TYPE iceberg, CLIENT_ID '{key[0]}', CLIENT_SECRET '{key[1]}', OAUTH2_SERVER_URI '{ICEBERG_URI}/v1/oauth/tokens');
        ATTACH '{WAREHOUSE}' AS lh (TYPE iceberg, ENDPOINT '{ICEBERG_URI}', SECRET lake_catalog, ACCESS_DELEGATION_MODE 'vended_credentials');
    """)
    return connection


def test_duckdb_writes_and_reads(writer, orders):
    db = duckdb_of(writer)
    db.execute('CREATE TABLE lh.vended.made (id BIGINT)')
    db.execute('INSERT INTO lh.vended.made VALUES (1), (2)')
    assert db.execute('SELECT sum(id) FROM lh.vended.made').fetchone() == (3,)


def test_duckdb_reads_for_a_reader_who_cannot_write(reader, orders):
    db = duckdb_of(reader)
    assert db.execute('SELECT count(*) FROM lh.vended.orders').fetchone() == (3,)
    with pytest.raises(duckdb.Error):
        db.execute("INSERT INTO lh.vended.orders VALUES (9, 'z')")
    assert db.execute('SELECT count(*) FROM lh.vended.orders').fetchone() == (3,)


def spark_catalog(name, key):
    catalog = f'spark.sql.catalog.{name}'
    return {
        catalog: 'org.apache.iceberg.spark.SparkCatalog',
        f'{catalog}.type': 'rest',
        f'{catalog}.uri': ICEBERG_URI,
        f'{catalog}.warehouse': WAREHOUSE,
        f'{catalog}.credential': ':'.join(key),
        f'{catalog}.oauth2-server-uri': f'{ICEBERG_URI}/v1/oauth/tokens',
        f'{catalog}.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
        f'{catalog}.header.X-Iceberg-Access-Delegation': 'vended-credentials',
    }


@pytest.fixture(scope='module')
def spark(writer, reader):
    extensions = {'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions'}
    session = spark_driver({**extensions, **spark_catalog('writer', writer), **spark_catalog('reader', reader)})
    yield session
    session.stop()


def test_spark_writes_and_reads(spark, orders):
    spark.sql('CREATE TABLE writer.vended.sparked USING iceberg AS SELECT id FROM writer.vended.orders')
    spark.sql('INSERT INTO writer.vended.sparked VALUES (4)')
    assert spark.sql('SELECT count(*) FROM writer.vended.sparked').first()[0] == 4


def test_spark_reads_for_a_reader_who_cannot_write(spark, orders):
    assert spark.sql('SELECT count(*) FROM reader.vended.orders').first()[0] == 3
    with pytest.raises(Exception, match=r'(?i)access.?denied|forbidden|not authorized'):
        spark.sql("INSERT INTO reader.vended.orders VALUES (9, 'z')")
    assert spark.sql('SELECT count(*) FROM reader.vended.orders').first()[0] == 3
