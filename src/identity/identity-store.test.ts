import { rootPrincipal } from '../policy/principal.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIdentityStore, type IdentityStore } from './identity-store.ts'
import { IdentityError } from './identity-error.ts'
import { ensureServerKey } from './server-key.ts'
import { openScratchEngine, type ScratchEngine } from './scratch-engine.ts'

let scratch: ScratchEngine
let identity: IdentityStore

const root = { user: 'rootuser', password: 'root-password' }
const alice = { name: 'alice', displayName: 'Alice', email: 'alice@example.org' }

beforeAll(async () => {
  scratch = await openScratchEngine()
  identity = createIdentityStore({ ...scratch, root })
})

afterAll(() => scratch.remove())

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act
  } catch (error) {
    if (error instanceof IdentityError) return error.code
    throw error
  }
  return 'none'
}

describe('root', () => {
  it('has ids that are generated once, for every process', async () => {
    const account = await identity.ensureRoot()
    expect(account.id).toMatch(/^[0-9a-f]{64}$/)
    expect(account.accountId).toMatch(/^[1-9]\d{11}$/)
    const other = createIdentityStore({ ...scratch, root: { user: 'another', password: 'another-password' } })
    expect(await other.ensureRoot()).toEqual(account)
  })

  it('is looked up by the configured key', async () => {
    const found = await identity.lookupAccessKey('rootuser')
    expect(found).toMatchObject({ secretAccessKey: 'root-password', caller: { principal: rootPrincipal('serverRoot', await identity.ensureRoot()), account: await identity.ensureRoot(), accessKeyId: 'rootuser' } })
  })
})

describe('the server key', () => {
  it('is generated once, for every process', async () => {
    const keys = await Promise.all([1, 2, 3].map(() => ensureServerKey(scratch.engine, scratch.box, scratch.random)))
    for (const key of keys) expect(key).toEqual(keys[0])
    expect(keys[0]).toHaveLength(32)
  })
})

describe('accounts', () => {
  it('generates ids once and keeps them while names are brought up to date', async () => {
    const created = await identity.ensureAccount(alice)
    const renamed = await identity.ensureAccount({ ...alice, displayName: 'Alice B' })
    expect(renamed).toEqual({ ...created, displayName: 'Alice B' })
    expect(await identity.getAccount('alice')).toEqual(renamed)
    expect(await identity.getAccountById(created.id)).toEqual(renamed)
    expect(await identity.getAccountByNumber(created.accountId)).toEqual(renamed)
    expect(await identity.getAccountById('0'.repeat(64))).toBeUndefined()
  })

  it('takes declared ids, and refuses to change or share them', async () => {
    const declared = { name: 'bob', id: 'b'.repeat(64), accountId: '123456789012', displayName: 'Bob', email: '' }
    expect(await identity.ensureAccount(declared)).toEqual(declared)
    expect(await identity.ensureAccount(declared)).toEqual(declared)
    expect(await codeOf(identity.ensureAccount({ ...declared, id: 'c'.repeat(64) }))).toBe('IdChanged')
    expect(await codeOf(identity.ensureAccount({ ...declared, accountId: '000000000001' }))).toBe('AccountIdChanged')
    expect(await codeOf(identity.ensureAccount({ ...declared, name: 'eve', accountId: '000000000001' }))).toBe('IdTaken')
    expect(await codeOf(identity.ensureAccount({ ...declared, name: 'eve', id: 'e'.repeat(64) }))).toBe('AccountIdTaken')
    expect(await identity.getAccount('eve')).toBeUndefined()
  })
})

describe('access keys', () => {
  it('are found with their account, and a new secret holds at once for every process', async () => {
    const account = await identity.ensureAccount(alice)
    const other = createIdentityStore({ ...scratch, root })
    await identity.ensureAccessKey('alice', 'AKALICE', 'first-secret')
    expect(await other.lookupAccessKey('AKALICE')).toMatchObject({ secretAccessKey: 'first-secret', caller: { principal: rootPrincipal('accountRoot', account), account, accessKeyId: 'AKALICE' } })
    await identity.ensureAccessKey('alice', 'AKALICE', 'second-secret')
    expect((await other.lookupAccessKey('AKALICE'))?.secretAccessKey).toBe('second-secret')
  })

  it('belong to one account', async () => {
    await identity.ensureAccount({ name: 'carol', displayName: 'Carol', email: '' })
    await identity.ensureAccessKey('carol', 'AKCAROL', 'carol-secret')
    expect(await codeOf(identity.ensureAccessKey('alice', 'AKCAROL', 'stolen-secret'))).toBe('AccessKeyTaken')
    expect(await codeOf(identity.ensureAccessKey('alice', 'rootuser', 'stolen-secret'))).toBe('AccessKeyTaken')
    expect((await identity.lookupAccessKey('AKCAROL'))?.secretAccessKey).toBe('carol-secret')
  })

  it.each(['', 'unknown', 'AKALIC', 'akalice', '../account/alice', 'x'.repeat(5000), '\u0000'])('%j is none', async accessKeyId => {
    expect(await identity.lookupAccessKey(accessKeyId)).toBeUndefined()
  })
})
