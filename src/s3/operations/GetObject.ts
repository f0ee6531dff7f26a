import type { GetObjectRequest } from '@aws-sdk/client-s3'
import { versionIdIn } from '../versions.ts'
import { readMembers, readVersion } from '../read-version.ts'
import type { S3Output } from '../../wire/s3-operations.ts'
import type { Operation } from '../operation.ts'

/**
 * GetObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 *
 * One range, as AWS: a request for several gets the whole object. Every block is verified before it is sent.
 */
export const GetObject: Operation<GetObjectRequest, S3Output<'GetObject'>> = {
  honours: readMembers,
  scope: 'bucket',
  async run(call) {
    const { bucket, key, input, service } = call
    const reader = await service.engine.getObject({ bucket, key, ...versionIdIn(input.VersionId) })
    const { slice, output } = await readVersion(call, reader)
    const { offset, length } = slice
    return { ...output, Body: reader.bytes?.subarray(offset, offset + length) ?? reader.read(slice) }
  },
}
