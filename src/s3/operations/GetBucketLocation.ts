import type { GetBucketLocationOutput, GetBucketLocationRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** GetBucketLocation: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html. us-east-1 is the empty constraint. */
export const GetBucketLocation: Operation<GetBucketLocationRequest, GetBucketLocationOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  run({ bucketRow: { region } }) {
    return Promise.resolve(region === 'us-east-1' ? {} : { LocationConstraint: region as 'eu-west-1' })
  },
}
