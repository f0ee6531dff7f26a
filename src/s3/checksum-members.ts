import type { Checksum } from '../../engine/index.ts'

/** Checksum algorithms and the schema member that carries each one's value. */
const memberOf = {
  CRC32: 'ChecksumCRC32',
  CRC32C: 'ChecksumCRC32C',
  CRC64NVME: 'ChecksumCRC64NVME',
  SHA1: 'ChecksumSHA1',
  SHA256: 'ChecksumSHA256',
  SHA512: 'ChecksumSHA512',
  MD5: 'ChecksumMD5',
  XXHASH64: 'ChecksumXXHASH64',
  XXHASH3: 'ChecksumXXHASH3',
  XXHASH128: 'ChecksumXXHASH128',
} as const

export type ChecksumMember = (typeof memberOf)[keyof typeof memberOf]

export const checksumMembers: readonly ChecksumMember[] = Object.values(memberOf)

type ChecksumOutput = Partial<Record<ChecksumMember, string>> & { ChecksumType?: 'COMPOSITE' | 'FULL_OBJECT' }

/** The checksums a version or part keeps, as output members. */
export function checksumOutput(checksums: readonly Checksum[]): ChecksumOutput {
  const output: ChecksumOutput = {}
  for (const { algorithm, type, value } of checksums) {
    if (!Object.hasOwn(memberOf, algorithm)) continue
    output[memberOf[algorithm as keyof typeof memberOf]] = value
    output.ChecksumType = type
  }
  return output
}

/** As `checksumOutput`, without the type: parts have none. */
export function partChecksumOutput(checksums: readonly Checksum[]): Omit<ChecksumOutput, 'ChecksumType'> {
  const { ChecksumType: _, ...values } = checksumOutput(checksums)
  return values
}

/** The checksums that a request body names, such as the parts of CompleteMultipartUpload. */
export function checksumsIn(members: Partial<Record<ChecksumMember, string | undefined>>): { algorithm: string; value: string }[] {
  const found: { algorithm: string; value: string }[] = []
  for (const [algorithm, member] of Object.entries(memberOf)) {
    const value = members[member]
    if (value !== undefined) found.push({ algorithm, value })
  }
  return found
}
