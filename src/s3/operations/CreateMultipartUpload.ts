import type { CreateMultipartUploadOutput, CreateMultipartUploadRequest } from '@aws-sdk/client-s3'
import { aclMembers } from '../acl.ts'
import { withAcl } from '../object-acl.ts'
import { ownershipOf } from '../object-ownership.ts'
import { attributeMembers, attributesOf } from '../attributes.ts'
import { uploadChecksum } from '../upload-checksum.ts'
import { parseTagging } from '../tags.ts'
import type { Operation } from '../operation.ts'

/** CreateMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html. Commit point: `engine.createUpload`. */
export const CreateMultipartUpload: Operation<CreateMultipartUploadRequest, CreateMultipartUploadOutput> = {
  honours: ['Bucket', 'Key', ...attributeMembers, 'Tagging', 'ChecksumAlgorithm', 'ChecksumType', 'ExpectedBucketOwner', 'RequestPayer', ...aclMembers],
  scope: 'bucket',
  async run(call) {
    const { input, bucket, key, service, rawExpires } = call
    const { ownerId, acl } = await ownershipOf(call, input)
    const checksum = uploadChecksum(input)
    const { uploadId } = await service.engine.createUpload({
      bucket,
      key,
      attributes: withAcl(attributesOf(input, rawExpires), acl),
      tags: parseTagging(input.Tagging),
      ...(checksum === undefined ? {} : { checksum }),
      ownerId,
    })
    return {
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      ...(checksum === undefined ? {} : { ChecksumAlgorithm: checksum.algorithm as 'CRC32', ChecksumType: checksum.type }),
    }
  },
}
