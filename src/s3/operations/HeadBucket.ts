import type { HeadBucketOutput, HeadBucketRequest } from '@aws-sdk/client-s3'
import type { Operation } from '../operation.ts'

/** HeadBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html. The pipeline has found the bucket and its owner. */
export const HeadBucket: Operation<HeadBucketRequest, HeadBucketOutput> = {
  honours: ['Bucket', 'ExpectedBucketOwner'],
  scope: 'bucket',
  run({ bucket, bucketRow }) {
    return Promise.resolve({ BucketRegion: bucketRow.region, BucketArn: `arn:aws:s3:::${bucket}`, AccessPointAlias: false })
  },
}
