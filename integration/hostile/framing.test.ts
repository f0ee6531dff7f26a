/** HTTP that lies about its length, takes its time, or is none at all. */
import { Agent, request as sendRequest } from 'node:http'
import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bodyIdleMs, startVictim } from './server.ts'

const victim = await startVictim()
const { exchange, open, requestHead, send, signed } = await import('../raw-http/connection.ts')

const bucket = 'framing'
const unsigned = 'UNSIGNED-PAYLOAD'
const put = (key: string, headers: Record<string, string> = {}) => signed({ method: 'PUT', path: `/${bucket}/${key}`, payload: unsigned, headers })
const headOf = (request: ReturnType<typeof put>, headers: Record<string, string>) => requestHead('PUT', request.target, { ...request.headers, ...headers })
const statusOf = async (key: string) => (await send('HEAD', signed({ method: 'HEAD', path: `/${bucket}/${key}`, payload: unsigned }))).status

beforeAll(async () => {
  await send('PUT', signed({ method: 'PUT', path: `/${bucket}`, payload: unsigned }))
  await send('PUT', put('kept'), Buffer.from('kept'))
})
afterEach(() => victim.expectUnharmed())
afterAll(() => victim.stop())

describe('lengths', () => {
  test('a body shorter than it says is not stored', async () => {
    const answer = await exchange(Buffer.concat([headOf(put('short'), { 'content-length': '1000', connection: 'close' }), Buffer.from('not so long')]), { halfClose: true })
    expect([undefined, 400]).toContain(answer?.status)
    expect(await statusOf('short')).toBe(404)
  })

  test('what follows a body is another request, and never the object’s', async () => {
    const answer = await exchange(Buffer.concat([headOf(put('long'), { 'content-length': '4' }), Buffer.from('four and more than that\r\n\r\n')]))
    // The nonsense may be met before the answer to what came before it is written.
    expect([200, 400]).toContain(answer?.status)
    const got = await send('GET', signed({ method: 'GET', path: `/${bucket}/long`, payload: unsigned }))
    expect([{ status: 200, body: 'four' }, { status: 404, body: got.body }]).toContainEqual({ status: got.status, body: got.body })
  })

  test.each([
    ['Content-Length and Transfer-Encoding', { 'content-length': '4', 'transfer-encoding': 'chunked' }],
    ['a negative length', { 'content-length': '-1' }],
    ['a length that is none', { 'content-length': '4x' }],
    ['a length beyond all numbers', { 'content-length': '99999999999999999999999' }],
    ['a transfer coding that nobody knows', { 'transfer-encoding': 'gzip' }],
  ])('%s are refused', async (_, headers) => {
    const answer = await exchange(Buffer.concat([headOf(put('smuggled'), { ...headers, connection: 'close' }), Buffer.from('4\r\nbody\r\n0\r\n\r\n')]))
    expect([undefined, 400, 501]).toContain(answer?.status)
    expect(await statusOf('smuggled')).toBe(404)
  })

  test('two lengths are refused', async () => {
    const request = put('twice')
    const head = headOf(request, { 'content-length': '4', connection: 'close' }).toString().replace('content-length: 4', 'content-length: 4\r\ncontent-length: 5')
    expect([undefined, 400]).toContain((await exchange(Buffer.from(`${head}bodyx`)))?.status)
    expect(await statusOf('twice')).toBe(404)
  })

  test('more than 5 GiB is refused before a byte of it', async () => {
    const answer = await exchange(headOf(put('huge'), { 'content-length': String(5 * 1024 ** 3 + 1), connection: 'close', expect: '100-continue' }))
    expect(answer).toMatchObject({ status: 400, code: 'EntityTooLarge' })
  })
})

