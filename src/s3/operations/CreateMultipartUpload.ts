import type { CreateMultipartUploadOutput, CreateMultipartUploadRequest } from '@aws-sdk/client-s3'
import { aclMembers, refuseAcl } from '../acl.ts'
import { attributeMembers, attributesOf } from '../attributes.ts'
import { uploadChecksum } from '../upload-checksum.ts'
import { parseTagging } from '../tags.ts'
import type { Operation } from '../operation.ts'

/** CreateMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html. Commit point: `engine.createUpload`. */
export const CreateMultipartUpload: Operation<CreateMultipartUploadRequest, CreateMultipartUploadOutput> = {
  honours: ['Bucket', 'Key', ...attributeMembers, 'Tagging', 'ChecksumAlgorithm', 'ChecksumType', 'ExpectedBucketOwner', 'RequestPayer', ...aclMembers],
  scope: 'bucket',
  async run({ input, bucket, key, caller, service, rawExpires }) {
    refuseAcl(input)
    const checksum = uploadChecksum(input)
    const { uploadId } = await service.engine.createUpload({
      bucket,
      key,
      attributes: attributesOf(input, rawExpires),
      tags: parseTagging(input.Tagging),
      ...(checksum === undefined ? {} : { checksum }),
      ownerId: caller.account.id,
    })
    return {
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      ...(checksum === undefined ? {} : { ChecksumAlgorithm: checksum.algorithm as 'CRC32', ChecksumType: checksum.type }),
    }
  },
}
