import hashlib
import io
import os
import urllib.error
import urllib.request

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from server import ACCESS_KEY, ENDPOINT, REGION, fresh_bucket, fresh_name, refusal, s3_client

MEBIBYTE = 1 << 20


@pytest.fixture(scope='module')
def s3():
    return s3_client()


@pytest.fixture(scope='module')
def bucket(s3):
    return fresh_bucket(s3, 'boto3')


def md5(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def test_buckets(s3):
    name = fresh_name('buckets')
    assert s3.create_bucket(Bucket=name)['Location'] == f'/{name}'
    s3.head_bucket(Bucket=name)
    s3.get_waiter('bucket_exists').wait(Bucket=name)
    assert name in [entry['Name'] for entry in s3.list_buckets()['Buckets']]
    assert s3.get_bucket_location(Bucket=name)['LocationConstraint'] is None
    s3.delete_bucket(Bucket=name)
    assert refusal(s3.head_bucket, Bucket=name) == ('404', 404)
    assert refusal(s3.list_objects_v2, Bucket=name) == ('NoSuchBucket', 404)


@pytest.mark.parametrize('size', [0, 1, 65_535, 65_536, 65_537, 3 * MEBIBYTE])
def test_round_trip(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key=f'size/{size}', Body=body)
    assert put['ETag'] == md5(body)
    got = s3.get_object(Bucket=bucket, Key=f'size/{size}')
    assert got['ETag'] == md5(body)
    assert got['Body'].read() == body
    assert s3.head_object(Bucket=bucket, Key=f'size/{size}')['ContentLength'] == size


def test_metadata_and_headers(s3, bucket):
    s3.put_object(Bucket=bucket, Key='meta', Body=b'x', ContentType='text/plain', CacheControl='no-cache', Metadata={'a': '1', 'b-c': 'two'})
    head = s3.head_object(Bucket=bucket, Key='meta')
    assert (head['ContentType'], head['CacheControl'], head['Metadata']) == ('text/plain', 'no-cache', {'a': '1', 'b-c': 'two'})
    s3.copy_object(Bucket=bucket, Key='meta', CopySource={'Bucket': bucket, 'Key': 'meta'}, MetadataDirective='REPLACE', Metadata={'d': '4'})
    assert s3.head_object(Bucket=bucket, Key='meta')['Metadata'] == {'d': '4'}


def test_ranges(s3, bucket):
    body = os.urandom(200_000)
    s3.put_object(Bucket=bucket, Key='ranged', Body=body)
    for header, expected in [('bytes=0-9', body[:10]), ('bytes=-7', body[-7:]), ('bytes=199999-', body[-1:]), ('bytes=65530-65545', body[65530:65546])]:
        got = s3.get_object(Bucket=bucket, Key='ranged', Range=header)
        assert got['ResponseMetadata']['HTTPStatusCode'] == 206
        assert got['Body'].read() == expected
    assert refusal(s3.get_object, Bucket=bucket, Key='ranged', Range='bytes=200000-') == ('InvalidRange', 416)


def test_absent_keys(s3, bucket):
    assert refusal(s3.get_object, Bucket=bucket, Key='absent') == ('NoSuchKey', 404)
    assert refusal(s3.head_object, Bucket=bucket, Key='absent') == ('404', 404)
    assert s3.delete_object(Bucket=bucket, Key='absent')['ResponseMetadata']['HTTPStatusCode'] == 204


def test_conditional_writes(s3, bucket):
    first = s3.put_object(Bucket=bucket, Key='cond', Body=b'1', IfNoneMatch='*')['ETag']
    assert refusal(s3.put_object, Bucket=bucket, Key='cond', Body=b'2', IfNoneMatch='*') == ('PreconditionFailed', 412)
    second = s3.put_object(Bucket=bucket, Key='cond', Body=b'2', IfMatch=first)['ETag']
    assert refusal(s3.put_object, Bucket=bucket, Key='cond', Body=b'3', IfMatch=first) == ('PreconditionFailed', 412)
    assert refusal(s3.put_object, Bucket=bucket, Key='cond-absent', Body=b'3', IfMatch=first) == ('NoSuchKey', 404)
    assert refusal(s3.get_object, Bucket=bucket, Key='cond', IfNoneMatch=second) == ('304', 304)
    assert refusal(s3.get_object, Bucket=bucket, Key='cond', IfMatch=first) == ('PreconditionFailed', 412)
    assert s3.get_object(Bucket=bucket, Key='cond')['Body'].read() == b'2'


@pytest.mark.parametrize('algorithm', ['CRC32', 'SHA1', 'SHA256'])
def test_checksums(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key=f'sum-{algorithm}', Body=b'123456789', ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key=f'sum-{algorithm}', ChecksumMode='ENABLED')
    assert head[f'Checksum{algorithm}'] == put[f'Checksum{algorithm}'] != ''
    wrong = {'CRC32': 'AAAAAA==', 'SHA1': 'A' * 27 + '=', 'SHA256': 'A' * 43 + '='}[algorithm]
    code = refusal(s3.put_object, Bucket=bucket, Key='wrong', Body=b'123456789', **{f'Checksum{algorithm}': wrong})
    assert code == ('BadDigest', 400)
    assert refusal(s3.head_object, Bucket=bucket, Key='wrong') == ('404', 404)


@pytest.mark.parametrize('mode', ['when_required', 'when_supported'])
def test_payload_kinds(bucket, mode):
    """An unseekable-length body goes as aws-chunked with a trailer, or signed whole, by the client's own choice."""
    client = s3_client(request_checksum_calculation=mode, response_checksum_validation=mode)
    body = os.urandom(300_000)
    client.put_object(Bucket=bucket, Key=f'mode-{mode}', Body=io.BytesIO(body))
    assert client.get_object(Bucket=bucket, Key=f'mode-{mode}')['Body'].read() == body


def test_transfer_manager(s3, bucket, tmp_path):
    body = os.urandom(37 * MEBIBYTE + 11)
    (tmp_path / 'up').write_bytes(body)
    config = TransferConfig(multipart_threshold=8 * MEBIBYTE, multipart_chunksize=8 * MEBIBYTE, max_concurrency=8)
    s3.upload_file(str(tmp_path / 'up'), bucket, 'transferred', Config=config, ExtraArgs={'Metadata': {'by': 'manager'}})
    head = s3.head_object(Bucket=bucket, Key='transferred')
    assert head['ETag'].endswith('-5"')
    assert head['Metadata'] == {'by': 'manager'}
    s3.download_file(bucket, 'transferred', str(tmp_path / 'down'), Config=config)
    assert (tmp_path / 'down').read_bytes() == body
    s3.copy({'Bucket': bucket, 'Key': 'transferred'}, bucket, 'transferred-copy', Config=config)
    sink = io.BytesIO()
    s3.download_fileobj(bucket, 'transferred-copy', sink, Config=config)
    assert sink.getvalue() == body


def test_multipart_by_hand(s3, bucket):
    first, last = os.urandom(5 * MEBIBYTE), os.urandom(10)
    upload = s3.create_multipart_upload(Bucket=bucket, Key='by-hand')['UploadId']
    common = {'Bucket': bucket, 'Key': 'by-hand', 'UploadId': upload}
    assert upload in [entry['UploadId'] for entry in s3.list_multipart_uploads(Bucket=bucket)['Uploads']]
    parts = [
        {'PartNumber': number, 'ETag': s3.upload_part(PartNumber=number, Body=body, **common)['ETag']}
        for number, body in [(1, first), (2, last)]
    ]
    assert [part['Size'] for part in s3.list_parts(**common)['Parts']] == [len(first), len(last)]
    assert refusal(s3.complete_multipart_upload, MultipartUpload={'Parts': parts[::-1]}, **common) == ('InvalidPartOrder', 400)
    digests = hashlib.md5(first).digest() + hashlib.md5(last).digest()
    done = s3.complete_multipart_upload(MultipartUpload={'Parts': parts}, **common)
    assert done['ETag'] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert s3.get_object(Bucket=bucket, Key='by-hand')['Body'].read() == first + last
    assert refusal(s3.abort_multipart_upload, **common) == ('NoSuchUpload', 404)


def test_listing_paginators(s3):
    bucket = fresh_bucket(s3, 'pages')
    keys = sorted([f'a/{index:03}' for index in range(25)] + [f'b/{index:03}' for index in range(5)] + ['plain', 'a'])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b'')
    for operation in ['list_objects_v2', 'list_objects']:
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={'PageSize': 4})
        assert [entry['Key'] for page in pages for entry in page.get('Contents', [])] == keys
        grouped = list(s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter='/', PaginationConfig={'PageSize': 1}))
        assert [entry['Prefix'] for page in grouped for entry in page.get('CommonPrefixes', [])] == ['a/', 'b/']
        assert [entry['Key'] for page in grouped for entry in page.get('Contents', [])] == ['a', 'plain']


