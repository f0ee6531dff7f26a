/**
 * For tests: what providers that people have publish and issue, written down from their documentation, with names that are
 * nobody's. Keys are the test's own; `keyMembers` is what else a provider's key set has in each key.
 */
export interface ProviderFixture {
  readonly issuer: string
  readonly discoveryUrl: string
  readonly discovery: Readonly<Record<string, unknown>>
  readonly keyMembers: Readonly<Record<string, unknown>>
  /** Members of tokens' headers besides `alg` and `kid`. */
  readonly header: Readonly<Record<string, unknown>>
  /** By kind, without `iat`, `nbf` and `exp`. */
  readonly tokens: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/: a custom authorization server. */
const oktaIssuer = 'https://dev-1234567.okta.com/oauth2/default'
export const okta: ProviderFixture = {
  issuer: oktaIssuer,
  discoveryUrl: `${oktaIssuer}/.well-known/openid-configuration`,
  discovery: {
    issuer: oktaIssuer, authorization_endpoint: `${oktaIssuer}/v1/authorize`, token_endpoint: `${oktaIssuer}/v1/token`, userinfo_endpoint: `${oktaIssuer}/v1/userinfo`, jwks_uri: `${oktaIssuer}/v1/keys`,
    response_types_supported: ['code', 'id_token', 'code id_token', 'code token', 'id_token token', 'code id_token token'], grant_types_supported: ['authorization_code', 'implicit', 'refresh_token', 'password', 'client_credentials'],
    subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'], scopes_supported: ['openid', 'profile', 'email', 'groups', 'offline_access'],
    claims_supported: ['iss', 'ver', 'sub', 'aud', 'iat', 'exp', 'jti', 'auth_time', 'amr', 'idp', 'nonce', 'name', 'email', 'preferred_username', 'groups'],
  },
  keyMembers: { alg: 'RS256', use: 'sig' },
  header: {},
  tokens: {
    access: {
      ver: 1, jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE', iss: oktaIssuer, aud: 'api://default', cid: '0oabcdefgh1IjKlMn0h7', uid: '00ujmkLgagxeRrAg20g3', scp: ['openid', 'groups'], auth_time: 1_700_000_000,
      sub: 'ada@example.org', groups: ['Everyone', 'analysts'],
    },
    id: {
      sub: '00ujmkLgagxeRrAg20g3', name: 'Ada Lovelace', email: 'ada@example.org', ver: 1, iss: oktaIssuer, aud: '0oabcdefgh1IjKlMn0h7', jti: 'ID.7OdLKMPwPZdcyEQpPFGCsb0oPPvXyE6aOCJvPyfTwGo', amr: ['pwd', 'mfa'],
      idp: '00o1a2b3c4d5e6f7g0h7', nonce: 'n', preferred_username: 'ada@example.org', auth_time: 1_700_000_000, at_hash: 'preview_at_hash', groups: ['Everyone', 'analysts'],
    },
    program: { ver: 1, jti: 'AT.x', iss: oktaIssuer, aud: 'api://default', cid: '0oaprogram', scp: ['lake'], sub: '0oaprogram', groups: ['writers'] },
  },
}

/** https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference, …/access-token-claims-reference: version 2.0 of one tenant. */
const tenant = '11111111-2222-4333-8444-555555555555'
const entraIssuer = `https://login.microsoftonline.com/${tenant}/v2.0`
const entraPerson = {
  iss: entraIssuer, tid: tenant, oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474', sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', ver: '2.0', aio: 'AXQAi/8IAAAA', uti: 'fqiBqXLPj0eQa82S-IYFAA', rh: '0.AAAA',
}
export const entra: ProviderFixture = {
  issuer: entraIssuer,
  discoveryUrl: `${entraIssuer}/.well-known/openid-configuration`,
  discovery: {
    token_endpoint: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`, token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`, response_modes_supported: ['query', 'fragment', 'form_post'], subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'], response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'], scopes_supported: ['openid', 'profile', 'email', 'offline_access'], issuer: entraIssuer,
    request_uri_parameter_supported: false, userinfo_endpoint: 'https://graph.microsoft.com/oidc/userinfo', tenant_region_scope: 'EU', cloud_instance_name: 'microsoftonline.com', msgraph_host: 'graph.microsoft.com',
  },
  // No `alg`: Entra's keys have none.
  keyMembers: { use: 'sig', x5t: 'thumbprint', x5c: ['MIIC'], cloud_instance_name: 'microsoftonline.com', issuer: entraIssuer },
  header: { typ: 'JWT' },
  tokens: {
    id: { ...entraPerson, aud: '6cb04018-a3f5-46a7-b995-940c78f5aef3', name: 'Ada Lovelace', preferred_username: 'ada@example.org', nonce: '123523', roles: ['readonly'], groups: ['0760b6cf-170e-4a14-91b3-4b78e0739963', '3b2b0c93-acd8-4208-8eba-7a48db1cd4c0'] },
    access: { ...entraPerson, aud: '6cb04018-a3f5-46a7-b995-940c78f5aef3', azp: '0f1e2d3c-0000-4000-8000-000000000000', azpacr: '1', scp: 'lake.use', roles: ['readonly', 'tablesAdmin'], name: 'Ada Lovelace', preferred_username: 'ada@example.org' },
    program: { ...entraPerson, aud: '6cb04018-a3f5-46a7-b995-940c78f5aef3', azp: '0f1e2d3c-0000-4000-8000-000000000000', idtyp: 'app', roles: ['tablesAdmin'] },
    overage: {
      ...entraPerson, aud: '6cb04018-a3f5-46a7-b995-940c78f5aef3', roles: ['readonly'], _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint: `https://graph.windows.net/${tenant}/users/690222be-ff1a-4d56-abd1-7e4f7d38e474/getMemberObjects` } },
    },
    implicitOverage: { ...entraPerson, aud: '6cb04018-a3f5-46a7-b995-940c78f5aef3', roles: ['readonly'], hasgroups: true },
    version1: { ...entraPerson, iss: `https://sts.windows.net/${tenant}/`, aud: 'api://6cb04018-a3f5-46a7-b995-940c78f5aef3', appid: '0f1e2d3c-0000-4000-8000-000000000000', ver: '1.0', roles: ['readonly'] },
    otherTenant: { ...entraPerson, iss: 'https://login.microsoftonline.com/99999999-2222-4333-8444-555555555555/v2.0', tid: '99999999-2222-4333-8444-555555555555', aud: '6cb04018-a3f5-46a7-b995-940c78f5aef3', roles: ['readonly'] },
  },
}

