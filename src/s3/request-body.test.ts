import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wholeBody } from './request-body.ts'

describe('a small body', () => {
  const server = createServer()
  let client: Socket

  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  /** A request that has announced ten bytes and sent so many of them. */
  async function sent(body: string): Promise<IncomingMessage> {
    client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.write(`PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n${body}`)
    const [request] = (await once(server, 'request')) as [IncomingMessage]
    return request
  }

  it('comes in one piece', async () => {
    const request = await sent('01234')
    const body = wholeBody(request)
    client.write('56789')
    expect((await body).toString()).toBe('0123456789')
  })

  it('is refused when the client goes away, whether before it is asked for or after', async () => {
    const after = await sent('01234')
    const body = wholeBody(after)
    client.destroy()
    await expect(body).rejects.toThrow()
    const before = await sent('01234')
    before.on('error', () => {})
    const closed = new Promise(resolve => before.once('close', resolve))
    client.destroy()
    await closed
    await expect(wholeBody(before)).rejects.toThrow()
  })
})
