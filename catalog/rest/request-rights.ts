import type { Access, Caller, CatalogContext, Target } from '../context.ts'
import type { Json } from '../json/json.ts'
import { readTable, readView, type Warehouse } from '../rows/rows.ts'
import { referencedBy } from './referenced-by.ts'
import { registeredLocation, signsWrite, targetsOf } from './targets.ts'
import { verifiedReferences } from './view-references.ts'

export interface RightsRequest {
  readonly operationId: string
  readonly caller: Caller
  readonly warehouse: Warehouse
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  /** Parsed at most once; throws `BadRequest`. */
  readonly body: () => Json | undefined
}

/** What the caller of one request may do: the request itself, and what its listings show. */
export interface RequestRights {
  readonly isAllowed: () => Promise<boolean>
  /** Whether the caller could do `operationId` to the target: a listing shows what its caller may load. */
  readonly sees: (operationId: string, target: Target) => Promise<boolean>
  readonly body: () => Json | undefined
}

export function requestRights(context: CatalogContext, request: RightsRequest): RequestRights {
  const { operationId, caller, warehouse, body } = request
  const uuidOf = (target: Target) => readUuid(context, warehouse, target)
  const plain = { caller, warehouse, uuidOf, referencedBy: noViews, registerLocation: undefined, isWrite: false }
  const access = (): Access => ({
    ...plain,
    operationId,
    targets: () => targetsOf({ ...request, body: body() }),
    referencedBy: once(() => believedViews(context, request)),
    registerLocation: operationId.startsWith('register') ? registeredLocation(body()) : undefined,
    isWrite: operationId === 'signRequest' && signsWrite(body()),
  })
  return {
    isAllowed: async () => context.authorize(access()),
    sees: async (asked, target) => context.authorize({ ...plain, operationId: asked, targets: () => [target] }),
    body,
  }
}

export const noViews: Access['referencedBy'] = async () => []

export async function readUuid({ store }: CatalogContext, { name: warehouse }: Pick<Warehouse, 'name'>, { kind, namespace, name, uuid }: Target): Promise<string | undefined> {
  if (uuid !== undefined || name === undefined || (kind !== 'table' && kind !== 'view')) return uuid
  const row = await (kind === 'table' ? readTable : readView)(store, warehouse, { namespace, name })
  return row?.uuid
}

async function believedViews(context: CatalogContext, { caller, warehouse, query, path, body, operationId }: RightsRequest): ReturnType<Access['referencedBy']> {
  const views = referencedBy({ query })
  const [entity] = targetsOf({ operationId, path, query, body: body() })
  if (views.length === 0 || entity?.name === undefined) return []
  return verifiedReferences(context, views, { warehouse, caller, authorize: context.authorize, entity: { namespace: entity.namespace, name: entity.name } })
}

export function once<T>(compute: () => T): () => T {
  let done: { readonly value: T } | undefined
  return () => (done ??= { value: compute() }).value
}
