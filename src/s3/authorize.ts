import { must } from '../../base/assert.ts'
import { bucketArn, objectArn, s3NeedsOf } from '../policy/actions/s3-actions.ts'
import { asksFor } from '../policy/context-keys.ts'
import { notedDecision, reasonOf } from '../policy/explain.ts'
import type { Decider } from '../policy/decider.ts'
import type { AccessRequest, Decision, PoliciesInForce } from '../policy/evaluate.ts'
import { requestContext } from '../policy/request-context.ts'
import { S3Error } from '../wire/errors.ts'
import { blockNothing, type BucketAccess } from './bucket-access.ts'
import { aclOf, grantOf, isOfObjectOwner } from './object-acl.ts'
import { EngineError, type Bucket, type Engine, type ObjectVersion } from '../../engine/index.ts'
import { s3Context, type S3RequestFacts } from './request-facts.ts'
import type { NamedPolicy } from '../policy/language.ts'
import { isUnboundRoot, type Principal } from '../policy/principal.ts'
import type { PublicAccessBlock } from './bucket-access.ts'

export interface AuthorizerParts {
  readonly engine: Pick<Engine, 'headObject'>
  readonly accessOf: (bucket: Bucket) => Promise<BucketAccess>
  /** The 12-digit account id of a canonical user id. */
  readonly accountIdOf: (ownerId: string) => Promise<string | undefined>
  /** The account's own Block Public Access, by the account's id. */
  readonly accountBlockOf: (accountId: string) => Promise<PublicAccessBlock | undefined>
  readonly decider: Decider
}

/** One action and what it is done to. `bucket` absent: the account's everything, or a bucket that is not there yet (`newBucket`). */
export interface PlacedNeed {
  readonly action: string
  readonly bucket?: Bucket
  readonly newBucket?: string
  readonly key?: string
  readonly versionId?: string | undefined
}

export interface Authorizer {
  /** Throws AccessDenied unless every need is met. */
  require(facts: S3RequestFacts, needs: readonly PlacedNeed[]): Promise<void>
  decide(facts: S3RequestFacts, need: PlacedNeed): Promise<Decision>
  readonly accessOf: (bucket: Bucket) => Promise<BucketAccess>
  /** What the bucket and its owner's account block, together. */
  blockOf(bucket: Bucket): Promise<PublicAccessBlock>
}

const allowedRoot = { effect: 'allow', because: reasonOf({ decision: 'allow', because: { kind: 'serverRoot' } }) } as const
const allowedOwner = { effect: 'allow', because: reasonOf({ decision: 'allow', because: { kind: 'accountRoot' } }) } as const

export function createAuthorizer(parts: AuthorizerParts): Authorizer {
  const decide = (facts: S3RequestFacts, need: PlacedNeed) => decideNeed(parts, facts, need)
  return {
    decide,
    accessOf: parts.accessOf,
    blockOf: async bucket => {
      const { publicAccessBlock = blockNothing } = await parts.accessOf(bucket)
      const accountId = await parts.accountIdOf(bucket.ownerId)
      return joined(publicAccessBlock, (accountId === undefined ? undefined : await parts.accountBlockOf(accountId)) ?? blockNothing)
    },
    async require(facts, needs) {
      const { caller: { principal }, notes } = facts
      if (isUnboundRoot(principal) && !parts.decider.bindsRoots) {
        notes.decision = allowedRoot
        return
      }
      for (const need of needs) {
        if (ownsPlainly(principal, need.bucket) && !parts.decider.bindsRoots) {
          notes.decision = allowedOwner
          continue
        }
        const decision = await decide(facts, need)
        notes.decision = notedDecision(need.action, decision)
        if (decision.decision === 'deny') throw new S3Error('AccessDenied')
      }
    },
  }
}

