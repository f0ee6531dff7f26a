/** The rights of catalog requests: none runs without one, listings show what may be loaded, views hand on what a policy says. */
import { beforeAll, afterAll, describe, expect, it, test } from 'vitest'
import { createCatalog, type Catalog, type CatalogRequest, type ServedOperationId } from '../../catalog/index.ts'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { catalogActionsOf, catalogOperationsWithActions, namespaceName } from '../policy/actions/iceberg-actions.ts'
import { compilePolicy } from '../policy/compile.ts'
import { byPolicies, type Decider } from '../policy/decider.ts'
import { rootPrincipal, type Principal } from '../policy/principal.ts'
import { authorizeBy } from './authorize.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'
import { checkResourcePolicy } from './resource-policy.ts'

const account = { accountId: '111111111111', id: 'a'.repeat(64) }
const foreign = { accountId: '222222222222', id: 'e'.repeat(64) }
const owner = rootPrincipal('accountRoot', account)
const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: false, type: 'long' }] }

let world: ScratchEngine
let catalog: Catalog
let operationIds: readonly ServedOperationId[] = []

beforeAll(async () => {
  world = await openScratchEngine()
  const { engine, clock, random } = world
  await engine.createBucket({ bucket: 'lake', ownerId: account.id, region: 'us-east-1' })
  catalog = createCatalog({ store: engineCatalogStore(engine), clock, random, settings: { idempotencyLifetimeMs: 1000 }, buckets: { ensureBucket: async () => {} }, remoteSigning: true, checkPolicy: checkResourcePolicy })
  operationIds = [...catalog.endpoints.keys()]
  await catalog.ensureWarehouse({ name: 'lake', bucket: 'lake', ownerAccountId: account.accountId })
  for (const namespace of [['sales'], ['sales', 'eu'], ['sales.eu'], ['hr']]) await made('createNamespace', {}, { namespace })
  for (const [namespace, name] of [['sales', 'orders'], ['sales', 'secret'], ['hr', 'people']] as const) await made('createTable', { namespace }, { name, schema })
  const version = (sql: string) => ({ 'version-id': 1, 'timestamp-ms': 0, 'schema-id': 0, summary: {}, 'default-namespace': ['sales'], representations: [{ type: 'sql', sql, dialect: 'spark' }] })
  await made('createView', { namespace: 'sales' }, { name: 'report', schema, 'view-version': version('SELECT id FROM hr.people -- sales.secret') })
  await made('createView', { namespace: 'sales' }, { name: 'outer', schema, 'view-version': version('SELECT * FROM `report`') })
  await made('storeFunction', { namespace: 'sales', function: 'f' }, functionMetadata)
})
afterAll(() => world.remove())

const functionMetadata = {
  'function-uuid': '0b5c1f0e-0000-4000-8000-000000000000', 'format-version': 1, definitions: [], 'definition-log': [], properties: {},
}

type Body = object | undefined

const signer = { sign: async ({ uri }: { readonly uri: string }) => ({ uri, headers: {} }) }

const run = (principal: Principal, operationId: ServedOperationId, path: Record<string, string> = {}, body?: Body, query: Record<string, string> = {}, decider?: Decider) => {
  const request: CatalogRequest = {
    operationId,
    caller: { accountId: principal.accountId, principalId: principal.userId, isRoot: principal.kind === 'serverRoot' },
    authorize: authorizeBy({ principal, nowMs: world.clock.nowMs(), sourceIp: '127.0.0.1', isSecure: false, userAgent: undefined, referer: undefined }, { bucketTags: async () => ({ stage: 'test' }), ...(decider !== undefined && { decider }) }),
    signer,
    path: { prefix: 'lake', ...path },
    query,
    headers: {},
    body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    fileIoProperties: {},
  }
  return catalog.run(request)
}

async function made(operationId: ServedOperationId, path: Record<string, string>, body: Body, query?: Record<string, string>): Promise<void> {
  const { status, body: text } = await run(owner, operationId, path, body, query)
  if (status >= 300 && operationId !== 'storeFunction') throw new Error(`${operationId}: ${status} ${typeof text === 'string' ? text : ''}`)
}

const bodyOf = async (answer: ReturnType<typeof run>): Promise<unknown> => {
  const { body } = await answer
  return JSON.parse(typeof body === 'string' ? body : Array.isArray(body) ? Buffer.concat(body).toString() : '') as unknown
}

function user(...statements: readonly object[]): Principal {
  const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements.length === 0 ? [{ Effect: 'Deny', Action: 'iam:none', Resource: '*' }] : statements }), { kind: 'identity' })
  return { ...owner, kind: 'user', arn: `arn:aws:iam::${account.accountId}:user/bob`, userId: 'AIDABOB', userName: 'bob', policies: { identity: [{ name: 'p', policy }], limits: [] } }
}

