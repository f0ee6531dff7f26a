import type { HeadObjectOutput, HeadObjectRequest } from '@aws-sdk/client-s3'
import { versionIdIn } from '../versions.ts'
import { readMembers, readVersion } from '../read-version.ts'
import type { Operation } from '../operation.ts'

/** HeadObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (GetObject without its body). */
export const HeadObject: Operation<HeadObjectRequest, HeadObjectOutput> = {
  honours: readMembers,
  scope: 'bucket',
  async run(call) {
    const { bucket, key, input, service } = call
    const head = await service.engine.headObject({ bucket, key, ...versionIdIn(input.VersionId) })
    const { output } = await readVersion(call, head)
    return output
  },
}
