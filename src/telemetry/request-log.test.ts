import { createServer, type RequestListener } from 'node:http'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../base/system.ts'
import { createLogger } from './logger.ts'
import type { RequestContext } from './request-context.ts'
import { createRequestLog } from './request-log.ts'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** What is logged of the requests that `use` makes of a server that answers by `answer`. */
async function linesOf(answer: RequestListener, use: (port: number) => Promise<unknown>, { readable = false, notes = {} as RequestContext['notes'] } = {}): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'moraine-log-'))
  cleanUps.push(() => rm(directory, { recursive: true }))
  const destination = join(directory, 'log')
  const { logger, flush } = createLogger({ level: 'info', readable, destination })
  const log = createRequestLog(logger, systemClock)
  let requests = 0
  const closed: Promise<unknown>[] = []
  const server = createServer((request, response) => {
    log(request, response, { requestId: `ID${++requests}`, expectsContinue: false, notes })
    closed.push(new Promise(resolve => response.once('close', resolve)))
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const address = server.address()
  await use(typeof address === 'object' && address !== null ? address.port : 0)
  await Promise.all(closed)
  flush()
  return (await readFile(destination, 'utf8')).split('\n').filter(line => line !== '')
}

const talk = (port: number, text: string, end: 'wait' | 'cut' = 'wait'): Promise<void> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.once('close', () => resolve())
    socket.on('error', () => {})
    if (end === 'cut') setTimeout(() => socket.destroy(), 100)
    else socket.resume()
  })

describe('the request log', () => {
  it('counts each request’s own bytes on a kept connection', async () => {
    const lines = await linesOf(
      (request, response) => {
        request.resume().once('end', () => response.end('x'.repeat(request.url === '/big' ? 50_000 : 10)))
      },
      async port => {
        const first = 'PUT /big HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n' + 'y'.repeat(1000)
        const second = 'GET /small HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'
        await new Promise<void>(resolve => {
          const socket = connect(port, '127.0.0.1', () => socket.write(first))
          let received = 0
          socket.on('data', chunk => {
            received += chunk.length
            if (received > 50_000 && received < 60_000) {
              received = 60_000
              setTimeout(() => socket.write(second), 50)
            }
          })
          socket.once('close', () => resolve())
        })
      },
    )
    const [big, small] = lines.map(line => JSON.parse(line) as Record<string, number>)
    expect(big).toMatchObject({ msg: 'request', level: 'info', requestId: 'ID1', method: 'PUT', path: '/big', status: 200 })
    expect(big?.['bytesIn']).toBeGreaterThan(1000)
    expect(big?.['bytesIn']).toBeLessThan(1200)
    expect(big?.['bytesOut']).toBeGreaterThan(50_000)
    expect(small).toMatchObject({ requestId: 'ID2', path: '/small' })
    expect(small?.['bytesIn']).toBeLessThan(200)
    expect(small?.['bytesOut']).toBeLessThan(500)
  })

  it('says that a client went away', async () => {
    const [line = ''] = await linesOf(() => {}, port => talk(port, 'GET /never HTTP/1.1\r\nHost: h\r\n\r\n', 'cut'))
    expect(JSON.parse(line)).toMatchObject({ path: '/never', aborted: true })
    expect(JSON.parse(line)).not.toHaveProperty('status')
  })

  it('logs a fault of ours as an error, with its stack', async () => {
    const notes = { operation: 'PutObject', accessKeyId: 'AK', errorCode: 'InternalError', fault: new Error('the drive is on fire') }
    const [line = ''] = await linesOf((_request, response) => response.writeHead(500).end(), port => talk(port, 'GET /k?X-Amz-Signature=abc HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'), { notes })
    expect(JSON.parse(line)).toMatchObject({ level: 'error', status: 500, path: '/k?X-Amz-Signature=***', operation: 'PutObject', accessKeyId: 'AK', errorCode: 'InternalError' })
    expect(line).toMatch(/the drive is on fire.*request-log\.test/)
  })

  it('is one readable line on a terminal', async () => {
    const notes = { operation: 'GetObject', accessKeyId: 'AK' }
    const lines = await linesOf((_request, response) => response.end('ok'), port => talk(port, 'GET /b/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'), { readable: true, notes })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/GET \/b\/k 200 GetObject [\d.]+ ms, \d+ in, \d+ out, AK, ID1/)
  })
})