const allow = (Action: string | readonly string[], Resource: string | readonly string[] = '*', more: object = {}) => ({ Effect: 'Allow', Action, Resource, ...more })
const arn = (rest = ''): string => `arn:aws:s3tables:::bucket/lake${rest}`

/** One request of each operation, on what is there. */
const paths = { namespace: 'sales', table: 'orders', view: 'report', function: 'f', 'plan-id': 'p', uuid: 'u', warehouse: 'lake' }
const identifiers = { source: { namespace: ['sales'], name: 'orders' }, destination: { namespace: ['sales'], name: 'moved' } }
const bodies: Partial<Record<ServedOperationId, object>> = {
  createNamespace: { namespace: ['made'] },
  createTable: { name: 'made', schema },
  createView: { name: 'made' },
  registerTable: { name: 'made', 'metadata-location': 's3://lake/x' },
  registerView: { name: 'made', 'metadata-location': 's3://lake/x' },
  renameTable: identifiers,
  renameView: { ...identifiers, source: { namespace: ['sales'], name: 'report' } },
  commitTransaction: { 'table-changes': [{ identifier: identifiers.source, requirements: [], updates: [] }] },
  signRequest: { region: 'us-east-1', uri: 'http://h/lake/x', method: 'GET', headers: {} },
  createWarehouse: { name: 'other' },
  updateWarehouse: { 'undrop-ms': null },
  tagTable: { tags: { stage: 'test' } },
  putTablePolicy: { resourcePolicy: '{}' },
  putWarehousePolicy: { resourcePolicy: '{}' },
}

function sampleOf(operationId: ServedOperationId): readonly [Record<string, string>, Body, Record<string, string>] {
  const template = catalog.endpoints.get(operationId)?.path ?? ''
  const path = Object.fromEntries(Object.entries(paths).filter(([name]) => template.includes(`{${name}}`)))
  return [path, bodies[operationId], operationId === 'getConfig' ? { warehouse: 'lake' } : operationId === 'untagTable' ? { tagKeys: 'stage' } : {}]
}

/** Listings have no right of their own but what they show. */
const listsOnly = new Set<ServedOperationId>(['listWarehouses'])

test('every operation that is served has a row in the table', () => {
  expect(operationIds.filter(id => !catalogOperationsWithActions.has(id))).toEqual([])
})

describe('no operation runs', () => {
  it('for a user without policies, for another account, for one with all rights but its own on everything else', async () => {
    for (const id of operationIds) {
      if (listsOnly.has(id)) continue
      const sample = sampleOf(id)
      for (const who of [user(), rootPrincipal('accountRoot', foreign), user(allow('s3:*'), allow('iam:*')), user(allow('s3tables:*', ['arn:aws:s3tables:::bucket/other', 'arn:aws:s3tables:::bucket/other/*', 'arn:aws:s3tables:::bucket/lak', 'arn:aws:s3tables:::bucket/LAKE/*']))]) {
        // A warehouse that does not exist yet is nobody's: another account may make its own.
        if (id === 'createWarehouse' && who.accountId === foreign.accountId) continue
        expect([id, (await run(who, id, ...sample)).status]).toEqual([id, 403])
      }
    }
  })

  it('for a user who lacks exactly one of its actions', async () => {
    for (const id of operationIds) {
      if (listsOnly.has(id)) continue
      const sample = sampleOf(id)
      const actions = actionsUsed(id)
      expect(actions.length).toBeGreaterThan(0)
      for (const action of actions) {
        expect([id, (await run(user({ Effect: 'Allow', NotAction: action, Resource: '*' }), id, ...sample)).status]).toEqual([id, 403])
        expect([id, (await run(user(allow('*'), { Effect: 'Deny', Action: action, Resource: '*' }), id, ...sample)).status]).toEqual([id, 403])
      }
    }
  })
})

/** What the sample of an operation needs, as the table has it. */
function actionsUsed(id: ServedOperationId): readonly string[] {
  const roles = id.startsWith('rename') ? (['itself', 'created'] as const) : /^(create(Table|View|Namespace)|register)/.test(id) ? (['created'] as const) : (['itself'] as const)
  const kind = id === 'listDropped' ? 'warehouse' : 'table'
  return roles.flatMap(role => catalogActionsOf(id, { kind, role }) ?? [])
}

