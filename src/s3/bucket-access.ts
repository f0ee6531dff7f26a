import { compilePolicy } from '../policy/compile.ts'
import { isPublicPolicy } from '../policy/public-policy.ts'
import { decodeDocument } from './bucket-documents.ts'
import type { Bucket, Engine } from '../../engine/index.ts'
import type { NamedPolicy } from '../policy/language.ts'
import type { Acl } from './acl.ts'

export type ObjectOwnership = 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter'

export const objectOwnerships: readonly ObjectOwnership[] = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter']

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html */
export interface PublicAccessBlock {
  /** Refuse to set public ACLs. */
  readonly BlockPublicAcls: boolean
  /** Take public ACLs for none. */
  readonly IgnorePublicAcls: boolean
  /** Refuse to set public policies. */
  readonly BlockPublicPolicy: boolean
  /** A public policy is for the bucket owner's account only. */
  readonly RestrictPublicBuckets: boolean
}

export const blockAll: PublicAccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true }
export const blockNothing: PublicAccessBlock = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false }

/** Everything of a bucket that decides who may use it, beside its owner. */
export interface BucketAccess {
  readonly policy: BucketPolicy | undefined
  /** Undefined: the controls were deleted, which is ObjectWriter. */
  readonly ownershipControls: ObjectOwnership | undefined
  /** ACLs have no say. */
  readonly isOwnerEnforced: boolean
  /** Undefined: deleted. */
  readonly publicAccessBlock: PublicAccessBlock | undefined
  /** Undefined: never set, which is private. */
  readonly acl: Acl | undefined
}

export interface BucketPolicy {
  /** The document as it was put. */
  readonly text: string
  readonly named: readonly NamedPolicy[]
  /** The same without what it allows: for those whom a public policy is not for. */
  readonly denies: readonly NamedPolicy[]
  readonly isPublic: boolean
}

/** AWS's defaults: what a bucket has that says nothing else. */
export const defaultAccess: BucketAccess = {
  policy: undefined,
  ownershipControls: 'BucketOwnerEnforced',
  isOwnerEnforced: true,
  publicAccessBlock: blockAll,
  acl: undefined,
}

/** A bucket's access as of its row, compiled once for each revision of the bucket's documents. */
export function bucketAccessReader(engine: Pick<Engine, 'getBucketDocument'>, maxEntries = 1000): (bucket: Bucket) => Promise<BucketAccess> {
  const known = new Map<string, BucketAccess>()
  return async bucket => {
    if (bucket.documentsRevision === 0) return defaultAccess
    const key = `${bucket.bucketId}:${bucket.documentsRevision}`
    const found = known.get(key)
    if (found !== undefined) return found
    const access = await readAccess(engine, bucket.name)
    if (known.size >= maxEntries) known.delete(known.keys().next().value ?? key)
    known.set(key, access)
    return access
  }
}

async function readAccess(engine: Pick<Engine, 'getBucketDocument'>, bucket: string): Promise<BucketAccess> {
  const [policy, controls, block, acl] = await Promise.all([
    engine.getBucketDocument(bucket, 'policy'),
    engine.getBucketDocument(bucket, 'ownershipControls'),
    engine.getBucketDocument(bucket, 'publicAccessBlock'),
    engine.getBucketDocument(bucket, 'acl'),
  ])
  const { ownership } = controls === undefined ? { ownership: 'BucketOwnerEnforced' as const } : decodeDocument<StoredOwnership>(controls)
  const publicAccessBlock = block === undefined ? blockAll : decodeDocument<StoredPublicAccessBlock>(block).block
  return {
    policy: policy === undefined ? undefined : bucketPolicyOf(bucket, policy.toString('utf8')),
    ownershipControls: ownership,
    isOwnerEnforced: ownership === 'BucketOwnerEnforced',
    publicAccessBlock,
    acl: acl === undefined ? undefined : decodeDocument<Acl>(acl),
  }
}

/** How ownership controls are kept; without `ownership` they were deleted. */
export interface StoredOwnership {
  readonly ownership?: ObjectOwnership
}

export interface StoredPublicAccessBlock {
  readonly block?: PublicAccessBlock
}

function bucketPolicyOf(bucket: string, text: string): BucketPolicy {
  const policy = compilePolicy(text, { kind: 'resource' })
  const name = `policy of bucket ${bucket}`
  const denies = { ...policy, statements: policy.statements.filter(({ effect }) => effect === 'Deny') }
  return { text, named: [{ name, policy }], denies: [{ name, policy: denies }], isPublic: isPublicPolicy(policy) }
}
