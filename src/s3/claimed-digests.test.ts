import { expect, test } from 'vitest'
import { claimedDigests } from './claimed-digests.ts'

test('one checksum is read from its header, or announced by its trailer', () => {
  expect(claimedDigests({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32' })).toEqual({
    contentMd5: undefined,
    checksum: { algorithm: 'CRC32', value: 'AAAAAA==' },
  })
  expect(claimedDigests({ 'x-amz-trailer': 'x-amz-checksum-sha256' }).checksum).toEqual({ algorithm: 'SHA256', value: undefined })
  expect(claimedDigests({ 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }).contentMd5).toBe('1B2M2Y8AsgTpgAmY7PhCfg==')
  expect(claimedDigests({ 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT' }).checksum).toBeUndefined()
})

test.each([
  [{ 'content-md5': 'nonsense' }, 'InvalidDigest'],
  [{ 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
  [{ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' }, 'InvalidRequest'],
  [{ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-trailer': 'x-amz-checksum-crc32c' }, 'InvalidRequest'],
  [{ 'x-amz-checksum-blake3': 'AAAAAA==' }, 'InvalidRequest'],
  [{ 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
  [{ 'x-amz-sdk-checksum-algorithm': 'SHA1', 'x-amz-checksum-crc32': 'AAAAAA==' }, 'InvalidRequest'],
])('%j is refused as %s', (headers, code) => {
  expect(() => claimedDigests(headers)).toThrow(expect.objectContaining({ code }))
})