describe('rights', () => {
  const orders = { namespace: 'sales', table: 'orders' }
  it.each<[string, object, number]>([
    ['all of the warehouse', allow('s3tables:*', arn('/*')), 200],
    ['a namespace', allow('s3tables:GetTable', arn('/namespace/sales/*')), 200],
    ['the table by its names', allow('s3tables:GetTable', arn('/namespace/sales/table/orders')), 200],
    ['tables by uuid, whatever they are', allow('s3tables:GetTable', arn('/table/*')), 200],
    ['the namespace as a condition', allow('s3tables:GetTable', '*', { Condition: { StringEquals: { 's3tables:namespace': 'sales' } } }), 200],
    ['the name as a condition', allow('s3tables:GetTable', '*', { Condition: { StringLike: { 's3tables:tableName': 'ord*' } } }), 200],
    ['a tag of the warehouse', allow('s3tables:GetTable', '*', { Condition: { StringEquals: { 's3tables:WarehouseTag/stage': 'test' } } }), 200],
    ['another tag', allow('s3tables:GetTable', '*', { Condition: { StringEquals: { 's3tables:WarehouseTag/stage': 'live' } } }), 403],
    ['another namespace', allow('s3tables:GetTable', arn('/namespace/hr/*')), 403],
    ['the view of that name', allow('s3tables:GetView', arn('/namespace/sales/*')), 403],
    ['the warehouse itself', allow('s3tables:GetTable', arn()), 403],
    ['the namespace in capitals', allow('s3tables:GetTable', arn('/namespace/SALES/*')), 403],
    ['the inner namespace', allow('s3tables:GetTable', arn('/namespace/sales.eu/*')), 403],
  ])('of %s: %j', async (_name, statement, status) => {
    expect((await run(user(statement), 'loadTable', orders)).status).toBe(status)
  })

  it('tell names apart that read alike', () => {
    expect(new Set([['a', 'b'], ['a.b'], ['a%2Eb'], ['a/table/b'], ['a:b'], ['a%b']].map(namespaceName)).size).toBe(6)
  })

  it('on a table by uuid stay with it when it is renamed', async () => {
    await made('createTable', { namespace: 'sales' }, { name: 'wanderer', schema })
    const { metadata } = (await bodyOf(run(owner, 'loadTable', { namespace: 'sales', table: 'wanderer' }))) as { metadata: { 'table-uuid': string } }
    const bob = user(allow('s3tables:GetTable', arn(`/table/${metadata['table-uuid']}`)))
    await made('renameTable', {}, { source: { namespace: ['sales'], name: 'wanderer' }, destination: { namespace: ['hr'], name: 'settler' } })
    expect((await run(bob, 'loadTable', { namespace: 'hr', table: 'settler' })).status).toBe(200)
    await made('createTable', { namespace: 'sales' }, { name: 'wanderer', schema })
    expect((await run(bob, 'loadTable', { namespace: 'sales', table: 'wanderer' })).status).toBe(403)
  })

  it('to sign a write are others than to sign a read', async () => {
    const bob = user(allow('s3tables:GetTableData'))
    const sign = (method: string) => run(bob, 'signRequest', orders, { region: 'us-east-1', uri: 'http://h/lake/x', method, headers: {} })
    expect((await sign('GET')).status).toBe(200)
    for (const method of ['PUT', 'DELETE', 'POST', 'get']) expect((await sign(method)).status).not.toBe(200)
  })

  it('to commit do not make tables, one by one nor in a transaction', async () => {
    const bob = user(allow('s3tables:UpdateTable'))
    const create = { requirements: [{ type: 'assert-create' }], updates: [] }
    expect((await run(bob, 'updateTable', { namespace: 'sales', table: 'fresh' }, create)).status).toBe(403)
    expect((await run(bob, 'commitTransaction', {}, { 'table-changes': [{ identifier: { namespace: ['sales'], name: 'fresh' }, ...create }] })).status).toBe(403)
    expect((await run(bob, 'commitTransaction', {}, { 'table-changes': [] })).status).toBe(204)
  })

  it('in a transaction are needed on each of its tables', async () => {
    const bob = user(allow('s3tables:UpdateTable', arn('/namespace/sales/*')))
    const change = (namespace: string, name: string) => ({ identifier: { namespace: [namespace], name }, requirements: [], updates: [] })
    expect((await run(bob, 'commitTransaction', {}, { 'table-changes': [change('sales', 'orders')] })).status).toBe(204)
    expect((await run(bob, 'commitTransaction', {}, { 'table-changes': [change('sales', 'orders'), change('hr', 'people')] })).status).toBe(403)
  })

  it('to register can be held to a place', async () => {
    const bob = user(allow('s3tables:RegisterTable', '*', { Condition: { StringLike: { 's3tables:registerLocation': 's3://lake/inbox/*' } } }))
    const register = (location: string) => run(bob, 'registerTable', { namespace: 'sales' }, { name: 'found', 'metadata-location': location })
    expect((await register('s3://lake/hr/people/metadata/1.json')).status).toBe(403)
    expect((await register('s3://lake/inbox/metadata/1.json')).status).toBe(404)
    expect((await run(bob, 'registerTable', { namespace: 'sales' }, { name: 'orders', 'metadata-location': 's3://lake/inbox/1.json', overwrite: true })).status).toBe(403)
  })

  it('to make a warehouse need those on its bucket', async () => {
    expect((await run(user(allow('s3tables:*')), 'createWarehouse', {}, { name: 'mine', bucket: 'secrets' })).status).toBe(403)
    expect((await run(user(allow('s3tables:*'), allow('s3:*', ['arn:aws:s3:::mine', 'arn:aws:s3:::mine/*'])), 'createWarehouse', {}, { name: 'mine' })).status).toBe(200)
  })
})

