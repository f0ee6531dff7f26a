"""Who may do what, as boto3 sees it: users' policies, bucket policies, lists, Block Public Access, the catalog."""

import json
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pytest
from botocore.config import Config
from server import ACCESS_KEY, ENDPOINT, ICEBERG_URI, REGION, SECRET_KEY, WAREHOUSE, fresh_bucket, fresh_name, refusal, s3_client

DENIED = ('AccessDenied', 403)
CONFIG = Config(s3={'addressing_style': 'path'}, retries={'total_max_attempts': 1}, signature_version='s3v4')


def client(service: str, key=(ACCESS_KEY, SECRET_KEY)):
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=key[0], aws_secret_access_key=key[1], config=CONFIG)


iam = client('iam')
root = s3_client()


def document(*statements: dict) -> str:
    return json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})


def allow(action, resource='*', **more) -> dict:
    return {'Effect': 'Allow', 'Action': action, 'Resource': resource, **more}


class User:
    """An IAM user and the S3 client of its key."""

    def __init__(self):
        self.name = fresh_name('user')
        self.arn = iam.create_user(UserName=self.name)['User']['Arn']
        key = iam.create_access_key(UserName=self.name)['AccessKey']
        self.key = (key['AccessKeyId'], key['SecretAccessKey'])
        self.s3 = client('s3', self.key)

    def may(self, *statements: dict) -> None:
        iam.put_user_policy(UserName=self.name, PolicyName='own', PolicyDocument=document(*statements))

    def may_nothing(self) -> None:
        iam.delete_user_policy(UserName=self.name, PolicyName='own')


@pytest.fixture
def user():
    return User()


