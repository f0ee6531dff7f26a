import type { Access, Authorize, Entity, Target } from '../../catalog/index.ts'
import type { Principal } from '../policy/principal.ts'
import { catalogActionsOf, catalogArns, namespaceName } from '../policy/actions/iceberg-actions.ts'
import { bucketArn, objectArn } from '../policy/actions/s3-actions.ts'
import { asksFor } from '../policy/context-keys.ts'
import { byPolicies, type Decider } from '../policy/decider.ts'
import type { AccessRequest } from '../policy/evaluate.ts'
import { notedDecision, reasonOf, type NotedDecision } from '../policy/explain.ts'
import type { NamedPolicy } from '../policy/language.ts'
import { PolicyCache } from '../policy/policy-cache.ts'
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
    if (rights.decider?.bindsRoots !== true && (await isUnbound(principal, access))) {
      if (notes !== undefined) notes.decision = principal.kind === 'serverRoot' ? allowedRoot : allowedOwner
      return true
    }
    let last: NotedDecision | undefined
    for (const target of access.targets()) {
      last = await decisionOn(facts, rights, access, target)
      if (last.effect === 'deny') break
    }
    if (last !== undefined && notes !== undefined) notes.decision = last
    // A request that is about nothing has been allowed by nobody.
    return last?.effect === 'allow'
  }
}

const allowedRoot: NotedDecision = { effect: 'allow', because: reasonOf({ decision: 'allow', because: { kind: 'serverRoot' } }) }
const allowedOwner: NotedDecision = { effect: 'allow', because: reasonOf({ decision: 'allow', because: { kind: 'accountRoot' } }) }

/** The operator's key; an account's own on its own warehouses, where no resource policy is, and for those policies always. */
async function isUnbound(principal: Principal, access: Access): Promise<boolean> {
  const { warehouse, targets, entityOf } = access
  if (principal.kind === 'serverRoot') return !isLimited(principal)
  if (!isOwner(principal, access)) return false
  if (policyOperations.has(access.operationId)) return true
  if (warehouse.policy !== undefined) return false
  for (const target of targets()) if ((await entityOf(target))?.policy !== undefined) return false
  return true
}

const isLimited = ({ policies: { limits, session } }: Principal): boolean => limits.length > 0 || session !== undefined

/** An account's own key, as it is, on the account's own warehouse. */
const isOwner = (principal: Principal, { warehouse }: Access): boolean =>
  principal.kind === 'accountRoot' && principal.accountId === warehouse.ownerAccountId && !isLimited(principal)

/** What the owner may always do to resource policies, whatever they say, so that none can lock everybody out. */
const policyOperations: ReadonlySet<string> = new Set(['getTablePolicy', 'putTablePolicy', 'deleteTablePolicy', 'getWarehousePolicy', 'putWarehousePolicy', 'deleteWarehousePolicy'])

/** On all that the target needs: the first that is denied, else the last. */
async function decisionOn(facts: CatalogRequestFacts, rights: CatalogRights, access: Access, target: Target): Promise<NotedDecision> {
  const { principal } = facts
  const { decider = byPolicies } = rights
  const { warehouse } = access
  const actions = catalogActionsOf(access.operationId === 'signRequest' && access.isWrite ? 'signWriteRequest' : access.operationId, target)
  if (actions === undefined) return { effect: 'deny', because: `${access.operationId}: nobody may do it` }
  const entity = await access.entityOf(target)
  const resource = policyOperations.has(access.operationId) && isOwner(principal, access) ? [] : resourcePolicies(access, target, entity)
  const request: Omit<AccessRequest, 'action'> = {
    principal,
    resource: catalogArns({ warehouse: warehouse.name, namespace: target.namespace, kind: target.kind, name: target.name, uuid: entity?.uuid ?? target.uuid }, target.role),
    resourceAccountId: warehouse.ownerAccountId,
    context: requestContext({ ...facts, resourceAccountId: warehouse.ownerAccountId }, await tableContext(facts, rights, { access, target, entity, resource })),
  }
  const needs = [...actions.map((action) => ({ action })), ...(access.operationId === 'createWarehouse' ? bucketNeeds(warehouse.bucket) : [])]
  let noted: NotedDecision = { effect: 'deny', because: `${access.operationId}: nobody may do it` }
  for (const need of needs) {
    noted = notedDecision(need.action, await decider.decide({ ...request, ...need }, { ...principal.policies, resource }))
    if (noted.effect === 'deny') break
  }
  return noted
}