def test_versions(s3):
    bucket = fresh_bucket(s3, 'versions')
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={'Status': 'Enabled'})
    versions = [s3.put_object(Bucket=bucket, Key='k', Body=str(number).encode())['VersionId'] for number in range(3)]
    marker = s3.delete_object(Bucket=bucket, Key='k')
    assert marker['DeleteMarker'] is True
    assert refusal(s3.get_object, Bucket=bucket, Key='k') == ('NoSuchKey', 404)
    assert [s3.get_object(Bucket=bucket, Key='k', VersionId=version)['Body'].read() for version in versions] == [b'0', b'1', b'2']
    pages = list(s3.get_paginator('list_object_versions').paginate(Bucket=bucket, PaginationConfig={'PageSize': 1}))
    assert [entry['VersionId'] for page in pages for entry in page.get('Versions', [])] == versions[::-1]
    assert [entry['VersionId'] for page in pages for entry in page.get('DeleteMarkers', [])] == [marker['VersionId']]
    doomed = [{'Key': 'k', 'VersionId': version} for version in [*versions, marker['VersionId']]]
    assert len(s3.delete_objects(Bucket=bucket, Delete={'Objects': doomed})['Deleted']) == 4
    s3.delete_bucket(Bucket=bucket)


def test_delete_many_quietly(s3, bucket):
    for index in range(20):
        s3.put_object(Bucket=bucket, Key=f'doomed/{index} &<', Body=b'')
    keys = [{'Key': f'doomed/{index} &<'} for index in range(20)]
    answer = s3.delete_objects(Bucket=bucket, Delete={'Objects': keys, 'Quiet': True})
    assert 'Deleted' not in answer and 'Errors' not in answer
    assert s3.list_objects_v2(Bucket=bucket, Prefix='doomed/')['KeyCount'] == 0


