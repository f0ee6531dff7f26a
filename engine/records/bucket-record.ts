import type { Bucket, Versioning } from '../engine.ts'
import { recordFormat } from './record-format.ts'

/** A bucket, without its name: that is the row's key. */
export type BucketRecord = Omit<Bucket, 'name'>

type Stored1 = readonly [bucketId: string, ownerId: string, region: string, createdAtMs: number, versioning: Versioning]

export const bucketFormat = recordFormat<BucketRecord>({
  name: 'bucket',
  version: 1,
  encode: (record): Stored1 => [record.bucketId, record.ownerId, record.region, record.createdAtMs, record.versioning],
  decode: {
    1: ([bucketId, ownerId, region, createdAtMs, versioning]: Stored1) => ({ bucketId, ownerId, region, createdAtMs, versioning }),
  },
})