describe('listings', () => {
  const bob = user(allow(['s3tables:ListTables', 's3tables:ListNamespaces', 's3tables:ListViews']), allow(['s3tables:GetTable', 's3tables:GetView'], [arn('/namespace/sales/table/orders'), arn('/namespace/sales/view/outer')]), allow('s3tables:GetNamespace', arn('/namespace/sales')))

  it('show what their caller may load', async () => {
    expect(await bodyOf(run(bob, 'listTables', { namespace: 'sales' }))).toMatchObject({ identifiers: [{ namespace: ['sales'], name: 'orders' }] })
    expect(await bodyOf(run(bob, 'listViews', { namespace: 'sales' }))).toMatchObject({ identifiers: [{ namespace: ['sales'], name: 'outer' }] })
    expect(await bodyOf(run(bob, 'listNamespaces'))).toMatchObject({ namespaces: [['sales']] })
    expect(await bodyOf(run(bob, 'listTables', { namespace: 'sales' }, undefined, { pageToken: '', pageSize: '1' }))).toMatchObject({ identifiers: [{ name: 'orders' }] })
  })

  it('of warehouses show nothing to whom may load none', async () => {
    expect(await bodyOf(run(bob, 'listWarehouses'))).toEqual({ warehouses: [] })
    expect(await bodyOf(run(user(allow('s3tables:GetWarehouse', arn())), 'listWarehouses'))).toMatchObject({ warehouses: [{ name: 'lake' }] })
    expect(await bodyOf(run(rootPrincipal('accountRoot', foreign), 'listWarehouses'))).toEqual({ warehouses: [] })
  })
})

describe('a recursive drop', () => {
  const drop = (who: Principal) => run(who, 'dropNamespace', { namespace: 'doomed' }, undefined, { recursive: 'true', purgeRequested: 'true' })
  const inner = 'doomed\u001finner'

  beforeAll(async () => {
    for (const namespace of [['doomed'], ['doomed', 'inner']]) await made('createNamespace', {}, { namespace })
    for (const namespace of ['doomed', inner]) await made('createTable', { namespace }, { name: 'held', schema })
    const version = { 'version-id': 1, 'timestamp-ms': 0, 'schema-id': 0, summary: {}, 'default-namespace': ['doomed'], representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }] }
    await made('createView', { namespace: 'doomed' }, { name: 'seen', schema, 'view-version': version })
    await made('storeFunction', { namespace: 'doomed', function: 'f' }, functionMetadata)
  })

  const isWhole = async (): Promise<boolean> => {
    const asked = [run(owner, 'loadTable', { namespace: 'doomed', table: 'held' }), run(owner, 'loadTable', { namespace: inner, table: 'held' }), run(owner, 'loadView', { namespace: 'doomed', view: 'seen' }), run(owner, 'loadFunction', { namespace: 'doomed', function: 'f' })]
    return (await Promise.all(asked)).every(({ status }) => status === 200)
  }

  it.each([
    ['a table', { Action: 's3tables:DeleteTable', Resource: arn('/namespace/doomed/table/held') }],
    ['a table further in', { Action: 's3tables:DeleteTable', Resource: arn('/namespace/doomed.inner/*') }],
    ['a view', { Action: 's3tables:DeleteView', Resource: arn('/namespace/doomed/*') }],
    ['a function', { Action: 's3tables:DeleteFunction', Resource: arn('/namespace/doomed/*') }],
    ['a namespace', { Action: 's3tables:DeleteNamespace', Resource: arn('/namespace/doomed.inner') }],
  ])('drops nothing for one who may not drop %s', async (_name, denied) => {
    expect((await drop(user(allow('*'), { Effect: 'Deny', ...denied }))).status).toBe(403)
    expect(await isWhole()).toBe(true)
  })

  it('needs more than the right to drop the namespace, and heeds what a table’s own policy and tags say', async () => {
    const table = { namespace: inner, table: 'held' }
    expect((await drop(user(allow('s3tables:DeleteNamespace')))).status).toBe(403)
    await made('tagTable', table, { tags: { hold: 'legal' } })
    expect((await drop(user(allow('*'), { Effect: 'Deny', Action: 's3tables:DeleteTable', Resource: '*', Condition: { StringEquals: { 's3tables:TableTag/hold': 'legal' } } }))).status).toBe(403)
    await made('putTablePolicy', table, { resourcePolicy: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Principal: '*', Action: 's3tables:DeleteTable', Resource: '*' } }) })
    expect((await drop(owner)).status).toBe(403)
    expect(await isWhole()).toBe(true)
    await made('deleteTablePolicy', table, undefined)
    expect((await drop(user(allow(['s3tables:DeleteNamespace', 's3tables:DeleteTable', 's3tables:DeleteView', 's3tables:DeleteFunction'], arn('/namespace/doomed*'))))).status).toBe(204)
    expect((await run(owner, 'namespaceExists', { namespace: 'doomed' })).status).toBe(404)
  })
})

