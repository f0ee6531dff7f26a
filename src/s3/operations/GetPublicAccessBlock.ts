import type { GetPublicAccessBlockOutput, GetPublicAccessBlockRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/** GetPublicAccessBlock: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html. Errors: NoSuchPublicAccessBlockConfiguration. */
export const GetPublicAccessBlock: Operation<GetPublicAccessBlockRequest, GetPublicAccessBlockOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ bucket, bucketRow, service }) {
    const { publicAccessBlock } = await service.authorizer.accessOf(bucketRow)
    if (publicAccessBlock === undefined) throw new S3Error('NoSuchPublicAccessBlockConfiguration', undefined, { BucketName: bucket })
    return { PublicAccessBlockConfiguration: publicAccessBlock }
  },
}
