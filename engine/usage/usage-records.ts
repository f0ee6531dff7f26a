import { recordFormat } from '../records/record-format.ts'

export interface Usage {
  readonly bytes: number
  readonly objects: number
}

export interface OwnerUsage extends Usage {
  readonly buckets: number
}

export interface BucketUsageRecord extends Usage {
  readonly ownerId: string
  /** The bucket is gone; what an upload left in it is still being collected. */
  readonly isRemoved: boolean
}

export interface UsageState {
  /** The last event that was counted. */
  readonly countedThrough: string | undefined
  /** False: events were dropped before they were counted. */
  readonly isExact: boolean
}

type StoredBucket1 = readonly [ownerId: string, bytes: number, objects: number, isRemoved: 0 | 1]
type StoredOwner1 = readonly [buckets: number, bytes: number, objects: number]
type StoredState1 = readonly [countedThrough: string | null, isExact: 0 | 1]

export const bucketUsageFormat = recordFormat<BucketUsageRecord>({
  name: 'bucket usage',
  version: 1,
  encode: ({ ownerId, bytes, objects, isRemoved }): StoredBucket1 => [ownerId, bytes, objects, isRemoved ? 1 : 0],
  decode: { 1: ([ownerId, bytes, objects, isRemoved]: StoredBucket1) => ({ ownerId, bytes, objects, isRemoved: isRemoved === 1 }) },
})

export const ownerUsageFormat = recordFormat<OwnerUsage>({
  name: 'owner usage',
  version: 1,
  encode: ({ buckets, bytes, objects }): StoredOwner1 => [buckets, bytes, objects],
  decode: { 1: ([buckets, bytes, objects]: StoredOwner1) => ({ buckets, bytes, objects }) },
})

export const usageStateFormat = recordFormat<UsageState>({
  name: 'usage state',
  version: 1,
  encode: ({ countedThrough, isExact }): StoredState1 => [countedThrough ?? null, isExact ? 1 : 0],
  decode: { 1: ([countedThrough, isExact]: StoredState1) => ({ countedThrough: countedThrough ?? undefined, isExact: isExact === 1 }) },
})
