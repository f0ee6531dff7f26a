import { rootPrincipal } from '../policy/principal.ts'
import fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, test } from 'vitest'
import { createCatalog } from '../../catalog/index.ts'
import type { Caller } from '../identity/caller.ts'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { minuteMs } from '../../base/units.ts'
import { EngineError } from '../../engine/index.ts'
import { openTokenKeys } from '../identity/token-keys.ts'
import { SigningKeys } from '../sigv4/signing-keys.ts'
import { attachContext } from '../telemetry/request-context.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'
import { icebergRoutes } from './iceberg-routes.ts'

const owner = 'a'.repeat(64)
const account = { name: 'ada', id: owner, accountId: '111111111111', displayName: 'Ada', email: '' }
const caller: Caller = { principal: rootPrincipal('accountRoot', account), account, accessKeyId: 'ADA' }
const secretAccessKey = 'ada+secret/with=signs'
const tokenLifetimeMs = 3_600_000

describe('the Iceberg REST catalog over HTTP', () => {
  let app: FastifyInstance
  let world: ScratchEngine
  let unwritable: boolean

  beforeEach(async () => {
    world = await openScratchEngine()
    const { engine, clock, random } = world
    await engine.createBucket({ bucket: 'lake', ownerId: owner, region: 'us-east-1' })
    const catalog = createCatalog({ store: engineCatalogStore(engine), clock, random, settings: { idempotencyLifetimeMs: 1_800_000 } })
    await catalog.ensureWarehouse({ name: 'lake', bucket: 'lake', ownerAccountId: account.accountId })
    unwritable = false
    const transact: typeof engine.transact = async (work) => {
      if (unwritable) throw new EngineError('Unwritable', '1 drive can be written and 2 are needed', {})
      return engine.transact(work)
    }
    app = fastify()
    app.addHook('onRequest', async (request) => attachContext(request.raw, { requestId: '0', expectsContinue: false, notes: {} }))
    await app.register(
      icebergRoutes({
        catalog,
        clock,
        tokenLifetimeMs,
        region: 'us-east-1',
        maxBodyBytes: 100_000,
        bucketTags: async () => ({}),
        signingKeys: new SigningKeys(),
        tokenKeys: openTokenKeys({ ...world, engine: { extensions: engine.extensions, transact }, serverKey: random.bytes(32) }),
        lookupAccessKey: async (id) => (id === 'ADA' ? { secretAccessKey, caller } : undefined),
      }),
    )
    await app.ready()
    return async () => {
      await app.close()
      await world.remove()
    }
  })

  function token(form: Record<string, string>, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    return app.inject({
      method: 'POST',
      url: '/iceberg/v1/oauth/tokens',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: new URLSearchParams(form).toString(),
    })
  }

  test('grants no token while the first key cannot be stored, and says that to try again may help', async () => {
    unwritable = true
    const ask = () => token({ grant_type: 'client_credentials', client_id: 'ADA', client_secret: secretAccessKey })
    const refused = await ask()
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1'])
    expect(refused.json()).toMatchObject({ error: { type: 'ServiceUnavailableException', code: 503 } })
    unwritable = false
    expect((await ask()).statusCode).toBe(200)
  })

  async function bearer(): Promise<string> {
    const response = await token({ grant_type: 'client_credentials', client_id: 'ADA', client_secret: secretAccessKey, scope: 'catalog' })
    expect(response.json()).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'catalog' })
    return `Bearer ${response.json<{ access_token: string }>().access_token}`
  }

  async function call(method: InjectOptions['method'], url: string, payload?: object): Promise<LightMyRequestResponse> {
    const headers = { authorization: await bearer() }
    return app.inject({ method: method ?? 'GET', url: `/iceberg/v1/${url}`, headers, ...(payload !== undefined && { payload }) })
  }

  test('configures a client, creates a table and loads it', async () => {
    const config = (await call('GET', 'config?warehouse=lake')).json<{ overrides: Record<string, string>; defaults: Record<string, string>; endpoints: string[] }>()
    expect(config.overrides).toEqual({ prefix: 'lake', 'namespace-separator': '%1F' })
    expect(config.defaults['s3.path-style-access']).toBe('true')
    expect(config.endpoints).toContain('POST /v1/{prefix}/transactions/commit')
    expect((await call('POST', 'lake/namespaces', { namespace: ['a'] })).statusCode).toBe(200)
    expect((await call('POST', 'lake/namespaces', { namespace: ['a', 'b c'] })).statusCode).toBe(200)
    const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: true, type: 'long' }] }
    expect((await call('POST', 'lake/namespaces/a%1Fb%20c/tables', { name: 't', schema })).statusCode).toBe(200)
    const loaded = await call('GET', 'lake/namespaces/a%1Fb%20c/tables/t')
    expect(loaded.headers['content-type']).toBe('application/json')
    expect(loaded.headers['etag']).toMatch(/^"[0-9a-f]{32}"$/)
    const { 'metadata-location': location } = loaded.json<{ 'metadata-location': string }>()
    const file = await world.engine.getObject({ bucket: 'lake', key: location.slice('s3://lake/'.length) })
    expect(file.version.attributes.headers['content-type']).toBe('application/json')
    expect((await call('HEAD', 'lake/namespaces/a%1Fb%20c/tables/t')).statusCode).toBe(204)
    expect((await call('HEAD', 'lake/namespaces/a%1Fb%20c/tables/other')).statusCode).toBe(404)
  })

  test('answers commits and loads of a table with many snapshots whole', async () => {
    await call('POST', 'lake/namespaces', { namespace: ['db'] })
    await call('POST', 'lake/namespaces/db/tables', { name: 't', schema: { type: 'struct', fields: [] } })
    const snapshots = 40
    type Loaded = { metadata: { snapshots: readonly unknown[] } }
    for (let id = 1; id <= snapshots; id += 1) {
      const snapshot = { 'snapshot-id': id, 'sequence-number': id, 'timestamp-ms': world.clock.nowMs(), 'manifest-list': `s3://lake/${id}.avro`, summary: { operation: 'append', padding: 'x'.repeat(1000) } }
      const updates = [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }]
      const committed = await call('POST', 'lake/namespaces/db/tables/t', { requirements: [], updates })
      expect(committed.json<Loaded>().metadata.snapshots).toHaveLength(id)
    }
    expect((await call('GET', 'lake/namespaces/db/tables/t')).json<Loaded>().metadata.snapshots).toHaveLength(snapshots)
  })

  test('answers what is wrong in the envelope of the specification', async () => {
    const anonymous = await app.inject({ method: 'GET', url: '/iceberg/v1/config?warehouse=lake' })
    expect(anonymous.statusCode).toBe(401)
    expect(anonymous.json()).toEqual({ error: { message: 'Not authorized to make this request', type: 'NotAuthorizedException', code: 401 } })
    const basic = Buffer.from(`ADA:${secretAccessKey}`).toString('base64')
    expect((await app.inject({ method: 'GET', url: '/iceberg/v1/config', headers: { authorization: `Basic ${basic}` } })).statusCode).toBe(401)
    expect((await call('GET', 'lake/nowhere')).json<{ error: { code: number } }>().error.code).toBe(404)
    expect((await call('GET', 'config?warehouse=sea')).json<{ error: { type: string } }>().error.type).toBe('NoSuchWarehouseException')
    const headers = { authorization: await bearer(), 'content-type': 'application/json' }
    const malformed = await app.inject({ method: 'POST', url: '/iceberg/v1/lake/namespaces', headers, payload: '{"namespace":' })
    expect([malformed.statusCode, malformed.json<{ error: { type: string } }>().error.type]).toEqual([400, 'BadRequestException'])
    const huge = await app.inject({ method: 'POST', url: '/iceberg/v1/lake/namespaces', headers, payload: 'x'.repeat(100_001) })
    expect([huge.statusCode, huge.json<{ error: { code: number } }>().error.code]).toEqual([413, 413])
  })

  test('who guesses secrets is locked out, with the right one too, and nobody elsewhere is', async () => {
    const guess = (client_secret: string, remoteAddress = '192.0.2.1') => app.inject({
      method: 'POST', url: '/iceberg/v1/oauth/tokens', remoteAddress, headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'ADA', client_secret }).toString(),
    })
    for (let wrong = 0; wrong < 4; wrong++) await guess(`guess-${wrong}`)
    expect((await guess(secretAccessKey)).statusCode).toBe(200)
    for (let wrong = 0; wrong < 5; wrong++) expect((await guess(`guess-${wrong}`)).json()).toMatchObject({ error: 'invalid_client', error_description: 'The client id or secret is wrong' })
    expect((await guess(secretAccessKey)).json()).toEqual({ error: 'invalid_client', error_description: 'Too many wrong secrets: try again later' })
    expect((await guess(secretAccessKey, '192.0.2.2')).statusCode).toBe(200)
    world.clock.advance(minuteMs)
    expect((await guess(secretAccessKey)).statusCode).toBe(200)
  })

  test('tokens expire, end with their secret, and are renewed by exchange', async () => {
    const authorization = await bearer()
    const subject_token = authorization.slice('Bearer '.length)
    const exchange = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }
    expect((await token(exchange, { authorization })).statusCode).toBe(200)
    world.clock.advance(tokenLifetimeMs + 1000)
    const expired = await app.inject({ method: 'GET', url: '/_iceberg/v1/config?warehouse=lake', headers: { authorization } })
    expect(expired.statusCode).toBe(401)
    expect((await token(exchange)).json()).toMatchObject({ error: 'invalid_grant' })
    const basic = `Basic ${Buffer.from(`ADA:${secretAccessKey}`).toString('base64')}`
    expect((await token(exchange, { authorization: basic })).statusCode).toBe(200)
    const forged = `${authorization.slice(0, -2)}xx`
    expect((await app.inject({ method: 'GET', url: '/iceberg/v1/config', headers: { authorization: forged } })).statusCode).toBe(401)
  })

  test('the token endpoint keeps the rules of RFC 6749', async () => {
    const wrong = await token({ grant_type: 'client_credentials', client_id: 'ADA', client_secret: 'wrong' })
    expect([wrong.statusCode, wrong.json<{ error: string }>().error]).toEqual([401, 'invalid_client'])
    const basic = await token({ grant_type: 'client_credentials' }, { authorization: `Basic ${Buffer.from('ADA:wrong').toString('base64')}` })
    expect([basic.statusCode, basic.headers['www-authenticate']]).toEqual([401, 'Basic realm="moraine"'])
    expect((await token({ grant_type: 'password' })).json()).toMatchObject({ error: 'unsupported_grant_type' })
    expect((await token({})).json()).toMatchObject({ error: 'invalid_request' })
    const json = await app.inject({ method: 'POST', url: '/iceberg/v1/oauth/tokens', payload: { grant_type: 'client_credentials' } })
    expect(json.json()).toMatchObject({ error: 'invalid_request' })
    const good = await token({ grant_type: 'client_credentials', client_id: 'ADA', client_secret: secretAccessKey })
    expect(good.headers['cache-control']).toBe('no-store')
  })
})
