import { describe, expect, it } from 'vitest'
import type { OutboxEvent } from '../engine.ts'
import { eventFormat } from '../outbox/append-event.ts'
import { outboxStateFormat } from '../outbox/outbox.ts'
import { bucketUsageFormat, ownerUsageFormat, usageStateFormat } from '../usage/usage-records.ts'
import { bucketFormat } from './bucket-record.ts'
import { layoutFormat, partFormat, type PartRecord } from './part-record.ts'
import type { RecordFormat } from './record-format.ts'
import { movedFormat } from './moved-record.ts'
import { setFormat } from './set-record.ts'
import { completedFormat, uploadFormat } from './upload-record.ts'
import { headFormat, type MarkerRecord, type ObjectRecord, versionFormat } from './version-record.ts'

const object: ObjectRecord = {
  kind: 'object',
  versionId: '206a0f8e9ab3ff0102030405060708ab',
  order: 1_767_225_600_000_001,
  lastModifiedMs: 1_767_225_600_000,
  ownerId: 'ab',
  sizeBytes: 70_000,
  etag: '9b2cf535f27731c974343645a3985328',
  checksums: [{ algorithm: 'CRC32', type: 'FULL_OBJECT', value: 'AAAAAA==' }],
  attributes: { headers: { 'content-type': 'text/plain' }, userMetadata: { colour: 'grün' }, storageClass: 'STANDARD' },
  tags: { team: 'data' },
  partsCount: undefined,
  content: { kind: 'blob', contentId: '0a', blob: { blobId: '01ARZ3NDEKTSV4RRFFQ69G5FAV', sizeBytes: 70_000, layout: { kind: 'blocks', blockBytes: 262_144 } } },
}
const storedObject =
  '["o","206a0f8e9ab3ff0102030405060708ab",1767225600000001,1767225600000,"ab",70000,"9b2cf535f27731c974343645a3985328",' +
  '[["CRC32","FULL_OBJECT","AAAAAA=="]],{"content-type":"text/plain"},{"colour":"grün"},"STANDARD",{"team":"data"},null,' +
  '["b","0a",{"blobId":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sizeBytes":70000,"layout":{"kind":"blocks","blockBytes":262144}}]]'
