import { createHash, randomBytes } from 'node:crypto'
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'
import { exchange, open, requestHead, send, signed } from './connection.ts'
import { sha256, signedChunks, unsignedChunks } from './sign.ts'

const s3 = connect()
const Bucket = freshBucket('bodies')
const small = randomBytes(10_000)
const large = randomBytes(1_000_000)
const chunksOf = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
})

const stored = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from(await Body?.transformToByteArray() ?? [])
}
const expectAbsent = async (Key: string) => expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ status: 404 })
const put = (Key: string, payload: string, headers: Record<string, string> = {}) => signed({ method: 'PUT', path: `/${Bucket}/${Key}`, payload, headers })

describe('whole bodies', () => {
  test('a signed payload is stored; one whose hash differs is not', async () => {
    expect((await send('PUT', put('whole', sha256(large)), large)).status).toBe(200)
    expect((await stored('whole')).equals(large)).toBe(true)
    const refused = await send('PUT', put('altered', sha256(large)), Buffer.concat([large.subarray(0, -1), Buffer.of((large.at(-1) ?? 0) ^ 1)]))
    expect(refused).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' })
    await expectAbsent('altered')
  })

  test('UNSIGNED-PAYLOAD is stored', async () => {
    expect((await send('PUT', put('unsigned', 'UNSIGNED-PAYLOAD'), small)).status).toBe(200)
    expect((await stored('unsigned')).equals(small)).toBe(true)
  })

  test('a body without a length is refused', async () => {
    const request = put('lengthless', 'UNSIGNED-PAYLOAD')
    const answer = await exchange(requestHead('PUT', request.target, { ...request.headers, connection: 'close' }))
    expect(answer).toMatchObject({ status: 411, code: 'MissingContentLength' })
    await expectAbsent('lengthless')
  })

  test.each([['small', small], ['large', large]] as const)('a %s body that is cut off is not stored', async (name, bytes) => {
    for (const halfClose of [true, false]) {
      const key = `cut-${name}-${halfClose}`
      const request = put(key, 'UNSIGNED-PAYLOAD')
      const head = requestHead('PUT', request.target, { ...request.headers, 'content-length': String(bytes.length) })
      const cut = Buffer.concat([head, bytes.subarray(0, bytes.length / 2)])
      if (halfClose) {
        const answer = await exchange(cut, { halfClose: true })
        expect([undefined, 400]).toContain(answer?.status)
      } else {
        const socket = await open()
        await new Promise(resolve => socket.write(cut, resolve))
        socket.resetAndDestroy()
      }
      await new Promise(resolve => setTimeout(resolve, 200))
      await expectAbsent(key)
    }
  })

  test('an object that is being replaced stays as it was when the body is cut off', async () => {
    await send('PUT', put('kept', sha256(small)), small)
    const request = put('kept', 'UNSIGNED-PAYLOAD')
    const socket = await open()
    const head = requestHead('PUT', request.target, { ...request.headers, 'content-length': String(large.length) })
    await new Promise(resolve => socket.write(Buffer.concat([head, large.subarray(0, 500_000)]), resolve))
    expect((await stored('kept')).equals(small)).toBe(true)
    socket.resetAndDestroy()
    await new Promise(resolve => setTimeout(resolve, 200))
    expect((await stored('kept')).equals(small)).toBe(true)
  })
})

