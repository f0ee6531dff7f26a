import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../base/system.ts'
import type { RequestContext } from '../telemetry/request-context.ts'
import { createRequestIds } from '../telemetry/request-ids.ts'
import { registerHealthRoutes } from './health-routes.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions, type S3Handler } from './http-server.ts'

const servers: HttpServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.drain(0)))
})

interface Started {
  readonly server: HttpServer
  readonly port: number
  readonly contexts: RequestContext[]
}

async function start(s3: S3Handler, { bodyIdleTimeoutMs = 60_000, ...also }: Partial<HttpServerOptions> = {}): Promise<Started> {
  const contexts: RequestContext[] = []
  const server = await createHttpServer({
    s3,
    query: s3,
    routes: async app => registerHealthRoutes(app, { isReady: async () => true, sets: () => [] }),
    nextRequestId: createRequestIds(systemRandom),
    logRequest: (_request, _response, context) => contexts.push(context),
    clock: systemClock,
    domains: [],
    bodyIdleTimeoutMs,
    keepAliveTimeoutMs: 60_000,
    ...also,
  })
  servers.push(server)
  return { server, port: await server.listen({ host: '127.0.0.1', port: 0 }), contexts }
}

/** Everything the server sends on one connection until it closes it. */
class Conversation {
  readonly socket: Socket
  received = ''
  readonly closed: Promise<void>

  /** `isHeld`: our side stays open after the server has ended its own. */
  constructor(port: number, isHeld = false) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: isHeld })
    this.socket.on('data', chunk => {
      this.received += chunk.toString('latin1')
    })
    this.socket.on('error', () => {})
    this.closed = new Promise(resolve => this.socket.once('close', () => resolve()))
  }

  send(text: string): void {
    this.socket.write(text)
  }

  /** Sends until the other side does not take it any more. */
  async refused(text = 'x'): Promise<void> {
    const sending = setInterval(() => this.send(text), 1)
    await this.closed
    clearInterval(sending)
  }

  async until(pattern: RegExp): Promise<void> {
    for (const deadlineMs = Date.now() + 10_000; !pattern.test(this.received); await sleep(5)) {
      if (Date.now() > deadlineMs) throw new Error(`no ${pattern} in ${JSON.stringify(this.received)}`)
    }
  }
}

const echoUrl: S3Handler = async (request, response) => {
  request.resume()
  response.end(`${request.method} ${request.url}`)
}

const bodyBytes = 4 << 20

/** As a full drive: the body is given up after its first piece. */
const refusingHalfway: S3Handler = async (request, response) => {
  for await (const piece of request) {
    expect((piece as Buffer).length).toBeGreaterThan(0)
    break
  }
  response.writeHead(507, { connection: 'close', 'content-length': '4' }).end('full')
}

/** A client on a thread of its own, which sends whatever comes back: what it learnt of each of so many uploads. */
const uploads = `
const { request } = require('node:http')
const { parentPort, workerData: { port, bodyBytes, count } } = require('node:worker_threads')
const upload = () => new Promise(resolve => {
  const sending = request({ port, host: '127.0.0.1', method: 'PUT', path: '/b/k', headers: { 'content-length': bodyBytes } })
  sending.on('error', error => resolve(error.code))
  sending.on('response', answer => {
    let text = answer.statusCode + ' '
    answer.on('data', piece => { text += piece })
    answer.on('error', error => resolve(error.code))
    answer.on('end', () => resolve(text))
  })
  sending.end(Buffer.alloc(bodyBytes))
})
;(async () => {
  const outcomes = []
  while (outcomes.length < count) outcomes.push(await upload())
  parentPort.postMessage(outcomes)
})()`

function outcomesOf(port: number, count: number): Promise<string[]> {
  const client = new Worker(uploads, { eval: true, workerData: { port, bodyBytes, count } })
  return new Promise((resolve, reject) => {
    client.once('message', resolve)
    client.once('error', reject)
  })
}

