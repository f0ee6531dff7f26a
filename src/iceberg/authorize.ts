import type { Access, Authorize, Target } from '../../catalog/index.ts'
import type { Principal } from '../policy/principal.ts'
import { catalogActionsOf, catalogArns, namespaceName } from '../policy/actions/iceberg-actions.ts'
import { bucketArn, objectArn } from '../policy/actions/s3-actions.ts'
import { asksFor } from '../policy/context-keys.ts'
import { byPolicies, type Decider } from '../policy/decider.ts'
import type { AccessRequest } from '../policy/evaluate.ts'
import { notedDecision, reasonOf, type NotedDecision } from '../policy/explain.ts'
import { requestContext, tagValue, type RequestFacts } from '../policy/request-context.ts'

/** What a request brings besides what it is about. */
export interface CatalogRequestFacts extends Omit<RequestFacts, 'resourceAccountId'> {
  /** Where what is decided of the request is noted, for its audit record. Absent: nobody wants to know. */
  readonly notes?: { decision?: NotedDecision }
}

export interface CatalogRights {
  /** The tags of a warehouse's bucket: `s3tables:WarehouseTag/…`. */
  readonly bucketTags: (bucket: string) => Promise<Readonly<Record<string, string>>>
  /** Absent: the policies alone. */
  readonly decider?: Decider
}

/** The rights of one caller: its policies, on the warehouse's account. */
export function authorizeBy(facts: CatalogRequestFacts, rights: CatalogRights): Authorize {
  const { principal, notes: noted } = facts
  let isAsked = false
  return async (access) => {
    // What follows decides which entries of a listing are shown, and through which views: the record tells of the request itself.
    const notes = isAsked ? undefined : noted
    isAsked = true
    if (isUnbound(principal, access) && rights.decider?.bindsRoots !== true) {
      if (notes !== undefined) notes.decision = principal.kind === 'serverRoot' ? allowedRoot : allowedOwner
      return true
    }
    let last: NotedDecision | undefined
    for (const target of access.targets()) {
      last = await decisionOn(facts, rights, access, target)
      if (last.effect === 'deny') break
    }
    if (last !== undefined && notes !== undefined) notes.decision = last
    return last?.effect !== 'deny'
  }
}

const allowedRoot: NotedDecision = { effect: 'allow', because: reasonOf({ decision: 'allow', because: { kind: 'serverRoot' } }) }
const allowedOwner: NotedDecision = { effect: 'allow', because: reasonOf({ decision: 'allow', because: { kind: 'accountRoot' } }) }

/** The operator's key, and an account's own on its own warehouses: no policy is about them. */
function isUnbound({ kind, accountId, policies: { limits, session } }: Principal, { warehouse }: Access): boolean {
  if (limits.length > 0 || session !== undefined) return false
  return kind === 'serverRoot' || (kind === 'accountRoot' && accountId === warehouse.ownerAccountId)
}

/** On all that the target needs: the first that is denied, else the last. */
async function decisionOn(facts: CatalogRequestFacts, rights: CatalogRights, access: Access, target: Target): Promise<NotedDecision> {
  const { principal } = facts
  const { decider = byPolicies } = rights
  const { warehouse } = access
  const actions = catalogActionsOf(access.operationId === 'signRequest' && access.isWrite ? 'signWriteRequest' : access.operationId, target)
  if (actions === undefined) return { effect: 'deny', because: `${access.operationId}: nobody may do it` }
  const uuid = await access.uuidOf(target)
  const request: Omit<AccessRequest, 'action'> = {
    principal,
    resource: catalogArns({ warehouse: warehouse.name, namespace: target.namespace, kind: target.kind, name: target.name, uuid }, target.role),
    resourceAccountId: warehouse.ownerAccountId,
    context: requestContext({ ...facts, resourceAccountId: warehouse.ownerAccountId }, await tableContext(facts, rights, access, target)),
  }
  const needs = [...actions.map((action) => ({ action })), ...(access.operationId === 'createWarehouse' ? bucketNeeds(warehouse.bucket) : [])]
  let noted: NotedDecision = { effect: 'deny', because: `${access.operationId}: nobody may do it` }
  for (const need of needs) {
    noted = notedDecision(need.action, await decider.decide({ ...request, ...need }, { ...principal.policies, resource: [] }))
    if (noted.effect === 'deny') break
  }
  return noted
}

/** A warehouse opens its bucket to everybody with rights on the warehouse: who makes one must have those on the bucket. */
function bucketNeeds(bucket: string): readonly Pick<AccessRequest, 'action' | 'resource'>[] {
  const onBucket = ['s3:CreateBucket', 's3:ListBucket'].map((action) => ({ action, resource: bucketArn(bucket) }))
  const onObjects = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'].map((action) => ({ action, resource: objectArn(bucket, '*') }))
  return [...onBucket, ...onObjects]
}

/** What takes reading is read only where a policy asks for it. */
async function tableContext({ principal }: CatalogRequestFacts, rights: CatalogRights, access: Access, target: Target): Promise<AccessRequest['context']> {
  const { identity, boundary = [], session = [], limits } = principal.policies
  const policies = [...identity, ...boundary, ...session, ...limits.flat()]
  const asks = (key: string): boolean => policies.some(({ policy }) => asksFor(policy, key))
  const tags = asks(warehouseTag) ? await rights.bucketTags(access.warehouse.bucket) : undefined
  const views = asks(referencedBy) ? (await access.referencedBy()).map(({ namespace, name }) => `${namespaceName(namespace)}/${name}`) : []
  const nameKeys: Readonly<Record<string, string | undefined>> = {
    's3tables:namespace': target.namespace.length === 0 ? undefined : namespaceName(target.namespace),
    's3tables:tablename': target.kind === 'table' ? target.name : undefined,
    's3tables:viewname': target.kind === 'view' ? target.name : undefined,
    's3tables:functionname': target.kind === 'function' ? target.name : undefined,
    's3tables:registerlocation': access.registerLocation,
  }
  return (key) => {
    if (key.startsWith(warehouseTag)) return tagValue(tags, key)
    if (key === referencedBy) return views
    const value = nameKeys[key]
    return value === undefined ? undefined : [value]
  }
}

const warehouseTag = 's3tables:warehousetag/'
const referencedBy = 's3tables:referencedby'
