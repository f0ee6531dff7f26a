"""The server under test, as the environment of integration/run.ts gives it."""

import os
import secrets

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ['TEST_ENDPOINT']
ACCESS_KEY = os.environ['TEST_ACCESS_KEY']
SECRET_KEY = os.environ['TEST_SECRET_KEY']
REGION = 'us-east-1'
ICEBERG_URI = os.environ.get('TEST_ICEBERG_URI', f'{ENDPOINT}/iceberg')
WAREHOUSE = os.environ.get('TEST_WAREHOUSE', 'lake')


def s3_client(**options):
    """A boto3 client as a user configures it; one attempt, so that no retry hides an answer."""
    settings = {'s3': {'addressing_style': 'path'}, 'retries': {'total_max_attempts': 1}, **options}
    return boto3.client(
        's3', endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
        config=Config(**settings),
    )


def fresh_name(purpose: str) -> str:
    return f'{purpose}-{secrets.token_hex(4)}'


def fresh_bucket(s3, purpose: str) -> str:
    name = fresh_name(purpose)
    s3.create_bucket(Bucket=name)
    return name


def refusal(call, **arguments) -> tuple[str, int]:
    """The error code and HTTP status of a call that must be refused."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response['Error']['Code'], error.response['ResponseMetadata']['HTTPStatusCode']
    raise AssertionError('the call succeeded')