ODD_KEYS = {
    'slashes': 'a//b', 'dot': '.', 'dots': '..', 'trailing': 'trailing/', 'space': 'sp ace', 'plus': 'pl+us', 'emoji': 'emoji \U0001f600',
    'percent': '%2F', 'longest': 'é' * 512,
}


@pytest.mark.parametrize('key', ODD_KEYS.values(), ids=ODD_KEYS.keys())
def test_odd_keys(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)['Body'].read() == key.encode()
    assert key in [entry['Key'] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=key)['Contents']]
    s3.delete_object(Bucket=bucket, Key=key)


def test_presigned(bucket):
    s3 = s3_client(signature_version='s3v4')
    url = s3.generate_presigned_url('put_object', Params={'Bucket': bucket, 'Key': 'pre signed'}, ExpiresIn=60)
    request = urllib.request.Request(url, data=b'by url', method='PUT')
    assert urllib.request.urlopen(request).status == 200
    url = s3.generate_presigned_url('get_object', Params={'Bucket': bucket, 'Key': 'pre signed'}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b'by url'
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url.replace('pre%20signed', 'other'))
    assert refused.value.code == 403


def test_wrong_credentials(bucket):
    def client(key, secret):
        return boto3.client('s3', endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret,
                            config=Config(retries={'total_max_attempts': 1}))
    assert refusal(client(ACCESS_KEY, 'not-the-secret').list_buckets) == ('SignatureDoesNotMatch', 403)
    assert refusal(client('AKIAUNKNOWNUNKNOWN', 'not-the-secret').list_buckets) == ('InvalidAccessKeyId', 403)
