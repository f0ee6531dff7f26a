import type { CreateBucketOutput, CreateBucketRequest } from '@aws-sdk/client-s3'
import { EngineError } from '../../../engine/index.ts'
import { isValidBucketName } from '../../wire/bucket-name.ts'
import { S3Error } from '../../wire/errors.ts'
import { aclOfHeaders, isPublicAcl, type Acl } from '../acl.ts'
import { readAccountBlock } from '../account-public-access.ts'
import { blockAll, objectOwnerships, type ObjectOwnership, type StoredOwnership, type StoredPublicAccessBlock } from '../bucket-access.ts'
import { isAccount } from '../object-ownership.ts'
import { encodeDocument } from '../bucket-documents.ts'
import { bucketTagLimit, tagSetOf, tagsOf } from '../tags.ts'
import type { Call, Operation } from '../operation.ts'

/**
 * CreateBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 *
 * Commit point: `engine.createBucket`. Creating one's own bucket again succeeds in us-east-1 and changes nothing;
 * in any other region it is BucketAlreadyOwnedByYou. Errors: BucketAlreadyExists, InvalidBucketName,
 * IllegalLocationConstraintException (another region), InvalidLocationConstraint (no region at all),
 * TooManyBuckets, InvalidBucketAclWithObjectOwnership, AccessDenied (a public ACL, and those are blocked).
 */
export const CreateBucket: Operation<CreateBucketRequest, CreateBucketOutput> = {
  honours: ['Bucket', 'CreateBucketConfiguration', 'ACL', 'GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWrite', 'GrantWriteACP', 'ObjectOwnership', 'ObjectLockEnabledForBucket', 'BucketNamespace'],
  scope: 'newBucket',
  async run(call) {
    const { input, bucket, caller, service } = call
    if (!isValidBucketName(bucket)) throw new S3Error('InvalidBucketName', undefined, { BucketName: bucket })
    refuseUnsupported(input)
    refuseForeignRegion(call)
    const documents = await documentsOf(call)
    try {
      await service.engine.createBucket({
        bucket,
        ownerId: caller.account.id,
        region: service.region,
        documents,
        ...(caller.account.quotas?.buckets === undefined ? {} : { mostBuckets: caller.account.quotas.buckets }),
      })
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'BucketAlreadyExists') throw error
      const { ownerId } = await service.engine.headBucket(bucket)
      if (ownerId !== caller.account.id) throw new S3Error('BucketAlreadyExists', undefined, { BucketName: bucket })
      if (service.region !== 'us-east-1') throw new S3Error('BucketAlreadyOwnedByYou', undefined, { BucketName: bucket })
    }
    return { Location: `/${bucket}` }
  },
}

function refuseUnsupported({ ObjectLockEnabledForBucket: objectLock, BucketNamespace: namespace }: CreateBucketRequest): void {
  if (objectLock === true) throw new S3Error('NotImplemented', 'Object lock is not supported.')
  if (namespace !== undefined && namespace !== 'global') throw new S3Error('NotImplemented', 'Only the bucket namespace global is supported.')
}

/**
 * `us-east-1` is named by no constraint; older clients name Ireland by `EU`. A client of a server without a configured
 * region names its own, and the SDKs do so by themselves. A missing constraint is taken for this server's region.
 */
function refuseForeignRegion({ input, service }: Call<CreateBucketRequest>): void {
  const { LocationConstraint: asked, Location: location, Bucket: type } = input.CreateBucketConfiguration ?? {}
  if (location !== undefined || type !== undefined) throw new S3Error('NotImplemented', 'Directory buckets are not supported.')
  if (asked === undefined) return
  const region = asked === 'EU' ? 'eu-west-1' : (asked as string)
  if (!/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region) && region !== service.region) throw new S3Error('InvalidLocationConstraint', undefined, { LocationConstraint: region })
  if (service.anyRegion || region === service.region) return
  throw new S3Error('IllegalLocationConstraintException', `The ${region} location constraint is incompatible for the region specific endpoint this request was sent to.`, {
    LocationConstraint: region,
  })
}

/** The configuration that the bucket begins with; nothing where it is the one of a bucket that says nothing. */
async function documentsOf({ input, caller, service }: Call<CreateBucketRequest>): Promise<Readonly<Record<string, Uint8Array>>> {
  const tags = tagsOf(input.CreateBucketConfiguration?.Tags ?? [], bucketTagLimit)
  const defaults = service.newBucketDefaults
  const ownership = (input.ObjectOwnership as ObjectOwnership | undefined) ?? defaults.ownership
  if (!objectOwnerships.includes(ownership)) throw new S3Error('InvalidArgument', undefined, { ArgumentName: 'x-amz-object-ownership', ArgumentValue: ownership })
  const acl = await aclFor({ input, caller, service }, ownership)
  const stored: StoredPublicAccessBlock = { block: defaults.publicAccessBlock }
  return {
    ...(Object.keys(tags).length === 0 ? {} : { tagging: encodeDocument({ TagSet: tagSetOf(tags) }) }),
    ...(ownership === 'BucketOwnerEnforced' ? {} : { ownershipControls: encodeDocument({ ownership } satisfies StoredOwnership) }),
    ...(defaults.publicAccessBlock === blockAll ? {} : { publicAccessBlock: encodeDocument(stored) }),
    ...(acl === undefined ? {} : { acl: encodeDocument(acl) }),
  }
}

/** A list that grants to others needs a bucket that takes lists, and a public one that nothing blocks it. */
async function aclFor({ input, caller, service }: Pick<Call<CreateBucketRequest>, 'input' | 'caller' | 'service'>, ownership: ObjectOwnership): Promise<Acl | undefined> {
  const { id, accountId } = caller.account
  const acl = await aclOfHeaders(input, { ownerId: id, bucketOwnerId: id, isObject: false, isAccount: other => isAccount(service, other) })
  if (acl === undefined) return undefined
  const grantsToOthers = acl.grants.some(({ to }) => to.kind === 'group' || to.id !== id)
  if (ownership === 'BucketOwnerEnforced') {
    if (grantsToOthers) throw new S3Error('InvalidBucketAclWithObjectOwnership')
    return undefined
  }
  const accountBlocks = (await readAccountBlock(service.engine, accountId))?.BlockPublicAcls === true
  if (isPublicAcl(acl) && (service.newBucketDefaults.publicAccessBlock.BlockPublicAcls || accountBlocks)) throw new S3Error('AccessDenied')
  return acl
}
