"""The requests of Hudi's S3 lock client, raced by eight SDK clients: one holder at a time, and no lease taken from a live holder.

No released bundle has that client. What it sends is a GET of the lock file (404: never locked), a PUT with
`If-None-Match: *` to make it or with `If-Match` to take over an expired one, to renew and to release, and a HEAD.
"""

import json
import threading
import time

from botocore.exceptions import ClientError
from server import fresh_bucket, fresh_name, s3_client

CLIENTS = 8
SECTIONS = 6
KEY = 'table/.hoodie/.locks/table_lock.json'
LEASE_SECONDS = 20
DEADLINE_SECONDS = 100
RENEWALS = 2


class Lost(Exception):
    """Another has what we asked for: 412."""


class LockClient:
    def __init__(self, bucket: str):
        self.s3 = s3_client()
        self.bucket = bucket
        self.owner = fresh_name('writer')
        self.etag: str | None = None

    def acquire(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            try:
                current = self.s3.get_object(Bucket=self.bucket, Key=KEY)
            except ClientError as error:
                assert error.response['Error']['Code'] == 'NoSuchKey'
                condition = {'IfNoneMatch': '*'}
            else:
                lock = json.load(current['Body'])
                if not lock['expired'] and lock['validUntil'] > time.time():
                    time.sleep(0.01)
                    continue
                condition = {'IfMatch': current['ETag']}
            try:
                return self.put(expired=False, **condition)
            except Lost:
                continue
        raise AssertionError('the lock was not free in time')

    def renew(self) -> None:
        self.put(expired=False, IfMatch=self.etag)

    def release(self) -> None:
        self.put(expired=True, IfMatch=self.etag)

    def put(self, expired: bool, **condition: str) -> None:
        lock = {'owner': self.owner, 'expired': expired, 'validUntil': time.time() + LEASE_SECONDS}
        try:
            self.etag = self.s3.put_object(Bucket=self.bucket, Key=KEY, Body=json.dumps(lock).encode(), **condition)['ETag']
        except ClientError as error:
            if error.response['ResponseMetadata']['HTTPStatusCode'] == 412:
                raise Lost from error
            raise

    def confirm(self) -> None:
        """What is there is ours."""
        assert self.s3.head_object(Bucket=self.bucket, Key=KEY)['ETag'] == self.etag


def test_one_holder_at_a_time_and_no_lease_lost():
    bucket = fresh_bucket(s3_client(), 'hudi-lock')
    s3_client().put_object(Bucket=bucket, Key='counter', Body=b'0')
    start = threading.Barrier(CLIENTS)
    inside: list[str] = []
    failures: list[BaseException] = []

    def add_one(client: LockClient) -> None:
        """Read and write without any condition: only the lock keeps two from losing one."""
        count = int(client.s3.get_object(Bucket=bucket, Key='counter')['Body'].read())
        client.s3.put_object(Bucket=bucket, Key='counter', Body=str(count + 1).encode())

    def compete() -> None:
        try:
            client = LockClient(bucket)
            start.wait()
            for _ in range(SECTIONS):
                client.acquire(time.monotonic() + DEADLINE_SECONDS)
                inside.append(client.owner)
                assert inside == [client.owner]
                for _ in range(RENEWALS):
                    client.renew()
                client.confirm()
                add_one(client)
                assert inside == [client.owner]
                inside.clear()
                client.release()
        except BaseException as error:  # noqa: BLE001 - reported by the assertion below, from the main thread
            failures.append(error)
            start.abort()
    threads = [threading.Thread(target=compete) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert int(s3_client().get_object(Bucket=bucket, Key='counter')['Body'].read()) == CLIENTS * SECTIONS


def test_an_expired_lease_has_one_heir_and_its_old_holder_learns_it():
    bucket = fresh_bucket(s3_client(), 'hudi-lock')
    dead = LockClient(bucket)
    dead.acquire(time.monotonic() + DEADLINE_SECONDS)
    abandoned = dead.etag
    heirs: list[LockClient] = []
    clients = [LockClient(bucket) for _ in range(CLIENTS)]

    def inherit(client: LockClient) -> None:
        try:
            client.put(expired=False, IfMatch=abandoned)
        except Lost:
            return
        heirs.append(client)
    threads = [threading.Thread(target=inherit, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (heir,) = heirs
    heir.confirm()
    for change in [dead.renew, dead.release]:
        try:
            change()
        except Lost:
            continue
        raise AssertionError('the old holder changed a lock that is no longer its own')
    heir.release()
