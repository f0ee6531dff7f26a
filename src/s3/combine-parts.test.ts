import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyDigests } from '../checksums/body-digests.ts'
import { joined } from './append.ts'
import { combineParts } from './combine-parts.ts'
import type { ChecksumAlgorithm } from '../checksums/checksum.ts'
import type { Digest, ObjectVersion, Part, Upload } from '../../engine/index.ts'

function digestOf(bytes: Uint8Array, algorithm: ChecksumAlgorithm): Digest {
  const digests = new BodyDigests(['MD5', algorithm])
  digests.update(bytes)
  return { etag: digests.etag(), checksums: [{ algorithm, type: 'FULL_OBJECT', value: digests.base64(algorithm) }] }
}

const partOf = (bytes: Uint8Array, partNumber: number, algorithm: ChecksumAlgorithm): Part => ({ partNumber, sizeBytes: bytes.length, lastModifiedMs: 0, ...digestOf(bytes, algorithm) })
const unclaimed = { type: undefined, checksums: [] }
const crcs = fc.constantFrom<ChecksumAlgorithm>('CRC32', 'CRC32C', 'CRC64NVME')
const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { minLength: 1, maxLength: 6 })

describe('a multipart object', () => {
  test('has the CRC of its joined bytes, whatever its parts', () => {
    fc.assert(fc.property(bodies, crcs, (parts, algorithm) => {
      const { checksums } = combineParts(parts.map((bytes, index) => partOf(bytes, index + 1, algorithm)), { algorithm, type: 'FULL_OBJECT' }, unclaimed)
      expect(checksums).toEqual(digestOf(Buffer.concat(parts), algorithm).checksums)
    }))
  })

  test('has the digest of its parts’ digests where the checksum is composite, and as ETag', () => {
    fc.assert(fc.property(bodies, fc.constantFrom<ChecksumAlgorithm>('SHA256', 'SHA1', 'CRC32'), (parts, algorithm) => {
      const { etag, checksums } = combineParts(parts.map((bytes, index) => partOf(bytes, index + 1, algorithm)), { algorithm, type: 'COMPOSITE' }, unclaimed)
      const whole = new BodyDigests([algorithm])
      for (const bytes of parts) whole.update(Buffer.from(digestOf(bytes, algorithm).checksums[0]?.value ?? '', 'base64'))
      expect(checksums).toEqual([{ algorithm, type: 'COMPOSITE', value: `${whole.base64(algorithm)}-${parts.length}` }])
      const md5s = Buffer.concat(parts.map(bytes => createHash('md5').update(bytes).digest()))
      expect(etag).toBe(`${createHash('md5').update(md5s).digest('hex')}-${parts.length}`)
    }))
  })

  const part = partOf(Buffer.from('content'), 1, 'CRC32')
  const value = part.checksums[0]?.value ?? ''
  const upload: Upload['checksum'] = { algorithm: 'CRC32', type: 'FULL_OBJECT' }

  test('is refused when the client says otherwise', () => {
    expect(combineParts([part], upload, { type: 'FULL_OBJECT', checksums: [{ algorithm: 'CRC32', value }] }).checksums[0]?.value).toBe(value)
    expect(() => combineParts([part], upload, { type: undefined, checksums: [{ algorithm: 'CRC32', value: 'AAAAAA==' }] })).toThrow(expect.objectContaining({ code: 'BadDigest' }))
    expect(() => combineParts([part], upload, { type: undefined, checksums: [{ algorithm: 'SHA1', value }] })).toThrow(expect.objectContaining({ code: 'BadDigest' }))
    expect(() => combineParts([part], upload, { type: 'COMPOSITE', checksums: [] })).toThrow(expect.objectContaining({ code: 'InvalidRequest' }))
  })

  test('of parts without checksums has none', () => {
    expect(combineParts([{ ...part, checksums: [] }], upload, unclaimed).checksums).toEqual([])
  })
})

describe('an object that is appended to', () => {
  const version = (digest: Digest, sizeBytes: number): ObjectVersion =>
    ({ kind: 'object', key: 'k', versionId: 'null', lastModifiedMs: 0, ownerId: '', attributes: { headers: {}, userMetadata: {}, storageClass: 'STANDARD' }, tags: {}, partsCount: undefined, sizeBytes, ...digest })

  test('has the CRC of all its bytes, however they came', () => {
    fc.assert(fc.property(bodies, crcs, (pieces, algorithm) => {
      let digest: Digest | undefined
      let bytes = Buffer.alloc(0)
      for (const piece of pieces) {
        digest = joined(digest === undefined ? undefined : version(digest, bytes.length), digestOf(piece, algorithm), piece.length)
        bytes = Buffer.concat([bytes, piece])
      }
      expect(digest?.checksums).toEqual(digestOf(bytes, algorithm).checksums)
      expect(digest?.etag).toMatch(pieces.length === 1 ? /^[0-9a-f]{32}$/ : new RegExp(`^[0-9a-f]{32}-${pieces.length}$`))
    }))
  })

  test('has another ETag after each append, an append of nothing included', () => {
    const first = digestOf(Buffer.from('a'), 'CRC32')
    const second = joined(version(first, 1), digestOf(Buffer.alloc(0), 'CRC32'), 0)
    expect(second.checksums).toEqual(first.checksums)
    expect(second.etag).not.toBe(first.etag)
  })

  test('keeps no checksum that cannot be combined', () => {
    const hashed = digestOf(Buffer.from('a'), 'SHA256')
    expect(joined(version(hashed, 1), digestOf(Buffer.from('b'), 'SHA256'), 1).checksums).toEqual([])
    expect(joined(version(hashed, 1), digestOf(Buffer.from('b'), 'CRC32'), 1).checksums).toEqual([])
  })
})
