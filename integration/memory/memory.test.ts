/** Memory stays bounded whatever the size of an object and the number of clients: `RssAnon` of both workers and the committer, sampled under load. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, DeleteObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessKeyId, connect, endpoint, freshBucket, secretAccessKey, serverPid } from '../connection.ts'
import { emptySha256, sign } from '../raw-http/sign.ts'
import { startServer } from '../start-server.ts'
import { limitMebibytes, peakDuring, type Measured } from './peak.ts'

const mebibyte = 1 << 20
const s3 = connect()
const Bucket = freshBucket('memory')
const agent = new Agent({ keepAlive: true, maxSockets: Infinity })

const given: Measured = { endpoint, pid: serverPid }

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => agent.destroy())

function open(method: string, key: string, headers: Record<string, string>, server = given) {
  const { hostname, port, host } = new URL(server.endpoint)
  const signed = sign({ method, host, path: `/${Bucket}/${key}`, payload: method === 'GET' ? emptySha256 : 'UNSIGNED-PAYLOAD' })
  return request({ agent, hostname, port, method, path: signed.target, headers: { ...signed.headers, ...headers } })
}

/** PUT `blocks` times the same block; resolves with the ETag. */
async function put(key: string, block: Buffer, blocks: number, each: (block: Buffer) => void = () => {}, server = given): Promise<string | undefined> {
  const sending = open('PUT', key, { 'content-length': String(block.length * blocks) }, server)
  const answered = once(sending, 'response') as Promise<[IncomingMessage]>
  for (let index = 0; index < blocks; index += 1) {
    each(block)
    if (!sending.write(block)) await once(sending, 'drain')
  }
  sending.end()
  const [answer] = await answered
  expect(answer.statusCode).toBe(200)
  answer.resume()
  await once(answer, 'end')
  return answer.headers.etag
}

/** Every byte is what the ETag says. */
async function get(key: string, server = given): Promise<void> {
  const asking = open('GET', key, {}, server)
  asking.end()
  const [answer] = await once(asking, 'response') as [IncomingMessage]
  const received = createHash('md5')
  for await (const chunk of answer) received.update(chunk as Buffer)
  expect(`"${received.digest('hex')}"`).toBe(answer.headers.etag)
}

test('a 5 GiB PUT and GET', { timeout: 300_000 }, async () => {
  const block = randomBytes(mebibyte)
  const sent = createHash('md5')
  const peakPut = await peakDuring(given, async () => {
    const etag = await put('large', block, 5 * 1024, bytes => sent.update(bytes))
    expect(etag).toBe(`"${sent.digest('hex')}"`)
  })
  const peakGet = await peakDuring(given, () => get('large'))
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'large' }))
  console.log(`5 GiB: ${peakPut.toFixed(0)} MiB in a worker during PUT, ${peakGet.toFixed(0)} MiB during GET`)
  expect(peakPut).toBeLessThan(limitMebibytes)
  expect(peakGet).toBeLessThan(limitMebibytes)
})

test('100 concurrent PUTs of 64 MiB', { timeout: 300_000 }, async () => {
  const block = randomBytes(mebibyte)
  const expected = createHash('md5')
  for (let index = 0; index < 64; index += 1) expected.update(block)
  const etag = `"${expected.digest('hex')}"`
  const peak = await peakDuring(given, async () => {
    const etags = await Promise.all(Array.from({ length: 100 }, (_, index) => put(`parallel/${index}`, block, 64)))
    expect(etags).toEqual(Array.from({ length: 100 }, () => etag))
  })
  console.log(`100 × 64 MiB: ${peak.toFixed(0)} MiB in a worker`)
  expect(peak).toBeLessThan(limitMebibytes)
})

// What a stream holds must not grow with the drives: stripes of 12 data blocks and 4 of parity.
test('50 concurrent PUTs and GETs of 32 MiB over 16 drives', { timeout: 300_000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'moraine-memory-'))
  for (let number = 1; number <= 16; number += 1) mkdirSync(join(root, `drive${number}`))
  const started = await startServer({ drive: join(root, 'drive{1...16}'), args: ['--quiet'], env: { MORAINE_LOG_LEVEL: 'warn', MORAINE_ROOT_USER: accessKeyId, MORAINE_ROOT_PASSWORD: secretAccessKey } })
  try {
    await connect({ endpoint: started.endpoint }).send(new CreateBucketCommand({ Bucket }))
    const block = randomBytes(mebibyte)
    const keys = Array.from({ length: 50 }, (_, index) => `wide/${index}`)
    const peakPut = await peakDuring(started, async () => void (await Promise.all(keys.map(key => put(key, block, 32, () => {}, started)))))
    const peakGet = await peakDuring(started, async () => void (await Promise.all(keys.map(key => get(key, started)))))
    console.log(`50 × 32 MiB over 16 drives: ${peakPut.toFixed(0)} MiB in a worker during PUT, ${peakGet.toFixed(0)} MiB during GET`)
    expect(peakPut).toBeLessThan(limitMebibytes)
    expect(peakGet).toBeLessThan(limitMebibytes)
  } finally {
    await started.stop()
    rmSync(root, { recursive: true, force: true })
  }
})