/** https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery, and a projected token. */
const kubernetesIssuer = 'https://kubernetes.default.svc.cluster.local'
const bound = {
  'kubernetes.io': { namespace: 'etl', node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' }, pod: { name: 'loader-7d9f', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' }, serviceaccount: { name: 'loader', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' }, warnafter: 1_700_003_607 },
}
export const kubernetes: ProviderFixture = {
  issuer: kubernetesIssuer,
  discoveryUrl: `${kubernetesIssuer}/.well-known/openid-configuration`,
  discovery: { issuer: kubernetesIssuer, jwks_uri: 'https://172.18.0.2:6443/openid/v1/jwks', response_types_supported: ['id_token'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] },
  keyMembers: { alg: 'RS256', use: 'sig' },
  header: {},
  tokens: {
    pod: { iss: kubernetesIssuer, aud: ['sts.lake.example.org', kubernetesIssuer], sub: 'system:serviceaccount:etl:loader', jti: 'ed9b0d1d-5d6c-4e0b-a7c1-54b1d5c8cc5c', ...bound },
    otherAccount: { iss: kubernetesIssuer, aud: ['sts.lake.example.org'], sub: 'system:serviceaccount:etl:loader2', ...bound },
    otherNamespace: { iss: kubernetesIssuer, aud: ['sts.lake.example.org'], sub: 'system:serviceaccount:etl2:loader', ...bound },
    forTheApiServer: { iss: kubernetesIssuer, aud: [kubernetesIssuer], sub: 'system:serviceaccount:etl:loader', ...bound },
    legacy: { iss: 'kubernetes/serviceaccount', 'kubernetes.io/serviceaccount/namespace': 'etl', 'kubernetes.io/serviceaccount/secret.name': 'loader-token-x', 'kubernetes.io/serviceaccount/service-account.name': 'loader', sub: 'system:serviceaccount:etl:loader' },
  },
}
