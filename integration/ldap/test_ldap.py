"""Signing in with a name and password of an OpenLDAP directory."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from server_process import ServerProcess, free_port

SUFFIX = 'dc=example,dc=org'
LDIF = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ou=people,{SUFFIX}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{SUFFIX}
objectClass: organizationalUnit
ou: groups

dn: cn=lookup,{SUFFIX}
objectClass: person
cn: lookup
sn: lookup
userPassword: lookup-password

dn: uid=ada,ou=people,{SUFFIX}
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: Lovelace
userPassword: ada-password

dn: uid=bob,ou=people,{SUFFIX}
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Builder
userPassword: bob-password

dn: cn=team,ou=groups,{SUFFIX}
objectClass: groupOfNames
cn: team
member: uid=ada,ou=people,{SUFFIX}

dn: cn=readers,ou=groups,{SUFFIX}
objectClass: groupOfNames
cn: readers
member: cn=team,ou=groups,{SUFFIX}
"""


class Directory:
    """slapd with the people above, on one port through all of its lives."""

    def __init__(self, folder, settings=''):
        self._port = free_port()
        self._process = None
        (folder / 'db').mkdir()
        modules = next(pathlib.Path('/usr/lib').glob('**/ldap/back_mdb*.so*')).parent
        self._configuration = folder / 'slapd.conf'
        self._configuration.write_text(f"""
modulepath {modules}
moduleload back_mdb
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
{settings}
database mdb
maxsize 10485760
suffix "{SUFFIX}"
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=lookup,{SUFFIX}" read by * none
""")
        (folder / 'data.ldif').write_text(LDIF)
        subprocess.run(['/usr/sbin/slapadd', '-f', self._configuration, '-l', folder / 'data.ldif'], check=True)

    def url(self, host='127.0.0.1'):
        return f'ldap://{host}:{self._port}'

    def start(self):
        self._process = subprocess.Popen(['/usr/sbin/slapd', '-f', str(self._configuration), '-h', self.url(), '-d', '0'])
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(('127.0.0.1', self._port), timeout=1).close()
                return
            except OSError:
                assert self._process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None


def directory_settings(url, **more):
    return {'ldap': {
        'url': url, 'bindDn': f'cn=lookup,{SUFFIX}', 'bindPassword': 'lookup-password', 'userBase': f'ou=people,{SUFFIX}', 'userFilter': '(uid=%s)',
        'groupBase': f'ou=groups,{SUFFIX}', 'groupFilter': '(member=%d)', 'policies': {f'CN=readers, ou=groups,{SUFFIX}': ['readonly']}, **more,
    }}


@contextlib.contextmanager
def serving(folder, providers):
    (folder / 'providers.json').write_text(json.dumps(providers))
    os.environ['MORAINE_IDENTITY_PROVIDERS'] = str(folder / 'providers.json')
    port = free_port()
    server = ServerProcess(port, folder)
    server.start()
    try:
        yield f'http://127.0.0.1:{port}'
    finally:
        server.stop()


@pytest.fixture(scope='module')
def directory(tmp_path_factory):
    started = Directory(tmp_path_factory.mktemp('slapd'))
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope='module')
def endpoint(directory, tmp_path_factory):
    with serving(tmp_path_factory.mktemp('server'), directory_settings(directory.url())) as address:
        yield address


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    """A folder with an authority, and a certificate of it for the address 127.0.0.1 and no name."""
    folder = tmp_path_factory.mktemp('authority')

    def openssl(*words):
        subprocess.run(['openssl', *words], check=True, cwd=folder, capture_output=True)

    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt')
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=directory', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'ldap.key', '-out', 'ldap.csr')
    openssl('x509', '-req', '-in', 'ldap.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copyall', '-out', 'ldap.crt')
    return folder


@pytest.fixture(scope='module')
def strict_directory(authority, tmp_path_factory):
    """It takes no password that is not encrypted."""
    settings = f'TLSCertificateFile {authority}/ldap.crt\nTLSCertificateKeyFile {authority}/ldap.key\nsecurity simple_bind=128'
    started = Directory(tmp_path_factory.mktemp('slapd'), settings)
    started.start()
    yield started
    started.stop()


def sign_in(endpoint, name, password):
    form = {'Action': 'AssumeRoleWithLDAPIdentity', 'Version': '2011-06-15', 'LDAPUsername': name, 'LDAPPassword': password}
    try:
        with urllib.request.urlopen(endpoint, urllib.parse.urlencode(form).encode()) as response:
            text = response.read()
    except urllib.error.HTTPError as error:
        text = error.read()
    return {element.tag.split('}')[1]: element.text for element in ET.fromstring(text).iter()}