test('a request that is about nothing is nobody’s', async () => {
  const isAllowed = authorizeBy({ principal: user(allow('*')), nowMs: 0, sourceIp: '127.0.0.1', isSecure: false, userAgent: undefined, referer: undefined }, { bucketTags: async () => ({}) })
  const place = { warehouse: { name: 'lake', bucket: 'lake', ownerAccountId: account.accountId, createdAtMs: 0 }, entityOf: async () => undefined, registerLocation: undefined }
  const access = { operationId: 'loadTable', caller: { accountId: account.accountId, principalId: 'AIDABOB', isRoot: false }, ...place, changedTags: () => undefined, referencedBy: async () => [], isWrite: false }
  expect(await isAllowed({ ...access, targets: () => [] })).toBe(false)
  expect(await isAllowed({ ...access, targets: () => [{ kind: 'table', role: 'itself', namespace: ['sales'], name: 'orders' }] })).toBe(true)
})

describe('referenced-by', () => {
  const people = { namespace: 'hr', table: 'people' }
  const through = { Condition: { 'ForAnyValue:StringEquals': { 's3tables:ReferencedBy': 'sales/report' } } }
  const load = (who: Principal, views: string, path = people) => run(who, 'loadTable', path, undefined, views === '' ? {} : { 'referenced-by': views })
  const bob = user(allow('s3tables:GetTable', '*', through), allow('s3tables:GetView', arn('/namespace/sales/*')))

  it('gives rights through views that are real, may be loaded and name what is loaded', async () => {
    expect((await load(bob, 'sales\u001freport')).status).toBe(200)
    expect((await load(bob, 'sales\u001fouter,sales\u001freport')).status).toBe(200)
  })

  it.each([
    ['none', ''],
    ['a view that does not name it', 'sales\u001fouter'],
    ['a view that is not there', 'sales\u001fnone'],
    ['a chain in the wrong order', 'sales\u001freport,sales\u001fouter'],
    ['a chain with a link that is not there', 'sales\u001fnone,sales\u001freport'],
  ])('gives none by %s', async (_name, views) => {
    expect((await load(bob, views)).status).toBe(403)
  })

  it('gives none to another table than the view’s, by a name in a comment, or to whom may not load the view', async () => {
    expect((await load(bob, 'sales\u001freport', { namespace: 'sales', table: 'secret' })).status).toBe(403)
    expect((await load(user(allow('s3tables:GetTable', '*', through)), 'sales\u001freport')).status).toBe(403)
  })
})

test('names that are too long for a row are refused, whoever sends them', async () => {
  const long = 'n'.repeat(70_000)
  for (const who of [owner, user(allow('*'))]) {
    expect((await run(who, 'createTable', { namespace: 'sales' }, { name: long, schema })).status).toBe(400)
    expect((await run(who, 'loadTable', { namespace: long, table: 'orders' })).status).toBe(400)
    expect((await run(who, 'undrop', { uuid: long })).status).toBeLessThan(500)
  }
})

