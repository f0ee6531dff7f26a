import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIdentityStore, type IdentityStore } from '../../identity/identity-store.ts'
import { openScratchEngine, type ScratchEngine } from '../../identity/scratch-engine.ts'
import { applyBootstrap, planBootstrap } from './apply-bootstrap.ts'
import { BootstrapError, parseBootstrap } from './bootstrap-document.ts'

const none = { buckets: [], warehouses: [] }

describe('planBootstrap', () => {
  it('declares the warehouse lake when nothing is', () => {
    expect(planBootstrap(undefined, none)).toMatchObject({ accounts: [], buckets: [{ name: 'lake' }], warehouses: [{ name: 'lake', bucket: 'lake' }] })
    expect(planBootstrap(undefined, { buckets: ['a-bucket'], warehouses: [] }).warehouses).toEqual([])
    expect(planBootstrap(parseBootstrap('buckets: [{name: a-bucket}]'), none).warehouses).toEqual([])
  })

  it('declares a warehouse’s bucket with it, owned as the warehouse, and joins the short forms', () => {
    const document = parseBootstrap('{"warehouses":[{"name":"sales","bucket":"sales-files","account":"alice"}],"buckets":[{"name":"logs","versioning":"Enabled"}]}')
    const plan = planBootstrap(document, { buckets: ['logs', 'more'], warehouses: ['lake', 'sales'] })
    expect(plan.buckets.map(({ name, account, versioning }) => [name, account, versioning])).toEqual([
      ['logs', undefined, 'Enabled'],
      ['more', undefined, undefined],
      ['sales-files', 'alice', undefined],
      ['lake', undefined, undefined],
    ])
    expect(plan.warehouses.map(({ name, bucket }) => [name, bucket])).toEqual([['sales', 'sales-files'], ['lake', 'lake']])
  })
})

describe('applyBootstrap', () => {
  let scratch: ScratchEngine
  let identity: IdentityStore

  beforeAll(async () => {
    scratch = await openScratchEngine()
    identity = createIdentityStore({ ...scratch, root: { user: 'rootuser', password: 'root-password' } })
  })

  afterAll(() => scratch.remove())

  const apply = async (text: string) => {
    const warehouses: unknown[] = []
    const ensureWarehouse = async (warehouse: unknown): Promise<void> => {
      warehouses.push(warehouse)
    }
    await applyBootstrap(planBootstrap(parseBootstrap(text), none), { engine: scratch.engine, identity, ensureWarehouse, region: 'us-east-1' })
    return warehouses
  }

  const refusalOf = async (text: string): Promise<string> => {
    try {
      await apply(text)
    } catch (error) {
      if (error instanceof BootstrapError) return error.message
      throw error
    }
    throw new Error('it was accepted')
  }

  const document = `
accounts:
  - {name: alice, displayName: Alice, email: a@example.org, accessKeys: [{accessKeyId: AKALICE, secretAccessKey: alice-secret}]}
buckets:
  - {name: photos, account: alice, versioning: Enabled}
  - {name: shared}
warehouses:
  - {name: lake, bucket: photos, prefix: tables}
  - {name: own, bucket: own-files, account: alice}
`

  it('makes what is declared exist, the same each time', async () => {
    const first = await apply(document)
    const alice = await identity.getAccount('alice')
    const root = await identity.ensureRoot()
    expect(await scratch.engine.headBucket('photos')).toMatchObject({ ownerId: alice?.id, versioning: 'Enabled' })
    expect(await scratch.engine.headBucket('shared')).toMatchObject({ ownerId: root.id, versioning: 'Unversioned' })
    expect((await identity.lookupAccessKey('AKALICE'))?.caller.account).toEqual(alice)
    expect(first).toEqual([
      { name: 'lake', bucket: 'photos', prefix: 'tables', ownerAccountId: alice?.accountId },
      { name: 'own', bucket: 'own-files', ownerAccountId: alice?.accountId },
    ])
    expect(await apply(document)).toEqual(first)
    expect(await identity.getAccount('alice')).toEqual(alice)
  })

  it('brings versioning and secrets up to date', async () => {
    await apply(document.replace('Enabled', 'Suspended').replace('alice-secret', 'newer-secret'))
    expect((await scratch.engine.headBucket('photos')).versioning).toBe('Suspended')
    expect((await identity.lookupAccessKey('AKALICE'))?.secretAccessKey).toBe('newer-secret')
  })

  it.each([
    ['buckets: [{name: photos, account: root}]', '/buckets/0: the bucket photos exists and belongs to another account'],
    ['buckets: [{name: fresh-one}, {name: fresh-two, account: nobody}]', '/buckets/1/account: there is no account nobody'],
    ['warehouses: [{name: w, bucket: shared, account: nobody}]', '/warehouses/0/account: there is no account nobody'],
    [`accounts: [{name: alice, id: ${'f'.repeat(64)}}]`, '/accounts/0/id: the account alice exists with the id'],
    ['accounts: [{name: bob, accessKeys: [{accessKeyId: AKBOB, secretAccessKey: bob-secret}, {accessKeyId: AKALICE, secretAccessKey: bob-secret}]}]', '/accounts/0/accessKeys/1/accessKeyId: AKALICE belongs to another account'],
    ['accounts: [{name: bob, accessKeys: [{accessKeyId: rootuser, secretAccessKey: bob-secret}]}]', '/accounts/0/accessKeys/0/accessKeyId: rootuser is the root user'],
  ])('refuses %s', async (text, message) => {
    expect(await refusalOf(text)).toContain(message)
  })
})
