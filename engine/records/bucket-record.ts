import type { Bucket, Versioning } from '../engine.ts'
import { recordFormat } from './record-format.ts'

/** A bucket, without its name: that is the row's key. */
export type BucketRecord = Omit<Bucket, 'name'>

type Stored1 = readonly [bucketId: string, ownerId: string, region: string, createdAtMs: number, versioning: Versioning]
type Stored2 = readonly [...Stored1, documentsRevision: number]

export const bucketFormat = recordFormat<BucketRecord>({
  name: 'bucket',
  version: 2,
  remembered: 1000,
  encode: (record): Stored2 => [record.bucketId, record.ownerId, record.region, record.createdAtMs, record.versioning, record.documentsRevision],
  decode: {
    // Nothing said then whether there are documents.
    1: ([bucketId, ownerId, region, createdAtMs, versioning]: Stored1) => ({ bucketId, ownerId, region, createdAtMs, versioning, documentsRevision: 1 }),
    2: ([bucketId, ownerId, region, createdAtMs, versioning, documentsRevision]: Stored2) => ({
      bucketId, ownerId, region, createdAtMs, versioning, documentsRevision,
    }),
  },
})