describe('signed chunks', () => {
  const streaming = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
  const head = (bytes: Buffer) => ({ 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': String(bytes.length) })

  test.each([1000, 8192, 65_536, 300_001])('chunks of %d bytes', async size => {
    const request = put(`chunked-${size}`, streaming, head(large))
    const answer = await send('PUT', request, signedChunks(request, chunksOf(large, size)))
    expect(answer).toMatchObject({ status: 200, headers: { etag: `"${createHash('md5').update(large).digest('hex')}"` } })
    expect((await stored(`chunked-${size}`)).equals(large)).toBe(true)
    const { ContentEncoding } = await s3.send(new HeadObjectCommand({ Bucket, Key: `chunked-${size}` }))
    expect(ContentEncoding ?? '').not.toContain('aws-chunked')
  })

  test('an altered byte in any chunk is SignatureDoesNotMatch', async () => {
    for (const [position, bytes] of [[0.1, small], [0.5, large], [0.99, large]] as const) {
      const request = put('chunk-altered', streaming, head(bytes))
      const body = signedChunks(request, chunksOf(bytes, 8192))
      const at = Math.floor(body.length * position)
      body[at] = (body[at] ?? 0) ^ 0x55
      const answer = await send('PUT', request, body)
      expect([{ status: 403, code: 'SignatureDoesNotMatch' }, { status: 400, code: 'InvalidChunkSizeError' }, { status: 400, code: 'IncompleteBody' }])
        .toContainEqual({ status: answer.status, code: answer.code })
      await expectAbsent('chunk-altered')
    }
  })

  test('chunks in another order, or without the last, are refused', async () => {
    const request = put('chunk-order', streaming, head(small))
    const framed = signedChunks(request, chunksOf(small, 5000))
    const frame = framed.length - signedChunks(request, []).length
    const swapped = Buffer.concat([framed.subarray(frame / 2, frame), framed.subarray(0, frame / 2), framed.subarray(frame)])
    expect(await send('PUT', request, swapped)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    await expectAbsent('chunk-order')
    const unfinished = await send('PUT', request, framed.subarray(0, frame))
    expect(unfinished.status).toBe(400)
    await expectAbsent('chunk-order')
  })

  test('a decoded length that does not match is refused', async () => {
    for (const length of [small.length - 1, small.length + 1]) {
      const request = put('chunk-length', streaming, { ...head(small), 'x-amz-decoded-content-length': String(length) })
      const answer = await send('PUT', request, signedChunks(request, chunksOf(small, 5000)))
      expect(answer).toMatchObject({ status: 400, code: 'IncompleteBody' })
      await expectAbsent('chunk-length')
    }
  })

  test('a signed trailer is verified', async () => {
    const checksum = `x-amz-checksum-sha256:${createHash('sha256').update(large).digest('base64')}`
    const headers = { ...head(large), 'x-amz-trailer': 'x-amz-checksum-sha256' }
    const request = put('signed-trailer', `${streaming}-TRAILER`, headers)
    const body = signedChunks(request, chunksOf(large, 65_536), checksum)
    expect((await send('PUT', request, body)).status).toBe(200)
    expect((await stored('signed-trailer')).equals(large)).toBe(true)
    const forged = put('forged-trailer', `${streaming}-TRAILER`, headers)
    const altered = Buffer.from(signedChunks(forged, chunksOf(large, 65_536), checksum))
    const at = altered.lastIndexOf('x-amz-trailer-signature:') + 'x-amz-trailer-signature:'.length
    altered[at] = altered[at] === 0x30 ? 0x31 : 0x30
    expect(await send('PUT', forged, altered)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    await expectAbsent('forged-trailer')
  })
})

describe('unsigned chunks with a trailer', () => {
  const payload = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
  const headers = {
    'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': String(small.length), 'x-amz-trailer': 'x-amz-checksum-sha256',
  }
  const checksum = `x-amz-checksum-sha256:${createHash('sha256').update(small).digest('base64')}`

  test('a right trailer stores the object with its checksum', async () => {
    const answer = await send('PUT', put('trailer', payload, headers), unsignedChunks(chunksOf(small, 3000), checksum))
    expect(answer.status).toBe(200)
    expect((await stored('trailer')).equals(small)).toBe(true)
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'trailer', ChecksumMode: 'ENABLED' }))
    expect(`x-amz-checksum-sha256:${head.ChecksumSHA256}`).toBe(checksum)
  })

  test('a wrong, missing or malformed trailer stores nothing', async () => {
    const wrong = `x-amz-checksum-sha256:${createHash('sha256').update('other').digest('base64')}`
    expect(await send('PUT', put('trailer-bad', payload, headers), unsignedChunks(chunksOf(small, 3000), wrong))).toMatchObject({ status: 400, code: 'BadDigest' })
    const without = Buffer.concat([unsignedChunks(chunksOf(small, 3000), '').subarray(0, -4), Buffer.from('\r\n')])
    expect((await send('PUT', put('trailer-bad', payload, headers), without)).status).toBe(400)
    const malformed = 'x-amz-checksum-sha256:????'
    expect((await send('PUT', put('trailer-bad', payload, headers), unsignedChunks([small], malformed))).status).toBe(400)
    await expectAbsent('trailer-bad')
  })
})