/** What an operation's row in the table needs, on this request's bucket and key. Throws AccessDenied where there is no row. */
export function placedNeeds(
  facts: S3RequestFacts,
  { bucket, newBucket, key, versionId, source, renameSource }: Places,
): readonly PlacedNeed[] {
  const needs = s3NeedsOf(facts.operation, {
    has: name => facts.header(name) !== undefined,
    isVersioned: versionId !== undefined,
    isSourceVersioned: facts.copySource?.versionId !== undefined,
  })
  if (needs === undefined) throw new S3Error('AccessDenied')
  return needs.map(({ action, on }): PlacedNeed => {
    switch (on) {
      case 'account': return { action }
      case 'bucket': return newBucket === undefined ? { action, bucket: must(bucket, 'a bucket is named') } : { action, newBucket }
      case 'object': return { action, bucket: must(bucket, 'a bucket is named'), key: must(key, 'a key is named'), versionId }
      case 'source': return { action, bucket: must(source, 'a source is named'), key: facts.copySource?.key ?? '', versionId: facts.copySource?.versionId }
      case 'renameSource': return { action, bucket: must(bucket, 'a bucket is named'), key: must(renameSource, 'a source key is named') }
    }
  })
}

interface Places {
  readonly bucket?: Bucket | undefined
  readonly newBucket?: string | undefined
  readonly key?: string | undefined
  readonly versionId?: string | undefined
  /** The bucket of `facts.copySource`. */
  readonly source?: Bucket | undefined
  readonly renameSource?: string | undefined
}

/** The account's own key on its own bucket, which nobody has given a policy or anything else: nothing is evaluated. */
const ownsPlainly = ({ kind, canonicalUserId, policies: { limits, session } }: Principal, bucket: Bucket | undefined): boolean =>
  kind === 'accountRoot' && bucket?.documentsRevision === 0 && bucket.ownerId === canonicalUserId && limits.length === 0 && session === undefined

/** What an account's own key may always do to its buckets, so that a policy cannot lock everybody out. */
const policyActions: ReadonlySet<string> = new Set(['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy'])

async function decideNeed(parts: AuthorizerParts, facts: S3RequestFacts, need: PlacedNeed): Promise<Decision> {
  const { principal } = facts.caller
  const { bucket, action } = need
  if (bucket === undefined) return decideInAccount(parts, facts, need)
  if (principal.kind === 'accountRoot' && bucket.ownerId === principal.canonicalUserId && policyActions.has(action) && !isLimited(principal)) {
    return decideInAccount(parts, facts, need)
  }
  const access = await parts.accessOf(bucket)
  const place = await placeOf(parts, need, bucket, access, principal)
  const request = requestOf(facts, need, place)
  const policies = await policiesOf(parts, principal, bucket, access, place)
  const decision = await parts.decider.decide(request, policies)
  if (decision.decision === 'allow' || decision.because.kind !== 'missing' || access.isOwnerEnforced) return decision
  const grant = await aclGrant(parts, principal, need, bucket, access, place)
  return grant === undefined ? decision : parts.decider.decide(request, { ...policies, grant })
}

const isLimited = ({ policies: { limits, session } }: Principal): boolean => limits.length > 0 || session !== undefined

/** No policy but the caller's own has a say. */
function decideInAccount({ decider }: AuthorizerParts, facts: S3RequestFacts, need: PlacedNeed): Decision | Promise<Decision> {
  const { principal } = facts.caller
  const request = requestOf(facts, need, { accountId: principal.accountId || undefined, object: undefined, ownsObject: true })
  return decider.decide(request, { ...principal.policies, resource: [] })
}

/** What is there, and whose it is. */
interface Place {
  readonly accountId: string | undefined
  readonly object: ObjectVersion | undefined
  /** The bucket's owner owns the object, or nobody does yet. */
  readonly ownsObject: boolean
}

/** The object is read only when its owner, list or tags matter. */
async function placeOf(parts: AuthorizerParts, need: PlacedNeed, bucket: Bucket, access: BucketAccess, principal: Principal): Promise<Place> {
  const ownerMatters = !access.isOwnerEnforced && isOfObjectOwner(need.action)
  const object = need.key !== undefined && (ownerMatters || tagsMatter(principal, access)) ? await headOf(parts, need, bucket) : undefined
  const ownsObject = !ownerMatters || object === undefined || object.ownerId === bucket.ownerId
  const ownerId = ownsObject ? bucket.ownerId : object.ownerId
  return { accountId: ownerId === principal.canonicalUserId ? principal.accountId : await parts.accountIdOf(ownerId), object, ownsObject }
}

