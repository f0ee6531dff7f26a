import { createHash } from 'node:crypto'
import { crc32, crc32c } from '@node-rs/crc32'
import { xxh3, xxh64 } from '@node-rs/xxhash'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChecksumError } from './checksum-error.ts'
import { checksumAlgorithms, createChecksum, toChecksumAlgorithm, type ChecksumAlgorithm } from './checksum.ts'
import { updateCrc64 } from './crc64nvme.ts'
import { updateCrc64 as updateCrc64ByTable } from './crc64nvme-table.ts'
import { compileKernel } from './build-kernels.ts'
import { crc64nvmeWasmBase64 } from './crc64nvme-wasm.ts'
import { xxh128WasmBase64 } from './xxh128-wasm.ts'

const bigEndian = (value: bigint, bytes: number): string => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex').toString('base64')

const inOnePiece: Readonly<Record<ChecksumAlgorithm, (bytes: Uint8Array) => string>> = {
  CRC32: (bytes) => bigEndian(BigInt(crc32(bytes)), 4),
  CRC32C: (bytes) => bigEndian(BigInt(crc32c(bytes)), 4),
  CRC64NVME: (bytes) => bigEndian(updateCrc64ByTable(0n, bytes), 8),
  SHA1: (bytes) => createHash('sha1').update(bytes).digest('base64'),
  SHA256: (bytes) => createHash('sha256').update(bytes).digest('base64'),
  SHA512: (bytes) => createHash('sha512').update(bytes).digest('base64'),
  MD5: (bytes) => createHash('md5').update(bytes).digest('base64'),
  XXHASH64: (bytes) => bigEndian(xxh64(bytes), 8),
  XXHASH3: (bytes) => bigEndian(xxh3.xxh64(bytes), 8),
  XXHASH128: (bytes) => bigEndian(xxh3.xxh128(bytes), 16),
}

describe('running checksums', () => {
  it.each(checksumAlgorithms)('%s: any split gives the value of the whole', (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (pieces) => {
        const checksum = createChecksum(algorithm)
        for (const piece of pieces) checksum.update(piece)
        expect(checksum.digest()).toBe(inOnePiece[algorithm](Buffer.concat(pieces)))
      }),
    )
  })

  it.each<[ChecksumAlgorithm, string]>([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
    ['XXHASH64', '8cb841db40e6ae83'],
  ])('%s of 123456789 is the published check value', (algorithm, hex) => {
    const checksum = createChecksum(algorithm)
    checksum.update(Buffer.from('123456789'))
    expect(Buffer.from(checksum.digest(), 'base64').toString('hex')).toBe(hex)
  })

  it('names in any case; unknown ones are refused', () => {
    expect(toChecksumAlgorithm('crc64nvme')).toBe('CRC64NVME')
    for (const name of ['XXHASH32', 'CRC16', '__proto__', '']) expect(() => toChecksumAlgorithm(name)).toThrow(ChecksumError)
  })
})

describe('the CRC-64/NVME kernel', () => {
  it('equals the table, for every length around its steps and over its buffer', () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7919) >> 3))
    for (let length = 0; length < 200; length++) {
      const piece = bytes.subarray(length, 2 * length)
      expect(updateCrc64(BigInt(length), piece)).toBe(updateCrc64ByTable(BigInt(length), piece))
    }
    for (const length of [65_535, 65_536, 65_537, 69_999]) {
      expect(updateCrc64(1n, bytes.subarray(0, length))).toBe(updateCrc64ByTable(1n, bytes.subarray(0, length)))
    }
  })
})

describe('the XXH3 kernel', () => {
  it('equals the native library, for every length where its paths meet', () => {
    const bytes = Buffer.from(Array.from({ length: 140_000 }, (_, index) => (index * 7919) >> 3))
    const lengths = [...Array(600).keys(), 1023, 1024, 1025, 1088, 2047, 2048, 2049, 65_535, 65_536, 65_537, 131_072, 139_999]
    for (const length of lengths) {
      const checksum = createChecksum('XXHASH128')
      for (let from = 0; from < length; from += 777) checksum.update(bytes.subarray(from, Math.min(length, from + 777)))
      expect(checksum.digest(), String(length)).toBe(inOnePiece.XXHASH128(bytes.subarray(0, length)))
      const whole = createChecksum('XXHASH128')
      whole.update(bytes.subarray(0, length))
      expect(whole.digest(), String(length)).toBe(inOnePiece.XXHASH128(bytes.subarray(0, length)))
    }
  })

  it('keeps streams apart', () => {
    const bytes = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) >> 3))
    const [one, two] = [createChecksum('XXHASH128'), createChecksum('XXHASH128')]
    for (let from = 0; from < 3000; from += 100) {
      one.update(bytes.subarray(from, from + 100))
      two.update(bytes.subarray(2900 - from, 3000 - from))
    }
    expect(one.digest()).toBe(inOnePiece.XXHASH128(bytes))
    expect(two.digest()).not.toBe(inOnePiece.XXHASH128(bytes))
  })
})

it.each([
  ['crc64nvme', crc64nvmeWasmBase64],
  ['xxh128', xxh128WasmBase64],
] as const)('%s.wasm is what its source compiles to', async (kernel, checkedIn) => {
  expect(Buffer.from(await compileKernel(kernel)).toString('base64')).toBe(checkedIn)
})
