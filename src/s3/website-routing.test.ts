import { describe, expect, test } from 'vitest'
import { folderIndexOf, planWebsiteError, planWebsiteRequest } from './website-routing.ts'
import type { WebsiteConfiguration } from '@aws-sdk/client-s3'

const site: WebsiteConfiguration = {
  IndexDocument: { Suffix: 'index.html' },
  ErrorDocument: { Key: 'errors/404.html' },
  RoutingRules: [
    { Condition: { KeyPrefixEquals: 'docs/' }, Redirect: { ReplaceKeyPrefixWith: 'documents/' } },
    { Condition: { KeyPrefixEquals: 'exact' }, Redirect: { HostName: 'other.example', Protocol: 'https', ReplaceKeyWith: 'one page', HttpRedirectCode: '307' } },
    { Condition: { KeyPrefixEquals: 'gone/', HttpErrorCodeReturnedEquals: '404' }, Redirect: { ReplaceKeyPrefixWith: '' } },
    { Condition: { HttpErrorCodeReturnedEquals: '403' }, Redirect: { HostName: 'login.example' } },
  ],
}
const at = (key: string) => ({ protocol: 'http' as const, host: 'b.web.example', key })

describe('a request', () => {
  test.each([
    ['', { kind: 'object', key: 'index.html' }],
    ['a/', { kind: 'object', key: 'a/index.html' }],
    ['a/b', { kind: 'object', key: 'a/b' }],
    ['docs/a b', { kind: 'redirect', status: 301, location: 'http://b.web.example/documents/a%20b' }],
    ['docs/', { kind: 'redirect', status: 301, location: 'http://b.web.example/documents/' }],
    ['exactly', { kind: 'redirect', status: 307, location: 'https://other.example/one%20page' }],
    ['gone/x', { kind: 'object', key: 'gone/x' }],
  ])('for %j', (key, step) => {
    expect(planWebsiteRequest(site, at(key))).toEqual(step)
  })

  test('is redirected to the other host with its key, when all are', () => {
    const all = { RedirectAllRequestsTo: { HostName: 'new.example' } }
    expect(planWebsiteRequest(all, at('a/é'))).toEqual({ kind: 'redirect', status: 301, location: 'http://new.example/a/%C3%A9' })
    const secure = { RedirectAllRequestsTo: { HostName: 'new.example', Protocol: 'https' as const } }
    expect(planWebsiteRequest(secure, at(''))).toEqual({ kind: 'redirect', status: 301, location: 'https://new.example/' })
  })

  test('meets the first of several rules, and one without a condition always', () => {
    const rules = { IndexDocument: { Suffix: 'i' }, RoutingRules: [{ Redirect: { HostName: 'first' } }, { Redirect: { HostName: 'second' } }] }
    expect(planWebsiteRequest(rules, at('k'))).toMatchObject({ location: 'http://first/k' })
  })
})

describe('an error', () => {
  test.each([
    ['gone/x', 404, { kind: 'redirect', status: 301, location: 'http://b.web.example/x' }],
    ['x', 404, { kind: 'object', key: 'errors/404.html' }],
    ['x', 403, { kind: 'redirect', status: 301, location: 'http://login.example/x' }],
  ])('at %j with %d', (key, status, step) => {
    expect(planWebsiteError(site, at(key), status)).toEqual(step)
  })

  test('is shown itself where there is no error document', () => {
    expect(planWebsiteError({ IndexDocument: { Suffix: 'i' } }, at('x'), 404)).toBeUndefined()
  })
})

test('only a key without a slash at its end may mean a folder', () => {
  expect([folderIndexOf(site, at('a')), folderIndexOf(site, at('a/')), folderIndexOf(site, at(''))]).toEqual(['a/index.html', undefined, undefined])
})