describe('tags of tables', () => {
  const orders = { namespace: 'sales', table: 'orders' }
  const when = (condition: object) => ({ Condition: { StringEquals: condition } })

  it('decide where a policy asks for them, and stay through commits and renames', async () => {
    await made('createTable', { namespace: 'sales' }, { name: 'tagged', schema })
    await made('tagTable', { namespace: 'sales', table: 'tagged' }, { tags: { team: 'red', Level: '2' } })
    for (const key of ['s3tables:TableTag/team', 'aws:ResourceTag/team']) {
      const bob = user(allow('s3tables:GetTable', '*', when({ [key]: 'red' })))
      expect((await run(bob, 'loadTable', { namespace: 'sales', table: 'tagged' })).status).toBe(200)
      expect((await run(bob, 'loadTable', orders)).status).toBe(403)
      expect((await run(user(allow('s3tables:GetTable', '*', when({ [key]: 'blue' }))), 'loadTable', { namespace: 'sales', table: 'tagged' })).status).toBe(403)
    }
    const bob = user(allow('s3tables:*', '*', when({ 's3tables:TableTag/team': 'red' })), allow('s3tables:ListTables'))
    await made('updateTable', { namespace: 'sales', table: 'tagged' }, { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] })
    await made('renameTable', {}, { source: { namespace: ['sales'], name: 'tagged' }, destination: { namespace: ['hr'], name: 'tagged' } })
    expect(await bodyOf(run(owner, 'listTableTags', { namespace: 'hr', table: 'tagged' }))).toEqual({ tags: { team: 'red', Level: '2' } })
    expect(await bodyOf(run(bob, 'listTables', { namespace: 'hr' }))).toMatchObject({ identifiers: [{ name: 'tagged' }] })
    await made('untagTable', { namespace: 'hr', table: 'tagged' }, undefined, { tagKeys: 'team,none' })
    expect((await run(bob, 'loadTable', { namespace: 'hr', table: 'tagged' })).status).toBe(403)
    await made('dropTable', { namespace: 'hr', table: 'tagged' }, undefined)
  })

  it('of the warehouse’s bucket go by AWS’s name too', async () => {
    expect((await run(user(allow('s3tables:GetTable', '*', when({ 's3tables:TableBucketTag/stage': 'test' }))), 'loadTable', orders)).status).toBe(200)
    expect((await run(user(allow('s3tables:GetWarehouse', '*', when({ 'aws:ResourceTag/stage': 'test' }))), 'loadWarehouse', { warehouse: 'lake' })).status).toBe(200)
    expect((await run(user(allow('s3tables:GetWarehouse', '*', when({ 'aws:ResourceTag/stage': 'live' }))), 'loadWarehouse', { warehouse: 'lake' })).status).toBe(403)
  })

  it('are set by those who may, as they may', async () => {
    const bob = user(allow(['s3tables:TagResource', 's3tables:UntagResource'], '*', { Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['stage'] }, StringEqualsIfExists: { 'aws:RequestTag/stage': ['test', 'live'] } } }))
    expect((await run(bob, 'tagTable', orders, { tags: { stage: 'live' } })).status).toBe(200)
    expect((await run(bob, 'tagTable', orders, { tags: { stage: 'other' } })).status).toBe(403)
    expect((await run(bob, 'tagTable', orders, { tags: { stage: 'live', owner: 'bob' } })).status).toBe(403)
    expect((await run(bob, 'untagTable', orders, undefined, { tagKeys: 'stage,owner' })).status).toBe(403)
    expect((await run(bob, 'untagTable', orders, undefined, { tagKeys: 'stage' })).status).toBe(204)
    for (const tags of [{ '': 'x' }, { ['n'.repeat(129)]: 'x' }, { name: 'v'.repeat(257) }, { 'a,b': 'x' }, Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, '']))]) {
      expect((await run(owner, 'tagTable', orders, { tags })).status).toBe(400)
    }
    expect((await run(owner, 'untagTable', orders)).status).toBe(400)
  })
})

