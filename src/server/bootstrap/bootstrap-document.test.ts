import { describe, expect, it } from 'vitest'
import { BootstrapError, parseBootstrap } from './bootstrap-document.ts'

const id = 'a'.repeat(64)

function problemsOf(document: unknown): string {
  try {
    parseBootstrap(typeof document === 'string' ? document : JSON.stringify(document))
  } catch (error) {
    if (error instanceof BootstrapError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('parseBootstrap', () => {
  it('reads JSON and YAML alike', () => {
    const document = {
      accounts: [{ name: 'alice', id, accountId: '123456789012', displayName: 'Alice', email: 'alice@example.org', accessKeys: [{ accessKeyId: 'AKALICE', secretAccessKey: 'alice-secret' }] }],
      buckets: [{ name: 'photos', account: 'alice', versioning: 'Enabled' }],
      warehouses: [{ name: 'Sales', bucket: 'photos', prefix: 'iceberg/sales', account: 'alice' }],
    }
    expect(parseBootstrap(JSON.stringify(document))).toEqual(document)
    const yaml = `
accounts:
  - name: alice
    id: ${id}
    accountId: "123456789012"
    displayName: Alice
    email: alice@example.org
    accessKeys:
      - {accessKeyId: AKALICE, secretAccessKey: alice-secret}
buckets:
  - {name: photos, account: alice, versioning: Enabled}
warehouses:
  - {name: Sales, bucket: photos, prefix: iceberg/sales, account: alice}
`
    expect(parseBootstrap(yaml)).toEqual(document)
  })

  it('fills in what may be absent', () => {
    expect(parseBootstrap('')).toEqual({ accounts: [], buckets: [], warehouses: [] })
    expect(parseBootstrap('{"accounts":[{"name":"bob"}],"buckets":[{"name":"logs"}],"warehouses":[{"name":"lake","bucket":"logs"}]}')).toEqual({
      accounts: [{ name: 'bob', displayName: 'bob', email: '', accessKeys: [] }],
      buckets: [{ name: 'logs' }],
      warehouses: [{ name: 'lake', bucket: 'logs' }],
    })
  })

  it.each<[unknown, string]>([
    [[], '/: expected an object, not a list'],
    [{ acounts: [] }, '/acounts: there is no such member; expected accounts, buckets, warehouses'],
    [{ 'a/b~c': 1 }, '/a~1b~0c: there is no such member'],
    [{ accounts: {} }, '/accounts: expected a list, not an object'],
    [{ accounts: ['alice'] }, '/accounts/0: expected an object, not a string'],
    [{ accounts: [{}] }, '/accounts/0/name: is needed'],
    [{ accounts: [{ name: 'a b' }] }, '/accounts/0/name: expected 1 to 64'],
    [{ accounts: [{ name: 'a', id: 'A'.repeat(64) }] }, '/accounts/0/id: expected 64 lower-case hex digits'],
    [{ accounts: [{ name: 'a', accountId: 123_456_789_012 }] }, '/accounts/0/accountId: expected 12 digits, as text, not a number'],
    [{ accounts: [{ name: 'a', accountId: '123' }] }, '/accounts/0/accountId: expected 12 digits, as text, not "123"'],
    [{ accounts: [{ name: 'a', email: 'nobody' }] }, '/accounts/0/email: expected an e-mail address'],
    [{ accounts: [{ name: 'a' }, { name: 'a' }] }, '/accounts/1/name: a is declared twice'],
    [{ accounts: [{ name: 'a', accessKeys: [{ accessKeyId: 'a/b', secretAccessKey: 'long-enough' }] }] }, '/accounts/0/accessKeys/0/accessKeyId: expected 3 to 128'],
    [{ buckets: [{ name: 'No' }] }, '/buckets/0/name: "No" is not a bucket name'],
    [{ buckets: [{ name: 'abc', versioning: 'enabled' }] }, '/buckets/0/versioning: expected Enabled or Suspended, not "enabled"'],
    [{ buckets: [{ name: 'abc', objectLock: true }] }, '/buckets/0/objectLock: there is no such member'],
    [{ warehouses: [{ name: 'w' }] }, '/warehouses/0/bucket: is needed'],
    [{ warehouses: [{ name: 'w', bucket: 'abc', prefix: '/x' }] }, '/warehouses/0/prefix: expected a key prefix'],
    ['accounts: [', 'at line 1'],
    ['accounts: []\naccounts: []', 'Map keys must be unique'],
  ])('%j', (document, message) => {
    expect(problemsOf(document)).toContain(message)
  })

  it('names the place of a bad secret, and not the secret', () => {
    const accessKeys = [{ accessKeyId: 'AKGOOD', secretAccessKey: 'long-enough' }, { accessKeyId: 'AKBAD', secretAccessKey: 'short77' }]
    expect(problemsOf({ accounts: [{ name: 'a', accessKeys }] })).toBe('/accounts/0/accessKeys/1/secretAccessKey: expected 8 to 256 characters')
  })

  it('tells every problem at once', () => {
    expect(problemsOf({ accounts: [{}], buckets: [{ name: 'x' }], more: 1 }).split('\n')).toHaveLength(3)
  })
})