@pytest.fixture
def bucket():
    name = fresh_bucket(root, 'policies')
    for key in ('public/a', 'private/a'):
        root.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def visit(url: str, method: str = 'GET') -> int:
    """The status of a request without a signature of its own."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_user_may_what_its_policy_says_from_the_next_request_on(user, bucket):
    assert refusal(user.s3.get_object, Bucket=bucket, Key='public/a') == DENIED
    user.may(allow('s3:GetObject', f'arn:aws:s3:::{bucket}/public/*'))
    assert user.s3.get_object(Bucket=bucket, Key='public/a')['Body'].read() == b'public/a'
    assert refusal(user.s3.get_object, Bucket=bucket, Key='private/a') == DENIED
    assert refusal(user.s3.get_object, Bucket=bucket, Key='public/none') == DENIED
    assert refusal(user.s3.put_object, Bucket=bucket, Key='public/a', Body=b'') == DENIED
    assert refusal(user.s3.list_objects_v2, Bucket=bucket) == DENIED
    assert refusal(user.s3.list_buckets) == DENIED
    user.may(allow(['s3:GetObject', 's3:ListBucket']))
    assert refusal(user.s3.get_object, Bucket=bucket, Key='public/none') == ('NoSuchKey', 404)
    user.may_nothing()
    # Every worker has it at once: many connections reach both.
    assert {refusal(client('s3', user.key).get_object, Bucket=bucket, Key='public/a') for _ in range(8)} == {DENIED}


def test_a_home_folder_by_variable(user, bucket):
    user.may(
        allow('s3:*Object', f'arn:aws:s3:::{bucket}/${{aws:username}}/*'),
        allow('s3:ListBucket', f'arn:aws:s3:::{bucket}', Condition={'StringLike': {'s3:prefix': '${aws:username}/*'}}),
    )
    user.s3.put_object(Bucket=bucket, Key=f'{user.name}/x', Body=b'x')
    assert user.s3.list_objects_v2(Bucket=bucket, Prefix=f'{user.name}/')['KeyCount'] == 1
    assert refusal(user.s3.list_objects_v2, Bucket=bucket, Prefix='private/') == DENIED
    assert refusal(user.s3.put_object, Bucket=bucket, Key='private/x', Body=b'x') == DENIED
    source = {'Bucket': bucket, 'Key': 'private/a'}
    assert refusal(user.s3.copy_object, Bucket=bucket, Key=f'{user.name}/copy', CopySource=source) == DENIED
    deleted = user.s3.delete_objects(Bucket=bucket, Delete={'Objects': [{'Key': f'{user.name}/x'}, {'Key': 'private/a'}]})
    assert [entry['Key'] for entry in deleted['Deleted']] == [f'{user.name}/x']
    assert [(entry['Key'], entry['Code']) for entry in deleted['Errors']] == [('private/a', 'AccessDenied')]


def test_a_bucket_policy_grants_and_denies(user, bucket):
    root.put_bucket_policy(Bucket=bucket, Policy=document(allow('s3:GetObject', f'arn:aws:s3:::{bucket}/public/*', Principal={'AWS': user.arn})))
    assert user.s3.get_object(Bucket=bucket, Key='public/a')['ContentLength'] == 8
    assert root.get_bucket_policy_status(Bucket=bucket)['PolicyStatus'] == {'IsPublic': False}
    user.may(allow('s3:*'))
    root.put_bucket_policy(Bucket=bucket, Policy=document({'Effect': 'Deny', 'Principal': '*', 'Action': 's3:DeleteObject', 'Resource': f'arn:aws:s3:::{bucket}/*'}))
    assert refusal(user.s3.delete_object, Bucket=bucket, Key='public/a') == DENIED
    root.delete_bucket_policy(Bucket=bucket)
    assert refusal(root.get_bucket_policy, Bucket=bucket) == ('NoSuchBucketPolicy', 404)
    user.s3.delete_object(Bucket=bucket, Key='public/a')


def test_a_malformed_policy_is_refused(bucket):
    for policy in ('{', '{}', document(allow('s3:GetObject', 'arn:aws:s3:::other/*', Principal='*')), document(allow('s3:Nothing', f'arn:aws:s3:::{bucket}/*', Principal='*'))):
        assert refusal(root.put_bucket_policy, Bucket=bucket, Policy=policy) == ('MalformedPolicy', 400)


def test_public_only_when_nothing_blocks_it(bucket):
    url = f'{ENDPOINT}/{bucket}/public/a'
    policy = document(allow('s3:GetObject', f'arn:aws:s3:::{bucket}/public/*', Principal='*'))
    assert visit(url) == 403
    assert refusal(root.put_bucket_policy, Bucket=bucket, Policy=policy) == DENIED
    root.delete_public_access_block(Bucket=bucket)
    root.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert [visit(url), visit(f'{ENDPOINT}/{bucket}/private/a'), visit(f'{ENDPOINT}/{bucket}/public/none'), visit(url, 'DELETE')] == [200, 403, 403, 403]
    root.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={'RestrictPublicBuckets': True})
    assert visit(url) == 403


def test_lists_when_ownership_has_them(bucket):
    assert refusal(root.put_object_acl, Bucket=bucket, Key='public/a', ACL='public-read') == ('AccessControlListNotSupported', 400)
    root.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={'Rules': [{'ObjectOwnership': 'ObjectWriter'}]})
    assert refusal(root.put_object_acl, Bucket=bucket, Key='public/a', ACL='public-read') == DENIED
    root.delete_public_access_block(Bucket=bucket)
    root.put_object_acl(Bucket=bucket, Key='public/a', ACL='public-read')
    assert visit(f'{ENDPOINT}/{bucket}/public/a') == 200
    assert len(root.get_object_acl(Bucket=bucket, Key='public/a')['Grants']) == 2
    root.put_object_acl(Bucket=bucket, Key='public/a', ACL='private')
    assert visit(f'{ENDPOINT}/{bucket}/public/a') == 403


def test_a_presigned_url_dies_with_its_right(user, bucket):
    user.may(allow('s3:GetObject', f'arn:aws:s3:::{bucket}/public/*'))
    url = user.s3.generate_presigned_url('get_object', Params={'Bucket': bucket, 'Key': 'public/a'})
    assert visit(url) == 200
    user.may_nothing()
    assert visit(url) == 403


def test_tags_decide(user, bucket):
    root.put_object_tagging(Bucket=bucket, Key='private/a', Tagging={'TagSet': [{'Key': 'team', 'Value': 'red'}]})
    user.may(allow('s3:GetObject', f'arn:aws:s3:::{bucket}/*', Condition={'StringEquals': {'s3:ExistingObjectTag/team': 'red'}}))
    assert user.s3.get_object(Bucket=bucket, Key='private/a')['TagCount'] == 1
    assert refusal(user.s3.get_object, Bucket=bucket, Key='public/a') == DENIED


class Catalog:
    """The catalog's REST API by an access key."""

    def __init__(self, key):
        form = urllib.parse.urlencode({'grant_type': 'client_credentials', 'client_id': key[0], 'client_secret': key[1]}).encode()
        with urllib.request.urlopen(f'{ICEBERG_URI}/v1/oauth/tokens', form, timeout=30) as answer:
            self.token = json.load(answer)['access_token']

    def call(self, method: str, path: str, body=None) -> tuple[int, dict]:
        data = None if body is None else json.dumps(body).encode()
        headers = {'Authorization': f'Bearer {self.token}', 'Content-Type': 'application/json'}
        try:
            with urllib.request.urlopen(urllib.request.Request(f'{ICEBERG_URI}/v1/{path}', data, headers, method=method), timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b'{}')
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b'{}')


def test_the_catalog_shows_what_a_user_may_load(user):
    namespace = fresh_name('ns').replace('-', '_')
    owner = Catalog((ACCESS_KEY, SECRET_KEY))
    schema = {'type': 'struct', 'schema-id': 0, 'fields': [{'id': 1, 'name': 'id', 'required': False, 'type': 'long'}]}
    assert owner.call('POST', f'{WAREHOUSE}/namespaces', {'namespace': [namespace]})[0] == 200
    for name in ('orders', 'secret'):
        assert owner.call('POST', f'{WAREHOUSE}/namespaces/{namespace}/tables', {'name': name, 'schema': schema})[0] == 200
    tables = f'{WAREHOUSE}/namespaces/{namespace}/tables'
    catalog = Catalog(user.key)
    assert catalog.call('GET', tables)[0] == 403
    within = f'arn:aws:s3tables:::bucket/{WAREHOUSE}/namespace/{namespace}'
    user.may(allow('s3tables:ListTables', within), allow('s3tables:GetTable', f'{within}/table/orders'))
    assert [entry['name'] for entry in catalog.call('GET', tables)[1]['identifiers']] == ['orders']
    assert [catalog.call('GET', f'{tables}/{name}')[0] for name in ('orders', 'secret', 'none')] == [200, 403, 403]
    assert catalog.call('DELETE', f'{tables}/orders')[0] == 403
    assert catalog.call('POST', f'{tables}/orders', {'requirements': [], 'updates': []})[0] == 403
    user.may_nothing()
    assert catalog.call('GET', f'{tables}/orders')[0] == 403
