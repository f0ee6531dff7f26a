"""Signing in with Keycloak: sessions by claims and by a role's trust policy, the catalog with its tokens, keys that change."""

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pyarrow as pa
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pyiceberg.catalog import load_catalog
from realm import AUDIENCE, Keycloak, decoded
from server_process import ServerProcess, free_port

CONFIG = Config(s3={'addressing_style': 'path'}, retries={'total_max_attempts': 1})
ROOT = {'aws_access_key_id': 'moraineadmin', 'aws_secret_access_key': 'moraineadmin'}
TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
JWT = 'urn:ietf:params:oauth:token-type:jwt'


@pytest.fixture(scope='module')
def keycloak(tmp_path_factory):
    started = Keycloak(tmp_path_factory.mktemp('keycloak'))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope='module')
def endpoint(keycloak, tmp_path_factory):
    folder = tmp_path_factory.mktemp('server')
    (folder / 'providers.json').write_text(json.dumps({'openid': [{'name': 'keycloak', 'issuer': keycloak.issuer, 'clientIds': [AUDIENCE]}]}))
    os.environ['MORAINE_IDENTITY_PROVIDERS'] = str(folder / 'providers.json')
    port = free_port()
    server = ServerProcess(port, folder)
    server.start()
    endpoint = f'http://127.0.0.1:{port}'
    root = client(endpoint, 's3', **ROOT)
    root.create_bucket(Bucket='shared')
    root.put_object(Bucket='shared', Key='a', Body=b'a')
    yield endpoint
    server.stop()


def client(endpoint, service, **credentials):
    return boto3.client(service, endpoint_url=endpoint, region_name='us-east-1', config=CONFIG, **credentials)


def session(endpoint, token, role='arn:aws:iam::none:role/none'):
    """S3 as a client of boto3 has it that signed in by a token."""
    sts = client(endpoint, 'sts', aws_access_key_id='none', aws_secret_access_key='none')
    made = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName='test', WebIdentityToken=token)['Credentials']
    return client(endpoint, 's3', aws_access_key_id=made['AccessKeyId'], aws_secret_access_key=made['SecretAccessKey'], aws_session_token=made['SessionToken'])


def refusal(act, *args):
    with pytest.raises(ClientError) as caught:
        act(*args)
    return caught.value.response['Error']['Code']


def catalog_of(endpoint, **properties):
    return load_catalog('lake', **{
        'type': 'rest', 'uri': f'{endpoint}/iceberg', 'warehouse': 'lake', 'header.X-Iceberg-Access-Delegation': 'vended-credentials', **properties,
    })


def exchange(endpoint, token):
    form = {'grant_type': TOKEN_EXCHANGE, 'subject_token': token, 'subject_token_type': JWT}
    with urllib.request.urlopen(f'{endpoint}/iceberg/v1/oauth/tokens', urllib.parse.urlencode(form).encode()) as response:
        return json.load(response)


def status_at_catalog(endpoint, token):
    request = urllib.request.Request(f'{endpoint}/iceberg/v1/config?warehouse=lake', headers={'authorization': f'Bearer {token}'})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def test_policies_of_a_claim(endpoint, keycloak):
    s3 = session(endpoint, keycloak.token_of('ada'))
    assert s3.get_object(Bucket='shared', Key='a')['Body'].read() == b'a'
    with pytest.raises(ClientError, match='AccessDenied'):
        s3.put_object(Bucket='shared', Key='b', Body=b'')
    assert refusal(session, endpoint, keycloak.token_of('nobody')) == 'AccessDenied'


def test_a_role_that_trusts_a_group(endpoint, keycloak, tmp_path, monkeypatch):
    """As programs on Kubernetes sign in: boto3 finds the token's file and the role in its environment."""
    iam = client(endpoint, 'iam', **ROOT)
    name = keycloak.issuer.removeprefix('http://')
    provider = iam.create_open_id_connect_provider(Url=f'https://{name}', ClientIDList=[AUDIENCE])['OpenIDConnectProviderArn']
    trust = {'Version': '2012-10-17', 'Statement': [{
        'Effect': 'Allow', 'Principal': {'Federated': provider}, 'Action': 'sts:AssumeRoleWithWebIdentity',
        'Condition': {'StringEquals': {f'{name}:aud': AUDIENCE}, 'ForAnyValue:StringEquals': {'jwt:groups': 'analysts'}},
    }]}
    role = iam.create_role(RoleName='analyst', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
    iam.attach_role_policy(RoleName='analyst', PolicyArn='arn:aws:iam::aws:policy/readonly')
    (tmp_path / 'token').write_text(keycloak.token_of('ada'))
    for variable in ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv('AWS_WEB_IDENTITY_TOKEN_FILE', str(tmp_path / 'token'))
    monkeypatch.setenv('AWS_ROLE_ARN', role)
    monkeypatch.setenv('AWS_ROLE_SESSION_NAME', 'ada')
    monkeypatch.setenv('AWS_ENDPOINT_URL', endpoint)
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'us-east-1')
    own = boto3.Session()
    assert own.client('sts').get_caller_identity()['Arn'].endswith(':assumed-role/analyst/ada')
    assert own.client('s3', config=CONFIG).get_object(Bucket='shared', Key='a')['Body'].read() == b'a'
    # In no group, so the trust policy does not name her, whatever her claim says.
    assert refusal(session, endpoint, keycloak.token_of('tess'), role) == 'AccessDenied'


