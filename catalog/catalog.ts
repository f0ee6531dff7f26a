import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { ArchiveIndexes } from './archive/archive-index.ts'
import { SharedTexts } from './archive/shared-texts.ts'
import type { CatalogStore } from './catalog-store.ts'
import { ownerOnly, type Authorize, type Buckets, type CheckPolicy, type Caller, type RequestSigner, type VendCredentials, type CatalogContext, type CatalogSettings } from './context.ts'
import { CatalogError, errorBody } from './errors.ts'
import { parseJsonBytes } from './json/parse.ts'
import { stringifyJson } from './json/stringify.ts'
import { maintainCatalog, type Maintained } from './maintenance.ts'
import { MetadataCache } from './metadata-cache.ts'
import { endpoints, type Endpoint } from './rest/endpoints.ts'
import { CommitsTogether } from './rest/commits-together.ts'
import { idempotencyKeyOf, requestHashOf, runOnce, type IdempotentRequest } from './rest/idempotency.ts'
import type { FileIoProperties, Mutation, Operation, OperationInput, Outcome } from './rest/operation.ts'
import { managementEndpoints, type ManagementOperationId } from './management/endpoints.ts'
import { managementOperations } from './management/operations.ts'
import type { ServerOperation } from './management/server-operation.ts'
import { once, requestRights } from './rest/request-rights.ts'
import { operations, type SpecifiedOperationId } from './rest/operations.ts'
import { refuseUnknown } from './rest/parameters.ts'
import { render, renderServer, type CatalogResponse, type RenderInput } from './rest/render.ts'
import type { Warehouse } from './rows/rows.ts'
import { toCatalogError } from './to-catalog-error.ts'
import { TableLocations } from './table-locations.ts'
import { Turns } from './turns.ts'
import { ensureWarehouse, resolveWarehouse, type NewWarehouse } from './warehouses.ts'

export type ServedOperationId = SpecifiedOperationId | ManagementOperationId

/** A request to one operation: its parts are decoded from the URL, its body is as it came. */
export interface CatalogRequest {
  readonly operationId: ServedOperationId
  readonly caller: Caller
  /** `prefix`, `namespace`, `table`, …, percent-decoded. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array | undefined
  readonly fileIoProperties: FileIoProperties
  /** The rights of this request's caller. Absent: those of the catalog's options. */
  readonly authorize?: Authorize
  /** Signs for this request's caller. Absent: nothing is signed. */
  readonly signer?: RequestSigner
  /** Credentials for this request's caller. Absent: none are vended. */
  readonly vend?: VendCredentials
}

export interface Catalog {
  /** Never rejects: whatever goes wrong is a response of the specification's form. */
  run(request: CatalogRequest): Promise<CatalogResponse>
  /** The operations that work, to be routed. */
  readonly endpoints: ReadonlyMap<ServedOperationId, Endpoint>
  /** Creates the warehouse unless it is there; `BadRequest` when it is there with another bucket or prefix. */
  ensureWarehouse(warehouse: NewWarehouse): Promise<Warehouse>
  /** One bounded round of background work; idempotent, on any worker. */
  maintain(): Promise<Maintained>
}

export interface CatalogOptions {
  readonly store: CatalogStore
  readonly clock: Clock
  readonly random: Random
  readonly settings: CatalogSettings
  readonly authorize?: Authorize
  /** Absent: warehouses are made by `ensureWarehouse` alone. */
  readonly buckets?: Buckets
  /** Whether remote signing is served: each request brings its signer. */
  readonly remoteSigning?: boolean
  /** Absent: there are no resource policies. */
  readonly checkPolicy?: CheckPolicy
  readonly cacheBytes?: number
  /** Told about errors that are answered as 500, so that somebody sees them. */
  readonly onInternalError?: (error: unknown, operationId: string) => void
}

const defaultCacheBytes = 64 * 1024 * 1024

export function createCatalog(options: CatalogOptions): Catalog {
  const { store, clock, random, settings, authorize = ownerOnly, buckets = noBuckets, remoteSigning = false, checkPolicy = noPolicies, cacheBytes = defaultCacheBytes, onInternalError } = options
  const specifiedIds = (Object.keys(operations) as SpecifiedOperationId[]).filter((id) => id !== 'signRequest' || remoteSigning)
  const specified = new Map<ServedOperationId, Endpoint>(specifiedIds.map((id) => [id, endpointOf(id)]))
  const served = new Map([...specified, ...Object.keys(managementEndpoints).map((id) => [id as ServedOperationId, endpointOf(id as ServedOperationId)] as const)])
  const cache = new MetadataCache(cacheBytes)
  const archiveIndexes = new ArchiveIndexes(cacheBytes / 2)
  const sharedTexts = new SharedTexts(cacheBytes / 2)
  const context: CatalogContext = {
    store, clock, random, settings, authorize, buckets, signer: noSigner, checkPolicy, cache, archiveIndexes, sharedTexts, turns: new Turns(), commits: new CommitsTogether(), locations: new TableLocations(clock), vend: undefined, endpoints: [...specified.values()],
  }
  return {
    endpoints: served,
    async run(request) {
      try {
        return await answer(context, request)
      } catch (error) {
        const known = toCatalogError(error)
        if (known.code === 'InternalServer' || known.code === 'CommitStateUnknown') onInternalError?.(error, request.operationId)
        return errorResponse(known)
      }
    },
    ensureWarehouse: (warehouse) => ensureWarehouse(context, warehouse),
    maintain: () => maintainCatalog(context),
  }
}

