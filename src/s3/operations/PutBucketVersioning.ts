import type { PutBucketVersioningRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import type { Operation } from '../operation.ts'

/** PutBucketVersioning: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html. Commit point: `engine.setVersioning`. */
export const PutBucketVersioning: Operation<PutBucketVersioningRequest, object> = {
  honours: ['Bucket', 'VersioningConfiguration', 'ContentMD5', 'ChecksumAlgorithm', 'ExpectedBucketOwner'],
  scope: 'bucket',
  async run({ input, bucket, service }) {
    const { Status: status, MFADelete: mfaDelete } = input.VersioningConfiguration ?? {}
    if (mfaDelete === 'Enabled') throw new S3Error('NotImplemented', 'MFA delete is not supported.')
    if (status === undefined) throw new S3Error('IllegalVersioningConfigurationException')
    if (status !== 'Enabled' && status !== 'Suspended') throw new S3Error('MalformedXML')
    await service.engine.setVersioning(bucket, status)
    return {}
  },
}
