/** Truncated, altered and extended bodies of every payload kind, and wrong checksums: none of them is ever stored. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startVictim } from './server.ts'

const victim = await startVictim()
const { exchange, requestHead, send, signed } = await import('../raw-http/connection.ts')
const { sha256, signedChunks, unsignedChunks } = await import('../raw-http/sign.ts')

const bucket = 'bodies'
const content = randomBytes(200_000)
const trailer = `x-amz-checksum-sha256:${createHash('sha256').update(content).digest('base64')}`
const trailerHeader = { 'x-amz-trailer': 'x-amz-checksum-sha256' }
const chunked = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': String(content.length) }
const pieces = Array.from({ length: 4 }, (_, index) => content.subarray(index * 50_000, (index + 1) * 50_000))

type Signed = ReturnType<typeof signed>

interface Kind {
  readonly payload: string
  readonly headers: Readonly<Record<string, string>>
  readonly frame: (request: Signed) => Buffer
  /** Whether a changed byte of the content can be told at all. */
  readonly detectsAlteration: boolean
}

const kinds: Readonly<Record<string, Kind>> = {
  'signed payload': { payload: sha256(content), headers: {}, frame: () => content, detectsAlteration: true },
  'unsigned payload': { payload: 'UNSIGNED-PAYLOAD', headers: {}, frame: () => content, detectsAlteration: false },
  'unsigned payload with Content-MD5': {
    payload: 'UNSIGNED-PAYLOAD', headers: { 'content-md5': createHash('md5').update(content).digest('base64') }, frame: () => content, detectsAlteration: true,
  },
  'unsigned payload with a checksum': {
    payload: 'UNSIGNED-PAYLOAD', headers: { 'x-amz-checksum-sha256': createHash('sha256').update(content).digest('base64') }, frame: () => content, detectsAlteration: true,
  },
  'signed chunks': { payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', headers: chunked, frame: request => signedChunks(request, pieces), detectsAlteration: true },
  'signed chunks with a trailer': {
    payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', headers: { ...chunked, ...trailerHeader }, frame: request => signedChunks(request, pieces, trailer), detectsAlteration: true,
  },
  'unsigned chunks with a trailer': {
    payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers: { ...chunked, ...trailerHeader }, frame: () => unsignedChunks(pieces, trailer), detectsAlteration: true,
  },
}

function flipped(body: Buffer, at: number): Buffer {
  const altered = Buffer.from(body)
  altered[at] = (altered[at] ?? 0) ^ 0x01
  return altered
}

const status = async (key: string) => (await send('HEAD', signed({ method: 'HEAD', path: `/${bucket}/${key}`, payload: 'UNSIGNED-PAYLOAD' }))).status

beforeAll(async () => {
  await send('PUT', signed({ method: 'PUT', path: `/${bucket}`, payload: 'UNSIGNED-PAYLOAD' }))
})
afterEach(() => victim.expectUnharmed())
afterAll(() => victim.stop())

describe.each(Object.entries(kinds))('%s', (name, kind) => {
  const key = name.replaceAll(' ', '-')
  const put = (more: Record<string, string> = {}) => signed({ method: 'PUT', path: `/${bucket}/${key}`, payload: kind.payload, headers: { ...kind.headers, ...more } })

  test('stored under its own bytes', async () => {
    const request = put()
    expect((await send('PUT', request, kind.frame(request))).status).toBe(200)
    const got = await send('GET', signed({ method: 'GET', path: `/${bucket}/${key}`, payload: 'UNSIGNED-PAYLOAD' }))
    expect(got.headers['etag']).toBe(`"${createHash('md5').update(content).digest('hex')}"`)
    await send('DELETE', signed({ method: 'DELETE', path: `/${bucket}/${key}`, payload: 'UNSIGNED-PAYLOAD' }))
  })

  test('truncated, its length kept or told truly', async () => {
    for (const part of [0, 0.3, 0.99]) {
      const request = put()
      const body = kind.frame(request)
      const cut = body.subarray(0, Math.floor(body.length * part))
      const head = requestHead('PUT', request.target, { ...request.headers, 'content-length': String(body.length), connection: 'close' })
      const answer = await exchange(Buffer.concat([head, cut]), { halfClose: true })
      expect([undefined, 400, 403]).toContain(answer?.status)
      expect(await status(key)).toBe(404)
      // With the length of what is left, an unsigned payload is simply another body.
      if (!kind.detectsAlteration) continue
      expect([400, 403]).toContain((await send('PUT', request, cut)).status)
      expect(await status(key)).toBe(404)
    }
  })

  test('extended', async () => {
    if (!kind.detectsAlteration) return
    const request = put()
    const longer = Buffer.concat([kind.frame(request), Buffer.from('and more')])
    expect([400, 403]).toContain((await send('PUT', request, longer)).status)
    expect(await status(key)).toBe(404)
  })

  test('altered in one bit, anywhere', async () => {
    if (!kind.detectsAlteration) return
    for (const part of [0, 0.26, 0.5, 0.75, 0.9999]) {
      const request = put()
      const body = kind.frame(request)
      const answer = await send('PUT', request, flipped(body, Math.min(body.length - 1, Math.floor(body.length * part))))
      expect([400, 403]).toContain(answer.status)
      expect(await status(key)).toBe(404)
    }
  })
})

describe('checksums', () => {
  const algorithms: readonly (readonly [string, number])[] = [
    ['crc32', 4], ['crc32c', 4], ['crc64nvme', 8], ['sha1', 20], ['sha256', 32], ['sha512', 64], ['md5', 16], ['xxhash64', 8], ['xxhash3', 8],
  ]

  test.each(algorithms)('a wrong %s is refused in a header and in a trailer', async (algorithm, bytes) => {
    const header = `x-amz-checksum-${algorithm}`
    const wrong = Buffer.alloc(bytes, 7).toString('base64')
    const inHeader = signed({ method: 'PUT', path: `/${bucket}/checked`, payload: 'UNSIGNED-PAYLOAD', headers: { [header]: wrong } })
    expect(await send('PUT', inHeader, content)).toMatchObject({ status: 400, code: 'BadDigest' })
    const inTrailer = signed({ method: 'PUT', path: `/${bucket}/checked`, payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers: { ...chunked, 'x-amz-trailer': header } })
    expect(await send('PUT', inTrailer, unsignedChunks(pieces, `${header}:${wrong}`))).toMatchObject({ status: 400, code: 'BadDigest' })
    const short = signed({ method: 'PUT', path: `/${bucket}/checked`, payload: 'UNSIGNED-PAYLOAD', headers: { [header]: 'AAAA' } })
    expect((await send('PUT', short, content)).status).toBe(400)
    expect(await status('checked')).toBe(404)
  })

  test.each([
    ['two checksums', { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' }, 'InvalidRequest'],
    ['an algorithm that nobody knows', { 'x-amz-checksum-crc16': 'AAA=' }, undefined],
    ['an algorithm that is named and not given', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
    ['a Content-MD5 that is none', { 'content-md5': 'nonsense' }, 'InvalidDigest'],
    ['a wrong Content-MD5', { 'content-md5': Buffer.alloc(16).toString('base64') }, 'BadDigest'],
  ] as const)('%s is refused', async (_, headers, code) => {
    const request = signed({ method: 'PUT', path: `/${bucket}/checked`, payload: 'UNSIGNED-PAYLOAD', headers: { ...headers } })
    const answer = await send('PUT', request, content)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    if (code !== undefined) expect(answer.code).toBe(code)
    expect(await status('checked')).toBe(404)
  })

  test('a part with a wrong checksum is no part', async () => {
    const begun = await send('POST', signed({ method: 'POST', path: `/${bucket}/parts`, query: { uploads: '' }, payload: 'UNSIGNED-PAYLOAD' }))
    const uploadId = /<UploadId>([^<]*)</.exec(begun.body)?.[1] ?? ''
    const part = signed({ method: 'PUT', path: `/${bucket}/parts`, query: { uploadId, partNumber: '1' }, payload: 'UNSIGNED-PAYLOAD', headers: { 'content-md5': Buffer.alloc(16).toString('base64') } })
    expect(await send('PUT', part, content)).toMatchObject({ status: 400, code: 'BadDigest' })
    const listed = await send('GET', signed({ method: 'GET', path: `/${bucket}/parts`, query: { uploadId }, payload: 'UNSIGNED-PAYLOAD' }))
    expect(listed.body).not.toContain('<Part>')
  })
})
