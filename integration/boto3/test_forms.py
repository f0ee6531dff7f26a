"""Form uploads as boto3 signs them (`generate_presigned_post`) and a browser sends them."""
import json
import re

import pytest
import urllib3
from server import fresh_bucket, s3_client


@pytest.fixture(scope='module')
def s3():
    # Without this boto3 signs forms by Version 2 still.
    return s3_client(signature_version='s3v4')


@pytest.fixture(scope='module')
def bucket(s3):
    return fresh_bucket(s3, 'forms')


def send(signed: dict, content: bytes, **more: str):
    fields = {**signed['fields'], **more, 'file': ('photo.jpg', content)}
    body, content_type = urllib3.encode_multipart_formdata(fields)
    return urllib3.PoolManager().request('POST', signed['url'], body=body, headers={'Content-Type': content_type}, redirect=False, retries=False)


def code(answer) -> str:
    return re.search(rb'<Code>([^<]*)</Code>', answer.data)[1].decode()


def test_upload(s3, bucket):
    signed = s3.generate_presigned_post(bucket, 'users/${filename}', Fields={'x-amz-meta-a': '1', 'success_action_status': '201'}, Conditions=[
        {'x-amz-meta-a': '1'}, {'success_action_status': '201'}, ['content-length-range', 1, 100]])
    answer = send(signed, b'content')
    assert answer.status == 201
    assert b'<Key>users/photo.jpg</Key>' in answer.data
    stored = s3.get_object(Bucket=bucket, Key='users/photo.jpg')
    assert (stored['Body'].read(), stored['Metadata']) == (b'content', {'a': '1'})


def test_redirect(s3, bucket):
    target = 'https://example.org/done'
    signed = s3.generate_presigned_post(bucket, 'redirected', Fields={'success_action_redirect': target}, Conditions=[{'success_action_redirect': target}])
    answer = send(signed, b'content')
    assert answer.status == 303
    assert answer.headers['Location'].startswith(f'{target}?bucket={bucket}&key=redirected&etag=')


def test_version_2(bucket):
    answer = send(s3_client().generate_presigned_post(bucket, 'old'), b'x')
    assert (answer.status, code(answer)) == (400, 'InvalidRequest')
    assert b'AWS4-HMAC-SHA256' in answer.data


def test_refusals(s3, bucket):
    limited = s3.generate_presigned_post(bucket, 'limited', Conditions=[['content-length-range', 2, 3]])
    for content, expected in [(b'1', 'EntityTooSmall'), (b'1234', 'EntityTooLarge')]:
        answer = send(limited, content)
        assert (answer.status, code(answer)) == (400, expected)
    extra = send(s3.generate_presigned_post(bucket, 'extra'), b'x', acl='public-read')
    assert (extra.status, code(extra)) == (403, 'AccessDenied')
    forged = s3.generate_presigned_post(bucket, 'forged')
    forged['fields']['policy'] = json.dumps({}).encode().hex()
    answer = send(forged, b'x')
    assert (answer.status, code(answer)) == (403, 'SignatureDoesNotMatch')
    assert 'Contents' not in s3.list_objects_v2(Bucket=bucket, Prefix='limited') and 'Contents' not in s3.list_objects_v2(Bucket=bucket, Prefix='extra')