describe('createHttpServer', () => {
  it('answers health, and hands everything else to S3 as it came', async () => {
    const { port } = await start(echoUrl)
    for (const path of ['live', 'ready', 'cluster', 'cluster/read']) {
      const answer = await fetch(`http://127.0.0.1:${port}/minio/health/${path}`)
      expect(answer.status).toBe(200)
      const head = await fetch(`http://127.0.0.1:${port}/minio/health/${path}`, { method: 'HEAD' })
      expect(head.status).toBe(200)
    }
    for (const target of ['/b/a//b/../c%2F%', '/b/%zz?x=%', `/b/${'k'.repeat(1024)}`, '/']) {
      const talk = new Conversation(port)
      talk.send(`BREW ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)
      await talk.closed
      expect(talk.received).toMatch(/^HTTP\/1.1 400/)
      const get = new Conversation(port)
      get.send(`PROPFIND ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
      await get.closed
      expect(get.received).toContain(`PROPFIND ${target}`)
    }
  })

  it('gives each request an id like AWS’s, in the header and the context', async () => {
    const { port, contexts } = await start(echoUrl)
    const answers = await Promise.all([1, 2, 3].map(() => fetch(`http://127.0.0.1:${port}/b/k`)))
    const ids = answers.map(answer => answer.headers.get('x-amz-request-id') ?? '')
    for (const id of ids) expect(id).toMatch(/^[0-9A-F]{16}$/)
    expect(new Set(ids).size).toBe(3)
    expect(contexts.map(({ requestId }) => requestId).toSorted()).toEqual(ids.toSorted())
  })

  it('lets S3 decide whether the body is sent after Expect: 100-continue', async () => {
    const { port, contexts } = await start(async (request, response, { expectsContinue }) => {
      if (request.url === '/refused') {
        response.writeHead(403, { connection: 'close' }).end()
        return
      }
      if (expectsContinue) response.writeContinue()
      let bytes = 0
      for await (const chunk of request) bytes += (chunk as Buffer).length
      response.end(`took ${bytes}`)
    })
    const refused = new Conversation(port)
    refused.send('PUT /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    await refused.closed
    expect(refused.received).toMatch(/^HTTP\/1.1 403/)
    const taken = new Conversation(port)
    taken.send('PUT /taken HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n')
    await taken.until(/^HTTP\/1.1 100 Continue/)
    taken.send('12345')
    await taken.closed
    expect(taken.received).toContain('took 5')
    expect(contexts.map(({ expectsContinue }) => expectsContinue)).toEqual([true, true])
  })

  it('lets a refusal in the middle of a body reach a client that still sends it', async () => {
    const { port } = await start(refusingHalfway)
    // Closed at once, a connection lost the answer in about one of 30 tries.
    expect(Object.groupBy(await outcomesOf(port, 400), outcome => outcome)).toEqual({ '507 full': Array.from({ length: 400 }, () => '507 full') })
  })

  it('reads no body without an end for it, nor waits for a client that neither sends nor leaves', async () => {
    const { port } = await start(refusingHalfway, { lingering: { longestMs: 60_000, idleMs: 200, mostBytes: 1 << 20 } })
    const silent = new Conversation(port, true)
    silent.send(`PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: ${bodyBytes}\r\n\r\n${'x'.repeat(100_000)}`)
    await silent.until(/^HTTP\/1.1 507 [^]*full$/)
    await sleep(500)
    await silent.refused()
    const endless = new Conversation(port, true)
    endless.send('PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000000\r\n\r\n')
    await endless.refused('x'.repeat(100_000))
    expect(endless.socket.bytesWritten).toBeGreaterThan(1 << 20)
  })

  it.each([
    ['Content-Length and Transfer-Encoding', 'PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '400'],
    ['two Content-Lengths', 'PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345', '400'],
    ['a line that is no header', 'GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n', '400'],
    ['NUL in a header', 'GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n', '400'],
    ['more than 200 headers', `GET / HTTP/1.1\r\nHost: h\r\n${'X: y\r\n'.repeat(200)}\r\n`, '431'],
    ['headers over 32 KiB', `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, '431'],
    ['no HTTP at all', '\u0016\u0003\u0001\u0002', '400'],
  ])('refuses %s and closes', async (_name, text, status) => {
    let reached = 0
    const { port } = await start(async (_request, response) => {
      reached++
      response.end()
    })
    const talk = new Conversation(port)
    talk.send(text)
    await talk.closed
    expect(talk.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(reached).toBe(0)
  })

  it('refuses more headers than it would look at, rather than drop some', async () => {
    const { port } = await start(echoUrl)
    const headers = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: 1\r\n`).join('')
    for (const [count, status] of [[150, 200], [1000, 431]] as const) {
      const talk = new Conversation(port)
      talk.send(`GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${headers(count)}\r\n`)
      await talk.closed
      expect(talk.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    }
  })

  it('cuts a body that stands still, and not a request that waits for us', async () => {
    const { port } = await start(
      async (request, response) => {
        if (request.url === '/slow-server') await sleep(900)
        request.resume()
        request.once('end', () => response.end('done'))
        if (request.readableEnded) response.end('done')
      },
      { bodyIdleTimeoutMs: 300 },
    )
    const stalled = new Conversation(port)
    stalled.send('PUT /stalled HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n123')
    const startedMs = Date.now()
    await stalled.closed
    expect(stalled.received).toBe('')
    expect(Date.now() - startedMs).toBeLessThan(5_000)
    const patient = new Conversation(port)
    patient.send('GET /slow-server HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    await patient.closed
    expect(patient.received).toContain('done')
  })

  it('answers 500 with the request id when the handler fails, and notes the fault', async () => {
    const { port, contexts } = await start(() => Promise.reject(new Error('a secret reason')))
    const answer = await fetch(`http://127.0.0.1:${port}/b/k`)
    expect(answer.status).toBe(500)
    const body = await answer.text()
    expect(body).toContain(answer.headers.get('x-amz-request-id'))
    expect(body).not.toContain('secret')
    expect(contexts[0]?.notes.fault).toBeInstanceOf(Error)
  })

  it('drains: finishes what is under way, closes kept connections, accepts nothing new', async () => {
    const gate = Promise.withResolvers<void>()
    const { server, port } = await start(async (request, response) => {
      if (request.url === '/held') {
        response.write('first half, ')
        await gate.promise
      }
      response.end('done')
    })
    const idle = new Conversation(port)
    idle.send('GET /quick HTTP/1.1\r\nHost: h\r\n\r\n')
    await idle.until(/done/)
    const held = new Conversation(port)
    held.send('GET /held HTTP/1.1\r\nHost: h\r\n\r\n')
    await held.until(/first half/)
    const drained = server.drain(10_000)
    await idle.closed
    await expect(fetch(`http://127.0.0.1:${port}/late`)).rejects.toThrow()
    gate.resolve()
    await held.closed
    expect(held.received).toContain('done')
    expect(await drained).toBe(true)
  })

  it('cuts what outlasts the drain', async () => {
    const { server, port } = await start(() => new Promise(() => {}))
    const held = new Conversation(port)
    held.send('GET /held HTTP/1.1\r\nHost: h\r\n\r\n')
    await sleep(50)
    expect(await server.drain(100)).toBe(false)
    await held.closed
  })
})
