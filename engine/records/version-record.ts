import type { Attributes, Checksum, DeleteMarker, ObjectVersion, Tags, Version } from '../engine.ts'
import { type Content, readContent, storeContent, type StoredContent } from './content.ts'
import { recordFormat } from './record-format.ts'

/** One version of a key as it is kept; the key itself is in the row's key. */
export type VersionRecord = ObjectRecord | MarkerRecord

interface VersionPlace {
  /** Microseconds; greater than that of every version of the key that existed when it was made. */
  readonly order: number
}

export interface ObjectRecord extends VersionPlace, Omit<ObjectVersion, 'key'> {
  readonly content: Content
}

export interface MarkerRecord extends VersionPlace, Omit<DeleteMarker, 'key'> {}

/**
 * The row of a key's latest version. Every change of a key's versions writes it, so a checked read
 * of the head row protects the history too.
 */
export interface HeadRecord {
  readonly version: VersionRecord
  /** Where the null version sits in the history; undefined when it is the head, or there is none. */
  readonly nullOrder: number | undefined
  /** Whether there are noncurrent versions. */
  readonly hasHistory: boolean
  /** How many holders the latest version has: while it has one, it can be neither replaced nor deleted. */
  readonly pins: number
}

type StoredChecksum1 = readonly [algorithm: string, type: Checksum['type'], value: string]
type StoredObject1 = readonly [
  kind: 'o',
  versionId: string,
  order: number,
  lastModifiedMs: number,
  ownerId: string,
  sizeBytes: number,
  etag: string,
  checksums: readonly StoredChecksum1[],
  headers: Attributes['headers'],
  userMetadata: Attributes['userMetadata'],
  storageClass: string,
  tags: Tags,
  partsCount: number | null,
  content: StoredContent,
]
type StoredMarker1 = readonly [kind: 'm', versionId: string, order: number, lastModifiedMs: number, ownerId: string]
type StoredVersion1 = StoredObject1 | StoredMarker1
type StoredHead1 = readonly [version: StoredVersion1, nullOrder: number | null, hasHistory: 0 | 1]
type StoredHead2 = readonly [...StoredHead1, pins: number]

export const headFormat = recordFormat<HeadRecord>({
  name: 'head',
  version: 2,
  encode: (head): StoredHead2 => [storeVersion(head.version), head.nullOrder ?? null, head.hasHistory ? 1 : 0, head.pins],
  decode: {
    1: (stored: StoredHead1) => readHead([...stored, 0]),
    2: readHead,
  },
})

function readHead([version, nullOrder, hasHistory, pins]: StoredHead2): HeadRecord {
  return { version: readVersion(version), nullOrder: nullOrder ?? undefined, hasHistory: hasHistory === 1, pins }
}

export const versionFormat = recordFormat<VersionRecord>({
  name: 'version',
  version: 1,
  encode: storeVersion,
  decode: { 1: readVersion },
})

/** What callers of the engine see of a version. */
export function toVersion(key: string, record: VersionRecord): Version {
  return record.kind === 'object' ? toObjectVersion(key, record) : toDeleteMarker(key, record)
}

export function toDeleteMarker(key: string, record: MarkerRecord): DeleteMarker {
  const { versionId, lastModifiedMs, ownerId } = record
  return { kind: 'deleteMarker', key, versionId, lastModifiedMs, ownerId }
}

export function toObjectVersion(key: string, record: ObjectRecord): ObjectVersion {
  return {
    kind: 'object',
    key,
    versionId: record.versionId,
    lastModifiedMs: record.lastModifiedMs,
    ownerId: record.ownerId,
    sizeBytes: record.sizeBytes,
    etag: record.etag,
    checksums: record.checksums,
    attributes: record.attributes,
    tags: record.tags,
    partsCount: record.partsCount,
  }
}

export function storeChecksums(checksums: readonly Checksum[]): StoredChecksum1[] {
  return checksums.map(({ algorithm, type, value }) => [algorithm, type, value])
}

export function readChecksums(stored: readonly StoredChecksum1[]): Checksum[] {
  return stored.map(([algorithm, type, value]) => ({ algorithm, type, value }))
}

export type StoredChecksums = readonly StoredChecksum1[]

export function storeVersion(record: VersionRecord): StoredVersion1 {
  const { versionId, order, lastModifiedMs, ownerId } = record
  if (record.kind === 'deleteMarker') return ['m', versionId, order, lastModifiedMs, ownerId]
  const { headers, userMetadata, storageClass } = record.attributes
  return [
    'o',
    versionId,
    order,
    lastModifiedMs,
    ownerId,
    record.sizeBytes,
    record.etag,
    storeChecksums(record.checksums),
    headers,
    userMetadata,
    storageClass,
    record.tags,
    record.partsCount ?? null,
    storeContent(record.content),
  ]
}

export function readVersion(stored: StoredVersion1): VersionRecord {
  if (stored[0] === 'm') {
    const [, versionId, order, lastModifiedMs, ownerId] = stored
    return { kind: 'deleteMarker', versionId, order, lastModifiedMs, ownerId }
  }
  return {
    kind: 'object',
    versionId: stored[1],
    order: stored[2],
    lastModifiedMs: stored[3],
    ownerId: stored[4],
    sizeBytes: stored[5],
    etag: stored[6],
    checksums: readChecksums(stored[7]),
    attributes: { headers: stored[8], userMetadata: stored[9], storageClass: stored[10] },
    tags: stored[11],
    partsCount: stored[12] ?? undefined,
    content: readContent(stored[13]),
  }
}

export type { StoredVersion1 }
