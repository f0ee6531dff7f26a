"""The same by the `aws` command line."""

import json
import os

import pytest
from command import run
from server import ACCESS_KEY, ENDPOINT, REGION, SECRET_KEY, fresh_bucket, fresh_name, s3_client

ROOT = {'AWS_ACCESS_KEY_ID': ACCESS_KEY, 'AWS_SECRET_ACCESS_KEY': SECRET_KEY}
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith('AWS_')}


def aws(*words: str, who: dict = ROOT, refused: bool = False) -> str:
    env = PLAIN | who | {'AWS_DEFAULT_REGION': REGION, 'AWS_ENDPOINT_URL': ENDPOINT, 'AWS_MAX_ATTEMPTS': '1'}
    return run('aws', *words, env=env, refused=refused)


@pytest.fixture(scope='module')
def bucket():
    s3 = s3_client()
    name = fresh_bucket(s3, 'cli')
    s3.put_object(Bucket=name, Key='key', Body=b'text')
    return name


def test_bucket_policy(bucket):
    policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': '*', 'Action': 's3:GetObject', 'Resource': f'arn:aws:s3:::{bucket}/*'}]}
    assert 'AccessDenied' in aws('s3api', 'put-bucket-policy', '--bucket', bucket, '--policy', json.dumps(policy), refused=True)
    aws('s3api', 'put-public-access-block', '--bucket', bucket, '--public-access-block-configuration', 'BlockPublicPolicy=false')
    aws('s3api', 'put-bucket-policy', '--bucket', bucket, '--policy', json.dumps(policy))
    assert json.loads(aws('s3api', 'get-bucket-policy-status', '--bucket', bucket))['PolicyStatus']['IsPublic'] is True
    assert json.loads(json.loads(aws('s3api', 'get-bucket-policy', '--bucket', bucket))['Policy']) == policy
    assert aws('s3', 'cp', f's3://{bucket}/key', '-', '--no-sign-request', who={}) == 'text'
    aws('s3api', 'delete-bucket-policy', '--bucket', bucket)
    assert '403' in aws('s3', 'cp', f's3://{bucket}/key', '-', '--no-sign-request', who={}, refused=True)


def test_user_policy(bucket):
    name = fresh_name('cli-user')
    aws('iam', 'create-user', '--user-name', name)
    key = json.loads(aws('iam', 'create-access-key', '--user-name', name))['AccessKey']
    who = {'AWS_ACCESS_KEY_ID': key['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': key['SecretAccessKey']}
    assert '403' in aws('s3', 'cp', f's3://{bucket}/key', '-', who=who, refused=True)
    policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': f'arn:aws:s3:::{bucket}/*'}]}
    aws('iam', 'put-user-policy', '--user-name', name, '--policy-name', 'read', '--policy-document', json.dumps(policy))
    assert aws('s3', 'cp', f's3://{bucket}/key', '-', who=who) == 'text'
    assert 'AccessDenied' in aws('s3', 'ls', f's3://{bucket}', who=who, refused=True)