def s3_of(endpoint, shown):
    return boto3.client(
        's3', endpoint_url=endpoint, region_name='us-east-1', config=Config(s3={'addressing_style': 'path'}, retries={'total_max_attempts': 1}),
        aws_access_key_id=shown['AccessKeyId'], aws_secret_access_key=shown['SecretAccessKey'], aws_session_token=shown.get('SessionToken'))


def test_the_policies_of_nested_groups(endpoint):
    root = s3_of(endpoint, {'AccessKeyId': 'moraineadmin', 'SecretAccessKey': 'moraineadmin'})
    root.create_bucket(Bucket='shared')
    root.put_object(Bucket='shared', Key='a', Body=b'a')
    s3 = s3_of(endpoint, sign_in(endpoint, 'ada', 'ada-password'))
    assert s3.get_object(Bucket='shared', Key='a')['Body'].read() == b'a'
    with pytest.raises(ClientError, match='AccessDenied'):
        s3.put_object(Bucket='shared', Key='b', Body=b'')


@pytest.mark.parametrize('name, password', [
    ('bob', 'bob-password'), ('ada', 'bob-password'), ('ada', ''), ('', ''), ('nobody', 'ada-password'), ('*', 'ada-password'), ('ada)(uid=*', 'ada-password'),
    ('*)(objectClass=*', 'ada-password'), ('ada\x00', 'ada-password'), (f'uid=ada,ou=people,{SUFFIX}', 'ada-password'),
])
def test_refusals(endpoint, name, password):
    assert sign_in(endpoint, name, password)['Code'] == 'AccessDenied'


def test_guessing_is_slowed_down(endpoint):
    codes = [sign_in(endpoint, 'guessed', f'guess-{number}')['Code'] for number in range(20)]
    assert 'Throttling' in codes and set(codes) == {'AccessDenied', 'Throttling'}


def test_a_directory_that_restarts(endpoint, directory):
    assert 'AccessKeyId' in sign_in(endpoint, 'ada', 'ada-password')
    directory.stop()
    assert [sign_in(endpoint, 'ada', 'ada-password')['Code'] for _ in range(8)] == ['ServiceUnavailable'] * 8
    directory.start()
    # At once, on every worker; and what failed for want of a directory counts for no wrong password.
    assert all('AccessKeyId' in sign_in(endpoint, 'ada', 'ada-password') for _ in range(4))


def test_start_tls(strict_directory, authority, tmp_path, monkeypatch):
    monkeypatch.setenv('NODE_EXTRA_CA_CERTS', str(authority / 'ca.crt'))
    with serving(tmp_path, directory_settings(strict_directory.url(), startTls=True)) as endpoint:
        assert 'AccessKeyId' in sign_in(endpoint, 'ada', 'ada-password')
        assert sign_in(endpoint, 'ada', 'bob-password')['Code'] == 'AccessDenied'
        strict_directory.stop()
        strict_directory.start()
        assert 'AccessKeyId' in sign_in(endpoint, 'ada', 'ada-password')


def test_start_tls_with_another_host(strict_directory, authority, tmp_path, monkeypatch):
    """The certificate is of an address, and the directory is asked for by a name."""
    monkeypatch.setenv('NODE_EXTRA_CA_CERTS', str(authority / 'ca.crt'))
    with serving(tmp_path, directory_settings(strict_directory.url('localhost'), startTls=True)) as endpoint:
        assert sign_in(endpoint, 'ada', 'ada-password')['Code'] == 'ServiceUnavailable'


def test_start_tls_with_an_authority_that_nobody_knows(strict_directory, tmp_path, monkeypatch):
    monkeypatch.delenv('NODE_EXTRA_CA_CERTS', raising=False)
    with serving(tmp_path, directory_settings(strict_directory.url(), startTls=True)) as endpoint:
        assert sign_in(endpoint, 'ada', 'ada-password')['Code'] == 'ServiceUnavailable'


def test_a_password_that_would_travel_in_the_clear(strict_directory, tmp_path):
    with serving(tmp_path, directory_settings(strict_directory.url())) as endpoint:
        assert sign_in(endpoint, 'ada', 'ada-password')['Code'] == 'ServiceUnavailable'
