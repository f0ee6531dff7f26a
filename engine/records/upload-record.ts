import type { Attributes, Tags, Upload, Versioning } from '../engine.ts'
import { recordFormat } from './record-format.ts'
import { type ObjectRecord, readVersion, storeVersion, type StoredVersion1 } from './version-record.ts'

/** An upload under way; bucket, key and upload id are in the row's key. */
export type UploadRecord = Omit<Upload, 'bucket' | 'key' | 'uploadId'>

type StoredUpload1 = readonly [
  initiatedMs: number,
  ownerId: string,
  headers: Attributes['headers'],
  userMetadata: Attributes['userMetadata'],
  storageClass: string,
  tags: Tags,
  checksum: Upload['checksum'] | null,
]

export const uploadFormat = recordFormat<UploadRecord>({
  name: 'upload',
  version: 1,
  encode: (upload): StoredUpload1 => {
    const { headers, userMetadata, storageClass } = upload.attributes
    return [upload.initiatedMs, upload.ownerId, headers, userMetadata, storageClass, upload.tags, upload.checksum ?? null]
  },
  decode: {
    1: ([initiatedMs, ownerId, headers, userMetadata, storageClass, tags, checksum]: StoredUpload1) => ({
      initiatedMs,
      ownerId,
      attributes: { headers, userMetadata, storageClass },
      tags,
      checksum: checksum ?? undefined,
    }),
  },
})

/** What is remembered of a completed upload, so that repeating the request gives the same answer. */
export interface CompletedRecord {
  readonly bucketId: string
  readonly key: string
  /** SHA-256, in hex, of the parts that the completion named. */
  readonly fingerprint: string
  readonly versioning: Versioning
  readonly version: ObjectRecord
}

type StoredCompleted1 = readonly [bucketId: string, key: string, fingerprint: string, versioning: Versioning, version: StoredVersion1]

export const completedFormat = recordFormat<CompletedRecord>({
  name: 'completed upload',
  version: 1,
  encode: ({ bucketId, key, fingerprint, versioning, version }): StoredCompleted1 => [
    bucketId,
    key,
    fingerprint,
    versioning,
    storeVersion(version),
  ],
  decode: {
    1: ([bucketId, key, fingerprint, versioning, stored]: StoredCompleted1) => {
      const version = readVersion(stored)
      if (version.kind !== 'object') throw new TypeError('a completed upload made an object')
      return { bucketId, key, fingerprint, versioning, version }
    },
  },
})