async function answer(shared: CatalogContext, request: CatalogRequest): Promise<CatalogResponse> {
  const context = { ...shared, authorize: request.authorize ?? shared.authorize, vend: request.vend, signer: request.signer ?? shared.signer }
  const { operationId, caller, path, query, headers, fileIoProperties } = request
  const endpoint = endpointOf(operationId)
  const operation = operationOf(operationId)
  refuseUnknown(endpoint, request)
  if (operation.kind === 'server') {
    const outcome = await operation.run({ operationId, path, query, body: parseBody(endpoint, request.body), caller }, context)
    return renderServer(outcome, endpoint)
  }
  const warehouse = await resolveWarehouse(context.store, operationId === 'getConfig' ? query['warehouse'] : path['prefix'])
  const rights = requestRights(context, { operationId, caller, warehouse, path, query, body: once(() => parseBody(endpoint, request.body)) })
  if (!(await rights.isAllowed())) throw new CatalogError('Forbidden', 'Not authorized to make this request')
  const inputOf = (): OperationInput => ({ warehouse, path, query, headers, body: rights.body(), caller, fileIoProperties, sees: rights.sees })
  if (operation.kind === 'query') return render(await operation.run(inputOf(), context), endpoint, context, { warehouse, fileIoProperties, headers, sees: rights.sees })
  const idempotent = idempotentRequest(request)
  const alone = (): Promise<Outcome> => mutate(context, idempotent, () => operation.prepare(inputOf(), context))
  const commit = readable(() => operation.commitOf?.(inputOf()))
  const outcome = commit === undefined
    ? await context.turns.run(readable(() => operation.turnsOf?.(inputOf())) ?? [], alone)
    : await context.commits.run(context, { ...commit, warehouse, idempotent, sizeBytes: request.body?.length ?? 0 }, alone)
  return renderCommitted(outcome, endpoint, context, { warehouse, fileIoProperties, headers, sees: rights.sees })
}

function endpointOf(operationId: ServedOperationId): Endpoint {
  return isManagement(operationId) ? managementEndpoints[operationId] : endpoints[operationId]
}

function operationOf(operationId: ServedOperationId): Operation | ServerOperation {
  return isManagement(operationId) ? managementOperations[operationId] : operations[operationId]
}

function isManagement(operationId: ServedOperationId): operationId is ManagementOperationId {
  return Object.hasOwn(managementEndpoints, operationId)
}

const noBuckets: Buckets = {
  ensureBucket: async () => {
    throw new CatalogError('UnsupportedOperation', 'Warehouses cannot be created here')
  },
}

const noSigner: RequestSigner = {
  sign: async () => {
    throw new CatalogError('UnsupportedOperation', 'Remote signing is not served here')
  },
}

const noPolicies: CheckPolicy = () => {
  throw new CatalogError('UnsupportedOperation', 'Resource policies are not served here')
}

/** A request that cannot be read waits for nobody; what is wrong with it is for `prepare` to say. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** `BadRequest` for a key that is none. */
function idempotentRequest({ operationId, caller, path, query, headers, body }: CatalogRequest): IdempotentRequest | undefined {
  const idempotencyKey = idempotencyKeyOf(headers)
  if (idempotencyKey === undefined) return undefined
  return { caller, idempotencyKey, requestHash: requestHashOf({ operationId, target: stringifyJson([sorted(path), sorted(query)]), body }) }
}

async function mutate(context: CatalogContext, idempotent: IdempotentRequest | undefined, prepare: () => ReturnType<Mutation['prepare']>): Promise<Outcome> {
  if (idempotent === undefined) return context.store.transact(prepare())
  let prepared: ReturnType<typeof prepare> | undefined
  return runOnce(context, idempotent, (tx) => (prepared ??= prepare())(tx))
}

/** What has been committed must not look like a failure: an error after it leaves the outcome open to the client. */
async function renderCommitted(outcome: Outcome, endpoint: Endpoint, context: CatalogContext, input: RenderInput): Promise<CatalogResponse> {
  try {
    return await render(outcome, endpoint, context, input)
  } catch (cause) {
    throw new CatalogError('CommitStateUnknown', 'The change was made, but its result cannot be read', { cause })
  }
}

function parseBody(endpoint: Endpoint, body: Uint8Array | undefined): OperationInput['body'] {
  if (endpoint.request === undefined || body === undefined || body.length === 0) return undefined
  // What is kept of a commit is far less than it may be long.
  return parseJsonBytes(body, { isDetached: true })
}

function sorted(members: Readonly<Record<string, string | undefined>>): (readonly [string, string])[] {
  return Object.entries(members).map(([name, value]) => [name, value ?? ''] as const).sort(([left], [right]) => (left < right ? -1 : 1))
}

/** Only a request that certainly was not carried out may be repeated, so only that answer says when. */
export function errorResponse(error: CatalogError): CatalogResponse {
  const headers: Record<string, string> = error.code === 'ServiceUnavailable' || error.code === 'SlowDown' ? { 'retry-after': '1' } : {}
  return { status: error.status, headers, body: stringifyJson({ error: errorBody(error).error }), errorType: error.type }
}
