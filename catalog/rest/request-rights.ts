import type { Access, Caller, CatalogContext, ChangedTags, Entity, Target } from '../context.ts'
import { readDropped } from '../drops.ts'
import type { Json } from '../json/json.ts'
import { readTable, readView, type Warehouse } from '../rows/rows.ts'
import { checkIdentifier } from '../spec/identifier.ts'
import { tagNamesIn, tagsIn } from '../management/table-tags.ts'
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
  const entityOf = (target: Target) => readEntity(context, warehouse, target)
  const plain = { caller, warehouse, entityOf, changedTags: noTags, referencedBy: noViews, registerLocation: undefined, isWrite: false }
  const access = (): Access => ({
    ...plain,
    operationId,
    targets: () => targetsOf({ ...request, body: body() }),
    referencedBy: once(() => believedViews(context, request)),
    changedTags: () => changedTags({ ...request, body: body() }),
    registerLocation: operationId.startsWith('register') ? registeredLocation(body()) : undefined,
    isWrite: operationId === 'signRequest' && signsWrite(body()),
  })
  return {
    isAllowed: async () => context.authorize(access()),
    sees: async (asked, target) => context.authorize({ ...plain, operationId: asked, targets: () => [target] }),
    body,
  }
}

export const noTags: Access['changedTags'] = () => undefined
export const noViews: Access['referencedBy'] = async () => []

/** A target that has a uuid was dropped: what the dropped one's policy and tags say holds, whatever has its name now. */
async function readEntity({ store }: CatalogContext, { name: warehouse }: Pick<Warehouse, 'name'>, { kind, namespace, name, uuid }: Target): Promise<Entity | undefined> {
  if (kind !== 'table' && kind !== 'view') return undefined
  // Before it becomes part of a key.
  if (name !== undefined) checkIdentifier({ namespace, name })
  if (uuid !== undefined) return (await readDropped(store, warehouse, uuid))?.pointer ?? { uuid }
  return name === undefined ? undefined : (kind === 'table' ? readTable : readView)(store, warehouse, { namespace, name })
}

function changedTags({ operationId, body, query }: { readonly operationId: string; readonly body: Json | undefined; readonly query: RightsRequest['query'] }): ChangedTags | undefined {
  if (operationId === 'untagTable') return { names: tagNamesIn(query) }
  if (operationId !== 'tagTable') return undefined
  const values = tagsIn(body)
  return { names: Object.keys(values), values }
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
