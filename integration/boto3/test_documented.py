"""The settings for boto3 in docs/clients.md, and the presigned URLs that they are for."""

import urllib.request

from documented import documented_names
from server import fresh_bucket


def test_documented_settings():
    s3 = documented_names('boto3')['s3']
    bucket = fresh_bucket(s3, 'documented')
    s3.put_object(Bucket=bucket, Key='key', Body=b'body')
    with urllib.request.urlopen(s3.generate_presigned_url('get_object', {'Bucket': bucket, 'Key': 'key'})) as response:
        assert response.read() == b'body'