const multipart: ObjectRecord = { ...object, versionId: 'null', partsCount: 2, content: { kind: 'segments', contentId: '0b', layoutId: '0c' } }
const storedMultipart = storedObject
  .replace('206a0f8e9ab3ff0102030405060708ab', 'null')
  .replace(/,null,\["b".*/, ',2,["s","0b","0c"]]')
const marker: MarkerRecord = { kind: 'deleteMarker', versionId: 'null', order: 5, lastModifiedMs: 4, ownerId: 'ab' }
const storedMarker = '["m","null",5,4,"ab"]'
const part: PartRecord = { partNumber: 7, sizeBytes: 5, etag: 'e', checksums: object.checksums, lastModifiedMs: 9, content: { kind: 'inline', contentId: '0d' } }
const storedPart = '[7,5,"e",[["CRC32","FULL_OBJECT","AAAAAA=="]],9,["i","0d"]]'
const event: OutboxEvent = { type: 'ObjectCreated:Put', atMs: 5, subject: 'bucket/key', detail: { sizeBytes: 1 } }

interface Golden {
  readonly name: string
  /** The row read and written again, and what both should be. */
  readonly read: () => readonly [decoded: unknown, encoded: string]
  readonly expected: readonly [record: unknown, stored: string]
}

/** A row as a version of the format (the first, unless said) wrote it, byte for byte: it must be readable for ever. */
function golden<T>(name: string, format: RecordFormat<T>, record: T, stored: string, version = 1): Golden {
  const row = `${String.fromCharCode(version)}${stored}`
  return { name, read: () => [format.decode(Buffer.from(row)), format.encode(record).toString()], expected: [record, row] }
}

const rows: readonly Golden[] = [
  golden(
    'moved',
    movedFormat,
    { blobId: '01ARZ3NDEKTSV4RRFFQ69G5FAV', sizeBytes: 7, layout: { kind: 'stripes', set: 1, dataShards: 2, parityShards: 2, blockBytes: 131_072 } },
    '[{"blobId":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sizeBytes":7,"layout":{"kind":"stripes","set":1,"dataShards":2,"parityShards":2,"blockBytes":131072}}]',
  ),
  golden('set', setFormat, { state: 'draining', sinceMs: 5 }, '["draining",5]'),
  golden(
    'bucket',
    bucketFormat,
    { bucketId: '0011223344556677', ownerId: 'ab', region: 'us-east-1', createdAtMs: 5, versioning: 'Enabled', documentsRevision: 3 },
    '["0011223344556677","ab","us-east-1",5,"Enabled",3]',
    2,
  ),
  golden('version: object', versionFormat, object, storedObject),
  golden('version: multipart object', versionFormat, multipart, storedMultipart),
  golden('version: delete marker', versionFormat, marker, storedMarker),
  golden('head', headFormat, { version: object, nullOrder: 3, hasHistory: true, pins: 2 }, `[${storedObject},3,1,2]`, 2),
  golden('head of a marker', headFormat, { version: marker, nullOrder: undefined, hasHistory: false, pins: 0 }, `[${storedMarker},null,0,0]`, 2),
  golden('part', partFormat, part, storedPart),
  golden('part without bytes', partFormat, { ...part, sizeBytes: 0, content: { kind: 'empty' } }, '[7,0,"e",[["CRC32","FULL_OBJECT","AAAAAA=="]],9,["e"]]'),
  golden('layout', layoutFormat, [part, part], `[${storedPart},${storedPart}]`),
  golden(
    'layout with a slice of another',
    layoutFormat,
    [{ ...part, content: { kind: 'slice', contentId: '0d', layoutId: '0e', offset: 5 } }],
    `[${storedPart.replace('["i","0d"]', '["l","0d","0e",5]')}]`,
  ),
  golden(
    'upload',
    uploadFormat,
    { initiatedMs: 5, ownerId: 'ab', attributes: object.attributes, tags: {}, checksum: { algorithm: 'CRC32', type: 'COMPOSITE' } },
    '[5,"ab",{"content-type":"text/plain"},{"colour":"grün"},"STANDARD",{},{"algorithm":"CRC32","type":"COMPOSITE"}]',
  ),
  golden(
    'completed upload',
    completedFormat,
    { bucketId: '0011223344556677', key: 'a/b', fingerprint: 'ff', versioning: 'Suspended', version: multipart },
    `["0011223344556677","a/b","ff","Suspended",${storedMultipart}]`,
  ),
  golden('outbox event', eventFormat, event, '["ObjectCreated:Put",5,"bucket/key",{"sizeBytes":1}]', 2),
  golden(
    'outbox event that changes what is stored',
    eventFormat,
    { ...event, usage: [{ bucketId: '0011223344556677', bytes: -5, objects: 1 }] },
    '["ObjectCreated:Put",5,"bucket/key",{"sizeBytes":1},["0011223344556677",-5,1]]',
    2,
  ),
  golden('bucket usage', bucketUsageFormat, { ownerId: 'ab', bytes: 5, objects: 1, isRemoved: false }, '["ab",5,1,0]'),
  golden('owner usage', ownerUsageFormat, { buckets: 2, bytes: 5, objects: 1 }, '[2,5,1]'),
  golden('usage state', usageStateFormat, { countedThrough: '0a', isExact: true }, '["0a",1]'),
  golden('outbox state', outboxStateFormat, { trimmedThrough: undefined, countedThrough: '0a', counted: 3 }, '[null,"0a",3]'),
]

describe('rows on disk', () => {
  it('are read as version 1 of an event, which said nothing of what is stored', () => {
    const row = Buffer.from('\u0001["ObjectCreated:Put",5,"bucket/key",{"sizeBytes":1}]')
    expect(eventFormat.decode(row)).toEqual(event)
  })

  it('are read as version 1 of a bucket, which may have documents', () => {
    const row = Buffer.from('\u0001["0011223344556677","ab","us-east-1",5,"Enabled"]')
    expect(bucketFormat.decode(row)).toMatchObject({ versioning: 'Enabled', documentsRevision: 1 })
  })

  it('are read as version 1 of a head, which knew no pins', () => {
    const row = Buffer.from(`\u0001[${storedObject},3,1]`)
    expect(headFormat.decode(row)).toEqual({ version: object, nullOrder: 3, hasHistory: true, pins: 0 })
  })

  it.each(rows)('are read and written as they are kept today: $name', ({ read, expected }) => {
    expect(read()).toEqual(expected)
  })

  it('of an unknown format, or cut short, are corrupt', () => {
    for (const row of ['', '\u0003[]', '\u0001[["o"', '\u0001']) {
      expect(() => headFormat.decode(Buffer.from(row))).toThrow(expect.objectContaining({ code: 'Corrupt' }))
    }
  })
})
