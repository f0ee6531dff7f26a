import type { CreateBucketOutput, CreateBucketRequest } from '@aws-sdk/client-s3'
import { EngineError } from '../../../engine/index.ts'
import { isValidBucketName } from '../../wire/bucket-name.ts'
import { S3Error } from '../../wire/errors.ts'
import { refuseAcl } from '../acl.ts'
import { encodeDocument } from '../bucket-documents.ts'
import { bucketTagLimit, tagSetOf, tagsOf } from '../tags.ts'
import type { Call, Operation } from '../operation.ts'

/**
 * CreateBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 *
 * Commit point: `engine.createBucket`. Creating one's own bucket again succeeds in us-east-1 and changes nothing;
 * in any other region it is BucketAlreadyOwnedByYou. Errors: BucketAlreadyExists, InvalidBucketName,
 * IllegalLocationConstraintException (another region), InvalidLocationConstraint (no region at all).
 */
export const CreateBucket: Operation<CreateBucketRequest, CreateBucketOutput> = {
  honours: ['Bucket', 'CreateBucketConfiguration', 'ACL', 'GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWrite', 'GrantWriteACP', 'ObjectOwnership', 'ObjectLockEnabledForBucket', 'BucketNamespace'],
  scope: 'newBucket',
  async run(call) {
    const { input, bucket, caller, service } = call
    if (!isValidBucketName(bucket)) throw new S3Error('InvalidBucketName', undefined, { BucketName: bucket })
    refuseAcl(input)
    refuseOtherOwnership(input.ObjectOwnership)
    refuseUnsupported(input)
    refuseForeignRegion(call)
    const tags = tagsOf(input.CreateBucketConfiguration?.Tags ?? [], bucketTagLimit)
    try {
      await service.engine.createBucket({
        bucket,
        ownerId: caller.account.id,
        region: service.region,
        ...(Object.keys(tags).length === 0 ? {} : { documents: { tagging: encodeDocument({ TagSet: tagSetOf(tags) }) } }),
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

function refuseOtherOwnership(ownership: string | undefined): void {
  if (ownership === undefined || ownership === 'BucketOwnerEnforced') return
  throw new S3Error('NotImplemented', 'Only the object ownership BucketOwnerEnforced is supported.')
}