def test_pyiceberg_signs_in_at_keycloak_by_itself(endpoint, keycloak):
    """Client credentials: PyIceberg asks Keycloak for a token, and the catalog takes it."""
    catalog = catalog_of(endpoint, credential='engine:engine-secret', scope='openid', **{'oauth2-server-uri': keycloak.token_uri})
    catalog.create_namespace('sales')
    rows = pa.table({'id': pa.array([1, 2, 3], pa.int64())})
    catalog.create_table('sales.orders', rows.schema).append(rows)
    assert catalog.load_table('sales.orders').scan().to_arrow().num_rows == 3


def test_pyiceberg_with_a_token_that_it_is_given(endpoint, keycloak):
    assert catalog_of(endpoint, token=keycloak.token_of('tess')).load_table('sales.orders').scan().to_arrow().num_rows == 3
    # S3's rights alone open no table.
    assert status_at_catalog(endpoint, keycloak.token_of('ada')) == 403
    assert status_at_catalog(endpoint, keycloak.token_of('nobody')) == 401


def test_a_token_exchanged_for_one_of_ours(endpoint, keycloak):
    token = keycloak.token_of('tess')
    ours = exchange(endpoint, token)
    assert ours['issued_token_type'] == 'urn:ietf:params:oauth:token-type:access_token' and ours['expires_in'] <= 300
    assert decoded(ours['access_token'])['iss'] != keycloak.issuer
    assert catalog_of(endpoint, token=ours['access_token']).load_table('sales.orders').scan().to_arrow().num_rows == 3
    with pytest.raises(urllib.error.HTTPError, match='400'):
        exchange(endpoint, keycloak.token_of('nobody'))


def test_tokens_that_are_not_for_here(endpoint, keycloak):
    answer = keycloak.signed_in('ada')
    head, body, signature = answer['access_token'].split('.')
    raised = {**decoded(answer['access_token']), 'policy': ['consoleAdmin']}
    forged = '.'.join([head, base64.urlsafe_b64encode(json.dumps(raised).encode()).rstrip(b'=').decode(), signature])
    strangers = {
        'for another audience': keycloak.token_of('ada', 'elsewhere'), 'of another realm': keycloak.token_of_other_realm(),
        'to refresh others': answer['refresh_token'], 'changed': forged, 'unsigned': f'{head}.{body}.',
    }
    for what, token in strangers.items():
        assert (what, refusal(session, endpoint, token)) == (what, 'InvalidIdentityToken')
        assert (what, status_at_catalog(endpoint, token)) == (what, 401)


def test_keys_that_change_while_it_runs(endpoint, keycloak):
    """A new key's tokens are believed at once, on every worker; a dropped key's no more, as soon as a worker has seen the new ones."""
    before = keycloak.token_of('tess')
    assert status_at_catalog(endpoint, before) == 200
    keycloak.add_signing_key('ES256', priority=200)
    keycloak.drop_signing_key('rsa-generated')
    after = keycloak.token_of('tess')
    assert before.split('.')[0] != after.split('.')[0]
    assert [status_at_catalog(endpoint, after) for _ in range(10)] == [200] * 10
    assert [status_at_catalog(endpoint, before) for _ in range(10)] == [401] * 10
    assert session(endpoint, keycloak.token_of('ada')).get_object(Bucket='shared', Key='a')['Body'].read() == b'a'


def test_a_keycloak_that_is_down(endpoint, keycloak):
    """The keys that are known go on to be; a token with another key is refused, and quickly."""
    token = keycloak.token_of('tess')
    keycloak.stop()
    assert [status_at_catalog(endpoint, token) for _ in range(4)] == [200] * 4
    head = base64.urlsafe_b64encode(json.dumps({'alg': 'ES256', 'kid': 'made-up'}).encode()).rstrip(b'=').decode()
    assert [status_at_catalog(endpoint, '.'.join([head, *token.split('.')[1:]])) for _ in range(4)] == [401] * 4