describe('time', () => {
  /** How long until the server closes; what it said. */
  async function untilClosed(socket: Socket, keepBusy?: () => void): Promise<{ ms: number; said: string }> {
    const began = performance.now()
    let said = ''
    socket.on('data', chunk => (said += chunk.toString()))
    socket.on('error', () => {})
    const timer = keepBusy === undefined ? undefined : setInterval(keepBusy, 500)
    await new Promise<void>(resolve => socket.once('close', () => resolve()))
    clearInterval(timer)
    return { ms: performance.now() - began, said }
  }

  test('100 connections that send their headers a byte at a time are cut, and others are served meanwhile', async () => {
    const slow = await Promise.all(Array.from({ length: 100 }, async () => {
      const socket = await open()
      socket.write('PUT /framing/slow HTTP/1.1\r\nhost: h\r\n')
      return untilClosed(socket, () => void socket.write('x'))
    }).concat([(async () => {
      expect(await statusOf('kept')).toBe(200)
      return { ms: 0, said: '' }
    })()]))
    for (const { ms } of slow) expect(ms).toBeLessThan(60_000)
  })

  test('100 bodies that stand still are cut, and leave nothing', async () => {
    const slow = await Promise.all(Array.from({ length: 100 }, async (_, index) => {
      const socket = await open()
      socket.write(Buffer.concat([headOf(put(`still-${index}`), { 'content-length': '1000000' }), Buffer.alloc(100_000)]))
      return untilClosed(socket)
    }))
    for (const { ms } of slow) expect(ms).toBeLessThan(bodyIdleMs + 30_000)
    expect(await statusOf('still-0')).toBe(404)
    expect(await statusOf('kept')).toBe(200)
  })

  test('connections that open and say nothing, or close at once, harm nobody', async () => {
    const silent = await Promise.all(Array.from({ length: 200 }, () => open()))
    for (const socket of silent) socket.resetAndDestroy()
    expect(await statusOf('kept')).toBe(200)
  })

  test('readers that never read do not fill the memory', async () => {
    expect((await send('PUT', put('large'), Buffer.alloc(30_000_000, 'x'))).status).toBe(200)
    const request = signed({ method: 'GET', path: `/${bucket}/large`, payload: unsigned })
    const sockets = await Promise.all(Array.from({ length: 50 }, async () => {
      const socket = await open()
      socket.on('error', () => {})
      socket.pause()
      socket.write(requestHead('GET', request.target, request.headers))
      return socket
    }))
    await new Promise(resolve => setTimeout(resolve, 1000))
    victim.expectUnharmed()
    for (const socket of sockets) socket.destroy()
  })
})

describe('refused uploads', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  afterAll(() => agent.destroy())

  function upload(path: string, body: Buffer, headers: Record<string, string> = {}): Promise<{ status: number | undefined; reused: boolean; continued: boolean }> {
    const request = signed({ method: 'PUT', path, payload: unsigned, headers })
    return new Promise((resolve, reject) => {
      let continued = false
      const waits = headers['expect'] !== undefined
      const sent = sendRequest({ agent, host: '127.0.0.1', port: victim.port, method: 'PUT', path: request.target, headers: { ...request.headers, 'content-length': String(body.length) } }, answer => {
        answer.resume().on('end', () => resolve({ status: answer.statusCode, reused: sent.reusedSocket, continued }))
        if (waits && !continued) sent.destroy()
      })
      sent.on('continue', () => {
        continued = true
        sent.end(body)
      })
      sent.on('error', reject)
      if (!waits) sent.end(body)
      else sent.flushHeaders()
    })
  }

  test('leave the connection for the next request', async () => {
    const body = Buffer.alloc(3_000_000, 'r')
    await upload(`/${bucket}/first`, body)
    for (const [path, headers, status] of [
      [`/${bucket}/kept`, { 'if-none-match': '*' }, 412],
      ['/no-such-bucket/key', {}, 404],
      [`/${bucket}/k`, { 'x-amz-storage-class': 'NONE' }, 400],
      [`/${bucket}/k`, { 'x-amz-object-lock-mode': 'COMPLIANCE' }, 400],
      [`/${bucket}/k`, { 'content-md5': Buffer.alloc(16).toString('base64') }, 400],
      [`/${bucket}/k`, { 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' }, 501],
    ] as const) {
      expect(await upload(path, body, headers)).toMatchObject({ status, reused: true })
    }
    expect(await upload(`/${bucket}/last`, body)).toMatchObject({ status: 200, reused: true })
    expect(await statusOf('k')).toBe(404)
  })

  test('never send their body when they wait for 100 Continue', async () => {
    const body = Buffer.alloc(1_000_000)
    expect(await upload('/no-such-bucket/key', body, { expect: '100-continue' })).toMatchObject({ status: 404, continued: false })
    expect(await upload(`/${bucket}/k`, body, { expect: '100-continue', 'x-amz-storage-class': 'NONE' })).toMatchObject({ status: 400, continued: false })
    expect(await upload(`/${bucket}/k`, body, { expect: '100-continue' })).toMatchObject({ status: 200, continued: true })
  })
})

test.each(['absent', ''])('an error to HEAD has a status and no body (%j)', async key => {
  const answer = await send('HEAD', signed({ method: 'HEAD', path: key === '' ? '/no-such-bucket' : `/${bucket}/${key}`, payload: unsigned }))
  expect(answer).toMatchObject({ status: 404, body: '' })
  expect(answer.headers['x-amz-request-id']).toBeTruthy()
})