describe('resource policies', () => {
  const orders = { namespace: 'sales', table: 'orders' }
  const lake = { warehouse: 'lake' }
  const eve = rootPrincipal('accountRoot', foreign)
  const eveUser = (...statements: readonly object[]): Principal => ({ ...user(...statements), accountId: foreign.accountId, canonicalUserId: foreign.id, arn: `arn:aws:iam::${foreign.accountId}:user/eve` })
  const document = (...Statement: readonly object[]) => ({ resourcePolicy: JSON.stringify({ Version: '2012-10-17', Statement }) })
  const grant = (AWS: string, Action: string | readonly string[], Resource: string, more: object = {}) => ({ Effect: 'Allow', Principal: { AWS }, Action, Resource, ...more })
  const bobArn = `arn:aws:iam::${account.accountId}:user/bob`

  it('of a table give within the account, to that table alone, and end with it', async () => {
    expect((await run(user(), 'loadTable', orders)).status).toBe(403)
    await made('putTablePolicy', orders, document(grant(bobArn, 's3tables:GetTable', arn('/namespace/sales/table/orders'))))
    expect((await run(user(), 'loadTable', orders)).status).toBe(200)
    expect((await run(user(), 'loadTable', { namespace: 'sales', table: 'secret' })).status).toBe(403)
    expect((await run(user(), 'updateTable', orders, { requirements: [], updates: [] })).status).toBe(403)
    expect(await bodyOf(run(owner, 'getTablePolicy', orders))).toEqual(document(grant(bobArn, 's3tables:GetTable', arn('/namespace/sales/table/orders'))))
    await made('deleteTablePolicy', orders, undefined)
    expect((await run(user(), 'loadTable', orders)).status).toBe(403)
    expect((await run(owner, 'getTablePolicy', orders)).status).toBe(404)
  })

  it('deny whatever else allows, the account’s own key too, which can still take them back', async () => {
    await made('putTablePolicy', orders, document({ Effect: 'Deny', Principal: '*', Action: 's3tables:*', Resource: '*' }))
    expect((await run(user(allow('*')), 'loadTable', orders)).status).toBe(403)
    expect((await run(owner, 'loadTable', orders)).status).toBe(403)
    expect((await run(user(allow('*')), 'deleteTablePolicy', orders)).status).toBe(403)
    expect((await run(rootPrincipal('serverRoot', account), 'loadTable', orders)).status).toBe(200)
    expect(await bodyOf(run(user(allow('*')), 'listTables', { namespace: 'sales' }))).not.toMatchObject({ identifiers: expect.arrayContaining([expect.objectContaining({ name: 'orders' })]) as unknown })
    expect((await run(owner, 'deleteTablePolicy', orders)).status).toBe(204)
    expect((await run(owner, 'loadTable', orders)).status).toBe(200)
  })

  it('lock the account’s own key out beside a policy service neither, which is asked all the same', async () => {
    const asked: string[] = []
    const decide: Decider['decide'] = (request, policies) => {
      asked.push(request.action)
      return byPolicies.decide(request, policies)
    }
    const withService = (who: Principal, operationId: ServedOperationId, path: Record<string, string>, body?: Body) => run(who, operationId, path, body, {}, { bindsRoots: true, decide })
    const nobody = document({ Effect: 'Deny', Principal: '*', Action: 's3tables:*', Resource: '*' })
    await made('putTablePolicy', orders, nobody)
    await made('putWarehousePolicy', lake, nobody)
    expect((await withService(owner, 'loadTable', orders)).status).toBe(403)
    expect((await withService(user(allow('*')), 'deleteTablePolicy', orders)).status).toBe(403)
    expect((await withService({ ...owner, policies: { ...owner.policies, session: owner.policies.identity } }, 'deleteTablePolicy', orders)).status).toBe(403)
    expect((await withService(eve, 'deleteTablePolicy', orders)).status).toBe(403)
    asked.length = 0
    expect((await withService(owner, 'getTablePolicy', orders)).status).toBe(200)
    expect((await withService(owner, 'deleteTablePolicy', orders)).status).toBe(204)
    expect((await withService(owner, 'deleteWarehousePolicy', lake)).status).toBe(204)
    expect(asked).toEqual(['s3tables:GetTablePolicy', 's3tables:DeleteTablePolicy', 's3tables:DeleteWarehousePolicy'])
    expect((await withService(owner, 'loadTable', orders)).status).toBe(200)
  })

  it('of a dropped table hold in the listing of what was dropped, as its tags do, whatever has its name since', async () => {
    await made('updateWarehouse', lake, { 'undrop-ms': 60_000 })
    const gone = { namespace: 'sales', table: 'gone' }
    const isListed = async (who: Principal): Promise<boolean> => {
      const { dropped } = (await bodyOf(run(who, 'listDropped'))) as { dropped: readonly { identifier: { name: string } }[] }
      return dropped.some(({ identifier }) => identifier.name === 'gone')
    }
    await made('createTable', { namespace: 'sales' }, { name: 'gone', schema })
    await made('tagTable', gone, { tags: { team: 'red' } })
    await made('putTablePolicy', gone, document({ Effect: 'Deny', Principal: { AWS: bobArn }, Action: 's3tables:GetTable', Resource: '*' }))
    await made('dropTable', gone, undefined)
    const carol: Principal = { ...user(allow('*'), { Effect: 'Deny', Action: 's3tables:GetTable', Resource: '*', Condition: { StringEquals: { 's3tables:TableTag/team': 'red' } } }), arn: `arn:aws:iam::${account.accountId}:user/carol` }
    const shown = async () => [await isListed(owner), await isListed(user(allow('*'))), await isListed(carol), await isListed({ ...user(allow('*')), arn: carol.arn })]
    expect(await shown()).toEqual([true, false, false, true])
    await made('createTable', { namespace: 'sales' }, { name: 'gone', schema })
    expect(await shown()).toEqual([true, false, false, true])
    await made('updateWarehouse', lake, { 'undrop-ms': null })
    await made('dropTable', gone, undefined)
  })

  it('stay with the table through commits, renames, a drop and its undoing', async () => {
    await made('updateWarehouse', lake, { 'undrop-ms': 60_000 })
    await made('createTable', { namespace: 'sales' }, { name: 'kept', schema })
    const { metadata } = (await bodyOf(run(owner, 'loadTable', { namespace: 'sales', table: 'kept' }))) as { metadata: { 'table-uuid': string } }
    await made('putTablePolicy', { namespace: 'sales', table: 'kept' }, document({ Effect: 'Deny', Principal: { AWS: bobArn }, Action: '*', Resource: arn(`/table/${metadata['table-uuid']}`) }))
    const bob = user(allow('*'))
    await made('updateTable', { namespace: 'sales', table: 'kept' }, { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] })
    await made('renameTable', {}, { source: { namespace: ['sales'], name: 'kept' }, destination: { namespace: ['hr'], name: 'kept' } })
    expect((await run(bob, 'loadTable', { namespace: 'hr', table: 'kept' })).status).toBe(403)
    await made('dropTable', { namespace: 'hr', table: 'kept' }, undefined)
    expect((await run(bob, 'undrop', { uuid: metadata['table-uuid'] })).status).toBe(403)
    await made('undrop', { uuid: metadata['table-uuid'] }, undefined)
    expect((await run(bob, 'loadTable', { namespace: 'hr', table: 'kept' })).status).toBe(403)
    await made('updateWarehouse', lake, { 'undrop-ms': null })
    await made('dropTable', { namespace: 'hr', table: 'kept' }, undefined)
    await made('createTable', { namespace: 'hr' }, { name: 'kept', schema })
    expect((await run(bob, 'loadTable', { namespace: 'hr', table: 'kept' })).status).toBe(200)
  })

  it('of a warehouse give to another account what both sides grant, and nothing without its own', async () => {
    expect((await run(eve, 'loadTable', orders)).status).toBe(403)
    await made('putWarehousePolicy', lake, document(grant(foreign.accountId, ['s3tables:Get*', 's3tables:List*'], arn('/*'))))
    expect((await run(eve, 'loadTable', orders)).status).toBe(200)
    expect((await run(eveUser(allow('s3tables:GetTable', arn('/*'))), 'loadTable', orders)).status).toBe(200)
    expect((await run(eveUser(), 'loadTable', orders)).status).toBe(403)
    expect((await run(eveUser(allow('s3tables:*')), 'updateTable', orders, { requirements: [], updates: [] })).status).toBe(403)
    expect((await run(eve, 'putWarehousePolicy', lake, document(grant(foreign.accountId, 's3tables:*', arn('/*'))))).status).toBe(403)
    await made('putWarehousePolicy', lake, document(grant(foreign.accountId, 's3tables:GetTable', arn('/namespace/hr/*'))))
    expect((await run(eve, 'loadTable', orders)).status).toBe(403)
    expect((await run(eve, 'loadTable', { namespace: 'hr', table: 'people' })).status).toBe(200)
    await made('deleteWarehousePolicy', lake, undefined)
    expect((await run(eve, 'loadTable', { namespace: 'hr', table: 'people' })).status).toBe(403)
    expect((await run(owner, 'getWarehousePolicy', lake)).status).toBe(404)
  })

  it('hold their conditions: tags, namespaces', async () => {
    await made('tagTable', orders, { tags: { shared: 'yes' } })
    await made('putWarehousePolicy', lake, document(grant(foreign.accountId, 's3tables:GetTable', '*', { Condition: { StringEquals: { 's3tables:TableTag/shared': 'yes', 's3tables:namespace': 'sales' } } })))
    expect((await run(eve, 'loadTable', orders)).status).toBe(200)
    expect((await run(eve, 'loadTable', { namespace: 'sales', table: 'secret' })).status).toBe(403)
    await made('untagTable', orders, undefined, { tagKeys: 'shared' })
    expect((await run(eve, 'loadTable', orders)).status).toBe(403)
    await made('deleteWarehousePolicy', lake, undefined)
  })

  it.each<[string, object | string]>([
    ['no JSON', '{'],
    ['no principal', { Effect: 'Allow', Action: 's3tables:GetTable', Resource: arn('/*') }],
    ['actions of another service', grant(foreign.accountId, 's3:GetObject', arn('/*'))],
    ['an action that there is not', grant(foreign.accountId, 's3tables:Fly', arn('/*'))],
    ['another warehouse', grant(foreign.accountId, 's3tables:GetTable', 'arn:aws:s3tables:::bucket/other/*')],
    ['a condition key that there is not', grant(foreign.accountId, 's3tables:GetTable', arn('/*'), { Condition: { StringEquals: { 's3tables:colour': 'red' } } })],
    ['everybody', grant('*', 's3tables:GetTable', arn('/*'))],
  ])('are refused when they have %s', async (_name, statement) => {
    const body = typeof statement === 'string' ? { resourcePolicy: statement } : document(statement)
    expect((await run(owner, 'putWarehousePolicy', lake, body)).status).toBe(400)
    expect((await run(owner, 'putTablePolicy', orders, body)).status).toBe(400)
  })

  it('of a table are about that table', async () => {
    expect((await run(owner, 'putTablePolicy', orders, document(grant(foreign.accountId, 's3tables:GetTable', arn('/namespace/sales/table/secret'))))).status).toBe(400)
    expect((await run(owner, 'putTablePolicy', orders, document(grant(foreign.accountId, 's3tables:GetTable', arn('/namespace/sales/table/orders2'))))).status).toBe(400)
    expect((await run(owner, 'putTablePolicy', { namespace: 'sales', table: 'none' }, document(grant(foreign.accountId, 's3tables:GetTable', '*')))).status).toBe(404)
  })
})