const compiled = new PolicyCache()

/** Of the table, and of the warehouse that it is in. */
function resourcePolicies({ warehouse }: Access, { namespace, name }: Target, entity: Entity | undefined): readonly NamedPolicy[] {
  const own = entity?.policy === undefined ? [] : [{ name: `policy of table ${namespaceName(namespace)}/${name ?? entity.uuid}`, policy: compiled.compiled(entity.policy, 'resource') }]
  if (warehouse.policy === undefined) return own
  return [...own, { name: `policy of warehouse ${warehouse.name}`, policy: compiled.compiled(warehouse.policy, 'resource') }]
}

/** A warehouse opens its bucket to everybody with rights on the warehouse: who makes one must have those on the bucket. */
function bucketNeeds(bucket: string): readonly Pick<AccessRequest, 'action' | 'resource'>[] {
  const onBucket = ['s3:CreateBucket', 's3:ListBucket'].map((action) => ({ action, resource: bucketArn(bucket) }))
  const onObjects = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'].map((action) => ({ action, resource: objectArn(bucket, '*') }))
  return [...onBucket, ...onObjects]
}

/** What takes reading is read only where a policy asks for it. */
async function tableContext({ principal }: CatalogRequestFacts, rights: CatalogRights, { access, target, entity, resource }: Asked): Promise<AccessRequest['context']> {
  const { identity, boundary = [], session = [], limits } = principal.policies
  const policies = [...identity, ...boundary, ...session, ...limits.flat(), ...resource]
  const asks = (key: string): boolean => policies.some(({ policy }) => asksFor(policy, key))
  const asksForTags = asks(warehouseTag) || asks(bucketTag) || (target.kind === 'warehouse' && asks(resourceTag))
  const tags = asksForTags ? await rights.bucketTags(access.warehouse.bucket) : undefined
  const changed = asks('aws:requesttag/') || asks('aws:tagkeys') ? access.changedTags() : undefined
  const views = asks(referencedBy) ? (await access.referencedBy()).map(({ namespace, name }) => `${namespaceName(namespace)}/${name}`) : []
  const nameKeys: Readonly<Record<string, string | undefined>> = {
    's3tables:namespace': target.namespace.length === 0 ? undefined : namespaceName(target.namespace),
    's3tables:tablename': target.kind === 'table' ? target.name : undefined,
    's3tables:viewname': target.kind === 'view' ? target.name : undefined,
    's3tables:functionname': target.kind === 'function' ? target.name : undefined,
    's3tables:registerlocation': access.registerLocation,
  }
  return (key) => {
    if (key.startsWith(warehouseTag) || key.startsWith(bucketTag)) return tagValue(tags, key)
    if (key.startsWith(tableTag)) return target.kind === 'table' ? tagValue(entity?.tags, key) : undefined
    if (key.startsWith(resourceTag)) return tagValue(target.kind === 'warehouse' ? tags : entity?.tags, key)
    if (key.startsWith('aws:requesttag/')) return tagValue(changed?.values, key)
    if (key === 'aws:tagkeys') return changed?.names
    if (key === referencedBy) return views
    const value = nameKeys[key]
    return value === undefined ? undefined : [value]
  }
}

interface Asked {
  readonly access: Access
  readonly target: Target
  readonly entity: Entity | undefined
  readonly resource: readonly NamedPolicy[]
}

const warehouseTag = 's3tables:warehousetag/'
/** AWS's name for the same. */
const bucketTag = 's3tables:tablebuckettag/'
const tableTag = 's3tables:tabletag/'
const resourceTag = 'aws:resourcetag/'
const referencedBy = 's3tables:referencedby'
