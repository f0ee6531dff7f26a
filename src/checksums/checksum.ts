import { createHash } from 'node:crypto'
import { crc32, crc32c } from '@node-rs/crc32'
import { Xxh64, xxh3 } from '@node-rs/xxhash'
import { ChecksumError } from './checksum-error.ts'
import { Crc64Nvme } from './crc64nvme.ts'
import { Md5 } from './md5.ts'
import { Xxh128 } from './xxh128.ts'

/** The checksum algorithms of S3's current schema, by its own names. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256' | 'SHA512' | 'MD5' | 'XXHASH64' | 'XXHASH3' | 'XXHASH128'

/** A running checksum. `digest` ends it; the bytes are big-endian, as S3 encodes them. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

const makers: Readonly<Record<ChecksumAlgorithm, () => RunningChecksum>> = {
  CRC32: () => runningCrc32(crc32),
  CRC32C: () => runningCrc32(crc32c),
  CRC64NVME: () => new Crc64Nvme(),
  SHA1: () => createHash('sha1'),
  SHA256: () => createHash('sha256'),
  SHA512: () => createHash('sha512'),
  MD5: () => new Md5(),
  XXHASH64: () => runningXxhash(new Xxh64()),
  XXHASH3: () => runningXxhash(xxh3.Xxh3.withSeed()),
  XXHASH128: () => new Xxh128(),
}

export const checksumAlgorithms = Object.keys(makers) as readonly ChecksumAlgorithm[]

export const isChecksumAlgorithm = (name: string): name is ChecksumAlgorithm => Object.hasOwn(makers, name)

/** The algorithm of that name, in any case. `ChecksumError` InvalidRequest when there is none. */
export function toChecksumAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = name.toUpperCase()
  if (isChecksumAlgorithm(algorithm)) return algorithm
  throw new ChecksumError(
    'InvalidRequest',
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithms.join(', ')}]`,
  )
}

export function runningChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  return makers[algorithm]()
}

/** As `runningChecksum`, with the digest in Base64, as headers carry it. */
export function createChecksum(algorithm: ChecksumAlgorithm): { update(bytes: Uint8Array): void; digest(): string } {
  const running = runningChecksum(algorithm)
  return {
    update: (bytes) => {
      running.update(bytes)
    },
    digest: () => running.digest().toString('base64'),
  }
}

function runningCrc32(crc: (bytes: Uint8Array, state?: number) => number): RunningChecksum {
  let state = 0
  return {
    update: (bytes) => {
      state = crc(bytes, state)
    },
    digest: () => {
      const digest = Buffer.alloc(4)
      digest.writeUInt32BE(state)
      return digest
    },
  }
}

function runningXxhash(hash: { update(bytes: Uint8Array): unknown; digest(): bigint }): RunningChecksum {
  return {
    update: (bytes) => {
      hash.update(bytes)
    },
    digest: () => {
      const digest = Buffer.alloc(8)
      digest.writeBigUInt64BE(hash.digest())
      return digest
    },
  }
}
