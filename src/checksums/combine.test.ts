import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChecksumError } from './checksum-error.ts'
import { createChecksum, type ChecksumAlgorithm } from './checksum.ts'
import { combineCrc, compositeChecksum, multipartEtag } from './combine.ts'

const checksumOf = (algorithm: ChecksumAlgorithm, bytes: Uint8Array): string => {
  const checksum = createChecksum(algorithm)
  checksum.update(bytes)
  return checksum.digest()
}

describe('CRCs of parts', () => {
  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('%s: combined is that of the concatenation', (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 6 }), (parts) => {
        let whole = checksumOf(algorithm, parts[0] ?? new Uint8Array())
        for (const part of parts.slice(1)) whole = combineCrc(algorithm, whole, checksumOf(algorithm, part), part.length)
        expect(whole).toBe(checksumOf(algorithm, Buffer.concat(parts)))
      }),
    )
  })

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('%s: lengths over 32 bits', (algorithm) => {
    // Zeros by doubling: crc(0^2n) = combine(crc(0^n), crc(0^n), n). Both ways to 5·2^31 must agree.
    let crc = checksumOf(algorithm, new Uint8Array(5))
    let length = 5
    for (let doubling = 0; doubling < 31; doubling++) {
      crc = combineCrc(algorithm, crc, crc, length)
      length *= 2
    }
    const two = combineCrc(algorithm, crc, checksumOf(algorithm, new Uint8Array(3)), 3)
    const other = combineCrc(algorithm, checksumOf(algorithm, new Uint8Array(3)), crc, length)
    expect(length).toBe(5 * 2 ** 31)
    expect(two).toBe(other)
  })

  it('hashes cannot be combined, nor values of another length', () => {
    expect(() => combineCrc('SHA256', 'AAAA', 'AAAA', 1)).toThrow(ChecksumError)
    expect(() => combineCrc('CRC32', 'AAAA', 'AAAAAA==', 1)).toThrow(ChecksumError)
  })
})

it('COMPOSITE: the checksum of the digests with their number', () => {
  const parts = [Buffer.from('one'), Buffer.from('two')]
  const digests = parts.map((part) => createHash('sha256').update(part).digest())
  const expected = createHash('sha256').update(Buffer.concat(digests)).digest('base64')
  expect(compositeChecksum('SHA256', parts.map((part) => checksumOf('SHA256', part)))).toBe(`${expected}-2`)
  expect(() => compositeChecksum('CRC16', [])).toThrow(ChecksumError)
})

it('ETags of multipart objects: the MD5 of the MD5s with their number', () => {
  const etags = ['one', 'two', 'three'].map((text) => createHash('md5').update(text).digest('hex'))
  const expected = createHash('md5').update(Buffer.from(etags.join(''), 'hex')).digest('hex')
  expect(multipartEtag(etags)).toBe(`${expected}-3`)
  expect(() => multipartEtag(['not an etag'])).toThrow(ChecksumError)
})
