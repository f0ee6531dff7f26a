import { describe, expect, it } from 'vitest'
import { redactUrl } from './redact.ts'

describe('redactUrl', () => {
  it.each([
    ['/b/k', '/b/k'],
    ['/b/?list-type=2&prefix=a%2Fb&continuation-token=abc', '/b/?list-type=2&prefix=a%2Fb&continuation-token=abc'],
    [
      '/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101&X-Amz-Signature=deadbeef&X-Amz-Security-Token=FQoG',
      '/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101&X-Amz-Signature=***&X-Amz-Security-Token=***',
    ],
    ['/b/k?x-amz-signature=1', '/b/k?x-amz-signature=***'],
    ['/b/k?%58-Amz-%53ignature=1', '/b/k?%58-Amz-%53ignature=***'],
    ['/b/k?x-amz-server-side-encryption-customer-key=c2VjcmV0', '/b/k?x-amz-server-side-encryption-customer-key=***'],
    ['/iceberg/v1/oauth/tokens?client_secret=s&grant_type=x&subject_token=t', '/iceberg/v1/oauth/tokens?client_secret=***&grant_type=x&subject_token=***'],
    ['/?Action=AssumeRoleWithWebIdentity&WebIdentityToken=ey', '/?Action=AssumeRoleWithWebIdentity&WebIdentityToken=***'],
    ['/?Action=AssumeRoleWithLDAPIdentity&LDAPPassword=p&SAMLAssertion=a', '/?Action=AssumeRoleWithLDAPIdentity&LDAPPassword=***&SAMLAssertion=***'],
    ['/b?AWSAccessKeyId=AK&Signature=abc=&Expires=1', '/b?AWSAccessKeyId=AK&Signature=***&Expires=1'],
    ['/b?%ZZ=1&Signature=2', '/b?%ZZ=1&Signature=***'],
    ['/b?delete', '/b?delete'],
  ])('%s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })
})
