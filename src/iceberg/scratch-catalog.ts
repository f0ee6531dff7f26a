/** For tests: the catalog over HTTP, on an engine over real stores in a temporary directory. */
import fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import { checkResourcePolicy } from './resource-policy.ts'
import { createCatalog, type Catalog } from '../../catalog/index.ts'
import type { Caller } from '../identity/caller.ts'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { rootPrincipal } from '../policy/principal.ts'
import { openTokenKeys } from '../identity/token-keys.ts'
import { SigningKeys } from '../sigv4/signing-keys.ts'
import { attachContext } from '../telemetry/request-context.ts'
import { bucketTagsOf } from './bucket-tags.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'
import { icebergRoutes, refuseIcebergRequest } from './iceberg-routes.ts'

const account = { name: 'ada', id: 'a'.repeat(64), accountId: '111111111111', displayName: 'Ada', email: '' }
const caller: Caller = { principal: rootPrincipal('accountRoot', account), account, accessKeyId: 'ADA' }
const secretAccessKey = 'ada+secret/with=signs'
const maxParameterLength = 8192

export interface ScratchCatalog {
  readonly app: FastifyInstance
  readonly catalog: Catalog
  readonly world: ScratchEngine
  /** Authorized; `url` follows `/iceberg/v1/`. */
  call(method: NonNullable<InjectOptions['method']>, url: string, payload?: InjectOptions['payload'], headers?: Record<string, string>): Promise<LightMyRequestResponse>
  /** Answers of 500 so far, as their causes. */
  readonly faults: readonly unknown[]
  remove(): Promise<void>
}

/** One warehouse, `lake`, in a bucket of that name. */
export async function openScratchCatalog(): Promise<ScratchCatalog> {
  const world = await openScratchEngine()
  const { engine, clock, random } = world
  await engine.createBucket({ bucket: 'lake', ownerId: account.id, region: 'us-east-1' })
  const faults: unknown[] = []
  const lookupAccessKey = async (id: string) => (id === 'ADA' ? { secretAccessKey, caller } : undefined)
  const catalog = createCatalog({
    store: engineCatalogStore(engine),
    clock,
    random,
    settings: { idempotencyLifetimeMs: 1_800_000 },
    buckets: { ensureBucket: async () => {} },
    remoteSigning: true,
    checkPolicy: checkResourcePolicy,
    onInternalError: (error) => faults.push(error),
  })
  await catalog.ensureWarehouse({ name: 'lake', bucket: 'lake', ownerAccountId: account.accountId })
  const app = fastify({
    routerOptions: { maxParamLength: maxParameterLength },
    frameworkErrors: (error, request, reply) => {
      attachContext(request.raw, { requestId: '0', expectsContinue: false, notes: {} })
      refuseIcebergRequest(error, request, reply)
    },
  })
  app.addHook('onRequest', async (request) => attachContext(request.raw, { requestId: '0', expectsContinue: false, notes: {} }))
  const keys = { signingKeys: new SigningKeys(), tokenKeys: openTokenKeys({ ...world, serverKey: random.bytes(32) }), lookupAccessKey }
  await app.register(icebergRoutes({ catalog, clock, tokenLifetimeMs: 86_400_000, region: 'us-east-1', maxBodyBytes: 1_000_000, bucketTags: bucketTagsOf(engine), ...keys }))
  await app.ready()
  const form = { grant_type: 'client_credentials', client_id: 'ADA', client_secret: secretAccessKey }
  const granted = await app.inject({
    method: 'POST',
    url: '/iceberg/v1/oauth/tokens',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  })
  const authorization = `Bearer ${granted.json<{ access_token: string }>().access_token}`
  return {
    app,
    catalog,
    world,
    faults,
    call: (method, url, payload, headers = {}) =>
      app.inject({ method, url: `/iceberg/v1/${url}`, headers: { authorization, ...headers }, ...(payload !== undefined && { payload }) }),
    async remove() {
      await app.close()
      await world.remove()
    },
  }
}
