"""A Keycloak of the test's own, and its realm `lake`: people, programs, and keys that can be changed."""

import base64
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from server_process import free_port

START_SECONDS = 150
AUDIENCE = 'lake'


def decoded(token: str) -> dict:
    """What a token says; its signature is not looked at."""
    part = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))


class Keycloak:
    def __init__(self, folder: pathlib.Path):
        self._log = folder / 'keycloak.log'
        self._url = f'http://127.0.0.1:{free_port()}'
        self._process: subprocess.Popen | None = None
        self.issuer = f'{self._url}/realms/lake'

    def start(self) -> None:
        """Returns once it serves the realm."""
        options = [f'--http-port={self._url.rsplit(":", 1)[1]}', '--http-host=127.0.0.1', '--http-enabled=true', '--hostname-strict=false', '--cache=local',
                   f'--http-management-port={free_port()}']
        # Two thirds of a gigabyte in all; compiled quickly rather than well, since it does not live long.
        environment = {**os.environ, 'KC_BOOTSTRAP_ADMIN_USERNAME': 'admin', 'KC_BOOTSTRAP_ADMIN_PASSWORD': 'admin', 'JAVA_OPTS_KC_HEAP': '-Xms128m -Xmx384m',
                       'JAVA_OPTS_APPEND': '-XX:TieredStopAtLevel=1'}
        program = pathlib.Path(os.environ['KEYCLOAK_HOME']) / 'bin' / 'kc.sh'
        with self._log.open('w') as log:
            self._process = subprocess.Popen(['bash', str(program), 'start', '--optimized', *options], stdout=log, stderr=log, env=environment, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f'{self._url}/realms/master', timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline and self._process.poll() is None, self._log.read_text()[-4000:]
                time.sleep(0.2)
        self._admin('POST', '', realm())

    def stop(self) -> None:
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    @property
    def token_uri(self) -> str:
        return f'{self.issuer}/protocol/openid-connect/token'

    def signed_in(self, user: str, client: str = 'shell') -> dict:
        """The token endpoint's answer to a person's name and password."""
        return self._form(self.token_uri, grant_type='password', client_id=client, username=user, password=f'{user}-password', scope='openid')

    def token_of(self, user: str, client: str = 'shell') -> str:
        return self.signed_in(user, client)['access_token']

    def program_token(self) -> str:
        return self._form(self.token_uri, grant_type='client_credentials', client_id='engine', client_secret='engine-secret')['access_token']

    def token_of_other_realm(self) -> str:
        return self._form(f'{self._url}/realms/master/protocol/openid-connect/token', grant_type='password', client_id='admin-cli', username='admin', password='admin')['access_token']

    def add_signing_key(self, algorithm: str, priority: int) -> None:
        """A new key, which signs from now on when its priority is the highest."""
        kind = 'ecdsa-generated' if algorithm.startswith('ES') else 'rsa-generated'
        config = {'priority': [str(priority)], 'algorithm': [algorithm], **({'ecdsaEllipticCurveKey': ['P-256']} if kind == 'ecdsa-generated' else {})}
        self._admin('POST', '/lake/components', {'name': f'{algorithm}-{priority}', 'providerId': kind, 'providerType': 'org.keycloak.keys.KeyProvider', 'config': config})

    def drop_signing_key(self, name: str) -> None:
        keys = self._admin('GET', '/lake/components?type=org.keycloak.keys.KeyProvider')
        self._admin('DELETE', f'/lake/components/{next(key["id"] for key in keys if key["name"] == name)}')

    def _admin(self, method: str, path: str, body: object = None):
        headers = {'authorization': f'Bearer {self.token_of_other_realm()}', 'content-type': 'application/json'}
        request = urllib.request.Request(f'{self._url}/admin/realms{path}', method=method, headers=headers, data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def _form(self, url: str, **fields: str) -> dict:
        with urllib.request.urlopen(url, urllib.parse.urlencode(fields).encode(), timeout=60) as response:
            return json.load(response)


def mapper(name: str, kind: str, **config: str) -> dict:
    return {'name': name, 'protocol': 'openid-connect', 'protocolMapper': f'oidc-{kind}', 'config': {'access.token.claim': 'true', 'id.token.claim': 'true', **config}}


def realm() -> dict:
    policy = {'claim.name': 'policy', 'jsonType.label': 'String'}
    of_user = mapper('policy', 'usermodel-attribute-mapper', **{'user.attribute': 'policy', 'multivalued': 'true', **policy})
    groups = mapper('groups', 'group-membership-mapper', **{'claim.name': 'groups', 'full.path': 'false'})
    audience = mapper('audience', 'audience-mapper', **{'included.custom.audience': AUDIENCE})
    common = {'enabled': True, 'standardFlowEnabled': False}
    people = {'publicClient': True, 'directAccessGrantsEnabled': True, **common}
    return {
        'realm': 'lake', 'enabled': True, 'groups': [{'name': 'analysts'}],
        'clients': [
            {'clientId': 'shell', 'protocolMappers': [of_user, groups, audience], **people},
            {'clientId': 'elsewhere', 'protocolMappers': [of_user, groups], **people},
            {'clientId': 'engine', 'secret': 'engine-secret', 'serviceAccountsEnabled': True, **common,
             'protocolMappers': [mapper('policy', 'hardcoded-claim-mapper', **{'claim.value': 'tablesAdmin', **policy}), audience]},
        ],
        'users': [user('ada', ['readonly'], ['analysts']), user('tess', ['tablesAdmin', 'readonly'], []), user('nobody', [], [])],
    }


def user(name: str, policies: list[str], groups: list[str]) -> dict:
    return {
        'username': name, 'enabled': True, 'email': f'{name}@example.org', 'emailVerified': True, 'firstName': name, 'lastName': name, 'attributes': {'policy': policies},
        'groups': groups, 'credentials': [{'type': 'password', 'value': f'{name}-password', 'temporary': False}],
    }
