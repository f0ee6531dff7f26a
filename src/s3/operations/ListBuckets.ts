import type { ListBucketsOutput, ListBucketsRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { afterToken, tokenAfter } from '../listing.ts'
import type { Bucket } from '../../../engine/index.ts'
import type { Call, Operation } from '../operation.ts'

const bucketPageLimit = 10_000

/**
 * ListBuckets: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 *
 * A caller sees its own account's buckets; root sees all.
 */
export const ListBuckets: Operation<ListBucketsRequest, ListBucketsOutput> = {
  honours: ['MaxBuckets', 'ContinuationToken', 'Prefix', 'BucketRegion'],
  scope: 'service',
  async run(call) {
    const { input, caller, service } = call
    const limit = input.MaxBuckets ?? bucketPageLimit
    if (limit < 1 || limit > bucketPageLimit) throw new S3Error('InvalidArgument', undefined, { ArgumentName: 'max-buckets', ArgumentValue: String(limit) })
    const { buckets, truncated } = await visiblePage(call, limit)
    const last = buckets.at(-1)
    return {
      Buckets: buckets.map(({ name, createdAtMs, region }) => ({ Name: name, CreationDate: new Date(createdAtMs), BucketRegion: region })),
      Owner: service.ownerOf(caller.account.id),
      ...(truncated && last !== undefined ? { ContinuationToken: tokenAfter(last.name) } : {}),
      ...(input.Prefix === undefined ? {} : { Prefix: input.Prefix }),
    }
  },
}

async function visiblePage({ input, caller, service }: Call<ListBucketsRequest>, limit: number): Promise<{ buckets: Bucket[]; truncated: boolean }> {
  const buckets: Bucket[] = []
  let after = input.ContinuationToken === undefined ? undefined : afterToken(input.ContinuationToken)
  for (;;) {
    const page = await service.engine.listBuckets({ limit: 1000, ...(after === undefined ? {} : { after }), ...(input.Prefix ? { prefix: input.Prefix } : {}) })
    for (const bucket of page) {
      const visible = caller.principal.kind === 'serverRoot' || bucket.ownerId === caller.account.id
      if (!visible || (input.BucketRegion !== undefined && bucket.region !== input.BucketRegion)) continue
      if (buckets.length === limit) return { buckets, truncated: true }
      buckets.push(bucket)
    }
    if (page.length < 1000) return { buckets, truncated: false }
    after = page.at(-1)?.name
  }
}
