"""`aws iam` and `aws sts`: a user and a role from nothing to gone."""

import json

import pytest
from command import run
from documented import documented_environment
from server import fresh_name

ENV = documented_environment('aws')
READ = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['s3:GetObject', 's3:ListBucket'], 'Resource': '*'}]})


def aws(*words, refused=False, env=ENV):
    text = run('aws', *words, '--output', 'json', env=env, refused=refused)
    return text if refused or text == '' else json.loads(text)


def environment_of(shown):
    session = {'AWS_SESSION_TOKEN': shown['SessionToken']} if 'SessionToken' in shown else {}
    return {**ENV, 'AWS_ACCESS_KEY_ID': shown['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': shown['SecretAccessKey'], **session}


@pytest.fixture(scope='module')
def account():
    return aws('sts', 'get-caller-identity')['Account']


def test_user_policy_key_and_end(account):
    name = fresh_name('cli')
    bucket = fresh_name('cli-iam')
    aws('s3api', 'create-bucket', '--bucket', bucket)
    assert aws('iam', 'create-user', '--user-name', name, '--tags', 'Key=a,Value=b')['User']['Arn'] == f'arn:aws:iam::{account}:user/{name}'
    policy = aws('iam', 'create-policy', '--policy-name', name, '--policy-document', READ)['Policy']['Arn']
    key = aws('iam', 'create-access-key', '--user-name', name)['AccessKey']
    env = environment_of(key)
    assert aws('sts', 'get-caller-identity', env=env)['Arn'].endswith(f':user/{name}')
    assert 'AccessDenied' in aws('s3api', 'list-objects-v2', '--bucket', bucket, env=env, refused=True)
    aws('iam', 'attach-user-policy', '--user-name', name, '--policy-arn', policy)
    aws('s3api', 'list-objects-v2', '--bucket', bucket, env=env)
    assert [each['PolicyName'] for each in aws('iam', 'list-attached-user-policies', '--user-name', name)['AttachedPolicies']] == [name]
    assert 'DeleteConflict' in aws('iam', 'delete-user', '--user-name', name, refused=True)
    aws('iam', 'detach-user-policy', '--user-name', name, '--policy-arn', policy)
    aws('iam', 'delete-access-key', '--user-name', name, '--access-key-id', key['AccessKeyId'])
    aws('iam', 'delete-user', '--user-name', name)
    aws('iam', 'delete-policy', '--policy-arn', policy)
    assert 'NoSuchEntity' in aws('iam', 'get-user', '--user-name', name, refused=True)
    assert 'InvalidClientTokenId' in aws('sts', 'get-caller-identity', env=env, refused=True)


def test_role(account):
    name = fresh_name('cli')
    aws('iam', 'create-user', '--user-name', name)
    env = environment_of(aws('iam', 'create-access-key', '--user-name', name)['AccessKey'])
    trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{account}:user/{name}'}, 'Action': 'sts:AssumeRole'}]}
    role = aws('iam', 'create-role', '--role-name', name, '--assume-role-policy-document', json.dumps(trust))['Role']
    assert role['AssumeRolePolicyDocument'] == trust
    assumed = aws('sts', 'assume-role', '--role-arn', role['Arn'], '--role-session-name', 'cli', env=env)
    session = environment_of(assumed['Credentials'])
    assert aws('sts', 'get-caller-identity', env=session)['Arn'] == f'arn:aws:sts::{account}:assumed-role/{name}/cli'
    decided = aws('iam', 'simulate-principal-policy', '--policy-source-arn', role['Arn'], '--action-names', 's3:GetObject')
    assert decided['EvaluationResults'][0]['EvalDecision'] == 'implicitDeny'
    aws('iam', 'delete-role', '--role-name', name)
    assert 'InvalidClientTokenId' in aws('sts', 'get-caller-identity', env=session, refused=True)