const existingTags = 's3:existingobjecttag/'

function tagsMatter({ policies: { identity, boundary = [], session = [], limits } }: Principal, { policy }: BucketAccess): boolean {
  const asks = ({ policy: document }: NamedPolicy) => asksFor(document, existingTags)
  return identity.some(asks) || boundary.some(asks) || session.some(asks) || limits.some(limit => limit.some(asks)) || policy?.named.some(asks) === true
}

async function headOf({ engine }: AuthorizerParts, { key = '', versionId }: PlacedNeed, bucket: Bucket): Promise<ObjectVersion | undefined> {
  try {
    return (await engine.headObject({ bucket: bucket.name, key, ...(versionId === undefined ? {} : { versionId }) })).version
  } catch (error) {
    if (error instanceof EngineError && ['NoSuchKey', 'NoSuchVersion', 'IsDeleteMarker'].includes(error.code)) return undefined
    throw error
  }
}

function requestOf(facts: S3RequestFacts, need: PlacedNeed, { accountId, object }: Place): AccessRequest {
  const { principal } = facts.caller
  const { nowMs, sourceIp, isSecure, header } = facts
  const bucket = need.bucket?.name ?? need.newBucket
  const general = { principal, nowMs, sourceIp, isSecure, userAgent: header('user-agent'), referer: header('referer'), resourceAccountId: accountId }
  return {
    principal,
    action: need.action,
    resource: bucket === undefined ? bucketArn('*') : need.key === undefined ? bucketArn(bucket) : objectArn(bucket, need.key),
    resourceAccountId: accountId,
    context: requestContext(general, s3Context(facts, { versionId: need.versionId, existingTags: object?.tags, resourceAccountId: accountId })),
  }
}

/** A bucket's policy allows nothing about others' objects, and when public and restricted nothing to other accounts; it always denies. */
async function policiesOf(parts: AuthorizerParts, principal: Principal, bucket: Bucket, { policy, publicAccessBlock = blockNothing }: BucketAccess, { ownsObject }: Place): Promise<PoliciesInForce> {
  const own = principal.policies
  if (policy === undefined) return { ...own, resource: [] }
  const isForeign = principal.kind === 'anonymous' || principal.canonicalUserId !== bucket.ownerId
  const restricted = policy.isPublic && isForeign && (publicAccessBlock.RestrictPublicBuckets || (await accountBlock(parts, bucket)).RestrictPublicBuckets)
  return { ...own, resource: ownsObject && !restricted ? policy.named : policy.denies }
}

async function accountBlock({ accountIdOf, accountBlockOf }: AuthorizerParts, bucket: Bucket): Promise<PublicAccessBlock> {
  const accountId = await accountIdOf(bucket.ownerId)
  return (accountId === undefined ? undefined : await accountBlockOf(accountId)) ?? blockNothing
}

async function aclGrant(
  parts: AuthorizerParts, principal: Principal, { action, key }: PlacedNeed, bucket: Bucket, { acl, publicAccessBlock = blockNothing }: BucketAccess, { object }: Place,
): Promise<PoliciesInForce['grant']> {
  const isObjects = key !== undefined && isOfObjectOwner(action)
  const list = isObjects ? (object === undefined ? undefined : aclOf(object)) : acl
  if (list === undefined) return undefined
  const ignored = publicAccessBlock.IgnorePublicAcls
  let to = grantOf(list, action, principal, ignored)
  if (to === 'everyone' && (await accountBlock(parts, bucket)).IgnorePublicAcls) to = grantOf(list, action, principal, true)
  return to === undefined ? undefined : { to, name: isObjects ? `ACL of ${bucket.name}/${key}` : `ACL of bucket ${bucket.name}` }
}

function joined(left: PublicAccessBlock, right: PublicAccessBlock): PublicAccessBlock {
  return {
    BlockPublicAcls: left.BlockPublicAcls || right.BlockPublicAcls,
    IgnorePublicAcls: left.IgnorePublicAcls || right.IgnorePublicAcls,
    BlockPublicPolicy: left.BlockPublicPolicy || right.BlockPublicPolicy,
    RestrictPublicBuckets: left.RestrictPublicBuckets || right.RestrictPublicBuckets,
  }
}
