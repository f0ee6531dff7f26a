import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterKey,
  boundRow,
  decodeKey,
  dueRow,
  historyRange,
  keyEnd,
  keyRow,
  maxObjectKeyBytes,
  maxOrder,
  objectKeyOf,
  orderOfVersionId,
  parseDueRow,
  parseReferenceRow,
  prefixRange,
  referenceRow,
  tables,
  uploadIdOf,
  uploadRow,
  versionIdFrom,
  versionRow,
} from './keys.ts'
import { maxKeyBytes } from './metadata/metadata-store.ts'

const bucketId = '00ff00ff00ff00ff'
const tail = new Uint8Array(9).fill(0xab)
const objectKey = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('//', '.', '..', 'a/', '\0', '\u{10ffff}'))
  .map((text) => Buffer.from(text).toString())

describe('the key space', () => {
  it('keeps UTF-8 order and gives every key back', () => {
    fc.assert(
      fc.property(objectKey, objectKey, (a, b) => {
        const rows = [a, b].map((key) => keyRow(tables.object, bucketId, key))
        expect(objectKeyOf(rows[0] as Buffer)).toBe(a)
        expect(Math.sign(Buffer.compare(rows[0] as Buffer, rows[1] as Buffer))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
      }),
    )
  })

  it('keeps everything of one key together, newest version first', () => {
    fc.assert(
      // The highest order stands for the beginning of the range; no version has it.
      fc.property(objectKey, objectKey, fc.nat(maxOrder - 1), fc.nat(maxOrder - 1), (a, b, older, newer) => {
        fc.pre(older < newer)
        const inOrder = [versionRow(bucketId, a, newer), versionRow(bucketId, a, older)]
        expect(Buffer.compare(inOrder[0] as Buffer, inOrder[1] as Buffer)).toBe(-1)
        const { start, end } = historyRange(bucketId, a)
        const other = versionRow(bucketId, b, newer)
        const isInside = Buffer.compare(other, start) >= 0 && Buffer.compare(other, end) < 0
        expect(isInside).toBe(a === b)
        expect(decodeKey(other, keyEnd(other))).toBe(b)
        const resumed = historyRange(bucketId, a, newer)
        expect(Buffer.compare(resumed.start, inOrder[0] as Buffer)).toBe(1)
        expect(Buffer.compare(resumed.start, inOrder[1] as Buffer)).toBeLessThanOrEqual(0)
      }),
    )
  })

  it('has ranges that hold exactly the keys with a prefix, and bounds after a key', () => {
    fc.assert(
      fc.property(objectKey, objectKey, (prefix, key) => {
        const { start, end } = prefixRange(tables.object, bucketId, prefix)
        const row = keyRow(tables.object, bucketId, key)
        const isInside = Buffer.compare(row, start) >= 0 && Buffer.compare(row, end) < 0
        expect(isInside).toBe(Buffer.from(key).subarray(0, Buffer.byteLength(prefix)).equals(Buffer.from(prefix)))
        const isAfter = Buffer.compare(row, afterKey(boundRow(tables.object, bucketId, prefix))) >= 0
        expect(isAfter).toBe(Buffer.compare(Buffer.from(key), Buffer.from(prefix)) > 0)
      }),
    )
  })

  it('stays under the store\'s limit for the longest key', () => {
    const longest = '\u{10ffff}'.repeat(maxObjectKeyBytes / 4)
    expect(uploadRow(bucketId, longest, '0'.repeat(32)).length).toBeLessThan(maxKeyBytes)
    expect(boundRow(tables.object, bucketId, longest.repeat(9)).length).toBeLessThan(maxKeyBytes)
  })

  it('finds the order stamp in a version id and in nothing else', () => {
    fc.assert(
      fc.property(fc.nat(maxOrder), fc.nat(maxOrder), (a, b) => {
        const ids = [versionIdFrom(a, tail), versionIdFrom(b, tail)]
        expect(ids.map(orderOfVersionId)).toEqual([a, b])
        expect((ids[0] as string) < (ids[1] as string)).toBe(a > b)
      }),
    )
    for (const other of ['null', '', 'f'.repeat(32), 'A'.repeat(32), '0'.repeat(31)]) expect(orderOfVersionId(other)).toBeUndefined()
  })

  it('reads back what it writes into keys', () => {
    const contentId = '0123456789abcdef'.repeat(2)
    const layout = { kind: 'layout', layoutId: 'fedcba9876543210'.repeat(2) } as const
    const blob = { kind: 'blob', blobId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' } as const
    for (const held of [layout, blob]) {
      expect(parseReferenceRow(referenceRow(held, contentId))).toEqual({ held, contentId })
      const work = { kind: 'release', held, contentId } as const
      expect(parseDueRow(dueRow(1_700_000_000_000, work))).toEqual(work)
    }
    expect(parseDueRow(dueRow(5, { kind: 'upload', uploadId: contentId }))).toEqual({ kind: 'upload', uploadId: contentId })
    expect(uploadIdOf(uploadRow(bucketId, 'key', contentId))).toBe(contentId)
  })
})
