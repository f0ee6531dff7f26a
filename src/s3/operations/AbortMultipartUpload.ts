import type { AbortMultipartUploadOutput, AbortMultipartUploadRequest } from '@aws-sdk/client-s3'
import { must } from '../../../base/assert.ts'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/**
 * AbortMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 *
 * Commit point: `engine.abortUpload`. The condition on the initiation time is AWS's for directory buckets
 * and is honoured here: PreconditionFailed when it differs.
 */
export const AbortMultipartUpload: Operation<AbortMultipartUploadRequest, AbortMultipartUploadOutput> = {
  honours: ['Bucket', 'Key', 'UploadId', 'IfMatchInitiatedTime', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, service }) {
    const id = { bucket, key, uploadId: must(input.UploadId, 'detected by its upload id') }
    if (input.IfMatchInitiatedTime !== undefined) {
      const { initiatedMs } = await service.engine.getUpload(id)
      if (Math.trunc(initiatedMs / 1000) !== Math.trunc(input.IfMatchInitiatedTime.getTime() / 1000)) throw new S3Error('PreconditionFailed')
    }
    await service.engine.abortUpload(id)
    return {}
  },
}
