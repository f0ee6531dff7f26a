/**
 * The condition keys that requests can have; a trailing slash is followed by the name of a tag. Others are refused where a
 * document is checked against them, because a condition on what never is there does not do what its author meant.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
const names: readonly string[] = [
  'aws:currenttime', 'aws:epochtime', 'aws:sourceip', 'aws:securetransport', 'aws:useragent', 'aws:referer', 'aws:username', 'aws:userid', 'aws:groups',
  'aws:principaltype', 'aws:principalarn', 'aws:principalaccount', 'aws:principaltag/', 'aws:principalisawsservice', 'aws:principalservicename',
  'aws:principalorgid', 'aws:principalorgpaths', 'aws:viaawsservice', 'aws:calledvia', 'aws:resourceaccount', 'aws:resourcetag/', 'aws:requesttag/', 'aws:tagkeys',
  'aws:tokenissuetime', 'aws:multifactorauthpresent', 'aws:multifactorauthage', 'aws:federatedprovider', 'aws:sourceidentity', 'aws:sourcearn', 'aws:sourceaccount',
  'aws:sourcevpc', 'aws:sourcevpce', 'aws:requestedregion',
  's3:prefix', 's3:delimiter', 's3:max-keys', 's3:versionid', 's3:locationconstraint', 's3:signatureversion', 's3:signatureage', 's3:authtype', 's3:tlsversion',
  's3:resourceaccount', 's3:existingobjecttag/', 's3:requestobjecttag/', 's3:requestobjecttagkeys', 's3:if-match', 's3:if-none-match',
  's3:object-lock-mode', 's3:object-lock-retain-until-date', 's3:object-lock-remaining-retention-days', 's3:object-lock-legal-hold',
  's3:dataaccesspointarn', 's3:dataaccesspointaccount',
  's3:x-amz-acl', 's3:x-amz-grant-full-control', 's3:x-amz-grant-read', 's3:x-amz-grant-read-acp', 's3:x-amz-grant-write', 's3:x-amz-grant-write-acp',
  's3:x-amz-content-sha256', 's3:x-amz-copy-source', 's3:x-amz-metadata-directive', 's3:x-amz-object-ownership', 's3:x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-aws-kms-key-id', 's3:x-amz-server-side-encryption-customer-algorithm', 's3:x-amz-storage-class',
  's3tables:namespace', 's3tables:tablename', 's3tables:viewname', 's3tables:functionname', 's3tables:registerlocation', 's3tables:referencedby',
  's3tables:warehousetag/', 's3tables:tablebuckettag/', 's3tables:tabletag/',
  's3:x-amz-website-redirect-location', 's3:x-amz-object-if-match', 's3:x-amz-annotation-directive',
]

const exact: ReadonlySet<string> = new Set(names.filter(name => !name.endsWith('/')))
const tagged: readonly string[] = names.filter(name => name.endsWith('/'))

/** What trust policies ask of a web identity: `login.example.org/realms/lake:sub`. Other claims are `jwt:` keys here. */
const ofProvider = /^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?(\/[^:\s]*)?:(aud|sub)$/

/** In any case, as written in a policy. The callers' own (`jwt:`, `ldap:`, `sts:`) have names that their providers choose. */
export function isKnownConditionKey(key: string): boolean {
  const lower = key.toLowerCase()
  if (/^(jwt|ldap|sts|svc|saml|iam):/.test(lower) || ofProvider.test(lower)) return true
  return exact.has(lower) || tagged.some(prefix => lower.startsWith(prefix) && lower.length > prefix.length)
}
