"""Signing in with a name and password of an OpenLDAP directory."""

import json
import os
import pathlib
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


@pytest.fixture(scope='module')
def directory(tmp_path_factory):
    folder = tmp_path_factory.mktemp('slapd')
    (folder / 'db').mkdir()
    modules = next(pathlib.Path('/usr/lib').glob('**/ldap/back_mdb*.so*')).parent
    configuration = folder / 'slapd.conf'
    configuration.write_text(f"""
modulepath {modules}
moduleload back_mdb
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
database mdb
maxsize 10485760
suffix "{SUFFIX}"
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=lookup,{SUFFIX}" read by * none
""")
    (folder / 'data.ldif').write_text(LDIF)
    subprocess.run(['/usr/sbin/slapadd', '-f', configuration, '-l', folder / 'data.ldif'], check=True)
    port = free_port()
    process = subprocess.Popen(['/usr/sbin/slapd', '-f', str(configuration), '-h', f'ldap://127.0.0.1:{port}', '-d', '0'])
    time.sleep(1)
    assert process.poll() is None
    yield f'ldap://127.0.0.1:{port}'
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(scope='module')
def endpoint(directory, tmp_path_factory):
    folder = tmp_path_factory.mktemp('server')
    providers = {'ldap': {
        'url': directory, 'bindDn': f'cn=lookup,{SUFFIX}', 'bindPassword': 'lookup-password', 'userBase': f'ou=people,{SUFFIX}', 'userFilter': '(uid=%s)',
        'groupBase': f'ou=groups,{SUFFIX}', 'groupFilter': '(member=%d)', 'policies': {f'CN=readers, ou=groups,{SUFFIX}': ['readonly']},
    }}
    (folder / 'providers.json').write_text(json.dumps(providers))
    os.environ['MORAINE_IDENTITY_PROVIDERS'] = str(folder / 'providers.json')
    port = free_port()
    server = ServerProcess(port, folder)
    server.start()
    yield f'http://127.0.0.1:{port}'
    server.stop()


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
