import { Agent, get } from 'node:http'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { accessKeyId, connect, endpoint, freshBucket, secretAccessKey } from '../connection.ts'
import { domain } from '../parts.ts'
import { exchange, open, parseAnswer, requestHead, send, signed } from './connection.ts'
import { emptySha256, sha256 } from './sign.ts'

const s3 = connect()
const Bucket = freshBucket('wire')
beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutObjectCommand({ Bucket, Key: 'present', Body: 'present' }))
})

const read = (path: string, more: { date?: Date; secret?: string; query?: Record<string, string> } = {}) =>
  signed({ method: 'GET', path, payload: emptySha256, ...more })

test('an error has its code, resource and request id in the body, and the id in the header', async () => {
  const answer = await send('GET', read(`/${Bucket}/absent`))
  expect(answer).toMatchObject({ status: 404, code: 'NoSuchKey' })
  expect(answer.headers['content-type']).toBe('application/xml')
  expect(answer.headers['x-amz-request-id']).toBeTruthy()
  expect(answer.body).toContain(`<RequestId>${answer.headers['x-amz-request-id']}</RequestId>`)
  expect(answer.body).toContain('<Key>absent</Key>')
  expect(answer.body).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>/)
})

test('an error to HEAD has no body', async () => {
  const answer = await send('HEAD', signed({ method: 'HEAD', path: `/${Bucket}/absent`, payload: emptySha256 }))
  expect(answer).toMatchObject({ status: 404, body: '' })
})

test('a clock that is 16 minutes off is RequestTimeTooSkewed', async () => {
  for (const minutes of [-16, 16]) {
    const answer = await send('GET', read(`/${Bucket}/present`, { date: new Date(Date.now() + minutes * 60_000) }))
    expect(answer).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' })
  }
})

test('a mismatch prints what the client needs to find it, and no secret', async () => {
  const answer = await send('GET', read(`/${Bucket}/present`, { secret: 'not-the-secret-of-this-key' }))
  expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
  expect(answer.body).toContain('<StringToSign>')
  expect(answer.body).toContain('<CanonicalRequest>')
  expect(answer.body).toContain(`<AWSAccessKeyId>${accessKeyId}</AWSAccessKeyId>`)
  expect(answer.body.replaceAll(`<AWSAccessKeyId>${accessKeyId}</AWSAccessKeyId>`, '')).not.toContain(`>${secretAccessKey}<`)
})

test('a header that was not signed as sent is a mismatch', async () => {
  const request = signed({ method: 'PUT', path: `/${Bucket}/forged`, payload: sha256('x'), headers: { 'x-amz-meta-role': 'reader' } })
  expect(await send('PUT', request, Buffer.from('x'), { 'x-amz-meta-role': 'writer' })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
})

test('Signature Version 2 is refused by name', async () => {
  const answer = await send('GET', { ...read(`/${Bucket}/present`), headers: { host: new URL(endpoint).host, date: new Date().toUTCString(), authorization: `AWS ${accessKeyId}:c2lnbmF0dXJl` } })
  expect(answer.status).toBe(400)
  expect(answer.code).toBe('InvalidRequest')
  expect(answer.body).toContain('AWS4-HMAC-SHA256')
})

test('100 Continue comes only for a request that may go on', async () => {
  const waits = async (request: ReturnType<typeof signed>, length: number) => {
    const socket = await open()
    const head = { ...request.headers, 'content-length': String(length), expect: '100-continue', connection: 'close' }
    const first = new Promise<string>(resolve => socket.once('data', chunk => resolve(chunk.toString())))
    socket.write(requestHead('PUT', request.target, head))
    return { socket, first: await first }
  }
  const refused = await waits(signed({ method: 'PUT', path: `/${Bucket}/expected`, payload: 'UNSIGNED-PAYLOAD', secret: 'not-the-secret-of-this-key' }), 10_000)
  expect(refused.first).toMatch(/^HTTP\/1\.1 403 /)
  refused.socket.destroy()
  const body = Buffer.alloc(10_000, 'e')
  const accepted = await waits(signed({ method: 'PUT', path: `/${Bucket}/expected`, payload: sha256(body) }), body.length)
  expect(accepted.first).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  const rest = new Promise<string>(resolve => {
    let text = ''
    accepted.socket.on('data', chunk => {
      text += chunk.toString()
    })
    accepted.socket.once('close', () => resolve(text))
  })
  accepted.socket.write(body)
  expect(parseAnswer(await rest)?.status).toBe(200)
})

test('several requests go over one connection, in order', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const url = new URL(endpoint)
  const once = (path: string) => new Promise<[number | undefined, boolean]>((resolve, reject) => {
    const request = read(path)
    const sent = get({ agent, host: url.hostname, port: url.port, path: request.target, headers: { ...request.headers } }, answer => {
      answer.resume().on('end', () => resolve([answer.statusCode, sent.reusedSocket]))
    })
    sent.on('error', reject)
  })
  expect(await once(`/${Bucket}/present`)).toEqual([200, false])
  expect(await once(`/${Bucket}/absent`)).toEqual([404, true])
  expect(await once(`/${Bucket}/present`)).toEqual([200, true])
  agent.destroy()
})

test('both Content-Length and Transfer-Encoding, and a malformed request line, are refused', async () => {
  const request = signed({ method: 'PUT', path: `/${Bucket}/smuggled`, payload: 'UNSIGNED-PAYLOAD' })
  const head = requestHead('PUT', request.target, { ...request.headers, 'content-length': '5', 'transfer-encoding': 'chunked', connection: 'close' })
  expect([400, undefined]).toContain((await exchange(Buffer.concat([head, Buffer.from('0\r\n\r\n')])))?.status)
  expect([400, undefined]).toContain((await exchange(Buffer.from('NOT HTTP AT ALL\r\n\r\n')))?.status)
  expect((await send('GET', read(`/${Bucket}/present`))).status).toBe(200)
})

test('a known operation that is not there is NotImplemented, an unknown method MethodNotAllowed', async () => {
  const torrent = await send('GET', read(`/${Bucket}/present`, { query: { torrent: '' } }))
  expect(torrent).toMatchObject({ status: 501, code: 'NotImplemented' })
  const patched = await send('PATCH', signed({ method: 'PATCH', path: `/${Bucket}/present`, payload: emptySha256 }))
  expect(patched).toMatchObject({ status: 405, code: 'MethodNotAllowed' })
})

test('virtual-host style reaches the same bucket', async () => {
  const { port } = new URL(endpoint)
  // Names under the server's domain resolve to it, as a wildcard DNS record would have it.
  const httpAgent = new Agent({ lookup: (_hostname, options, found) => {
    const addresses = [{ address: '127.0.0.1', family: 4 }]
    if (options.all === true) found(null, addresses)
    else found(null, '127.0.0.1', 4)
  } })
  const virtual = new S3Client({
    endpoint: `http://${domain}:${port}`, region: 'us-east-1', forcePathStyle: false, maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey }, requestHandler: { httpAgent },
  })
  const { Body } = await virtual.send(new GetObjectCommand({ Bucket, Key: 'present' }))
  expect(await Body?.transformToString()).toBe('present')
  await virtual.send(new PutObjectCommand({ Bucket, Key: 'by host/name', Body: 'x' }))
  const listed = await virtual.send(new ListObjectsV2Command({ Bucket }))
  expect(listed.Contents?.map(({ Key }) => Key)).toContain('by host/name')
  expect((await s3.send(new GetObjectCommand({ Bucket, Key: 'by host/name' }))).ContentLength).toBe(1)
})
