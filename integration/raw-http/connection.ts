/** One request over one socket, byte for byte; the answer with its status, headers and body as text. */
import { connect, type Socket } from 'node:net'
import { endpoint } from '../connection.ts'
import { sign, type Signed, type ToSign } from './sign.ts'

const { hostname, port, host } = new URL(endpoint)

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The `Code` of an error body. */
  readonly code: string | undefined
}

export function signed(request: Omit<ToSign, 'host'> & { host?: string }): Signed {
  return sign({ host, ...request })
}

export async function open(): Promise<Socket> {
  const socket = connect(Number(port), hostname)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return socket
}

export function requestHead(method: string, target: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`)
}

/** Send bytes as they are and read until the server closes, which `connection: close` asks for. Undefined when it closes unanswered. */
export async function exchange(bytes: Uint8Array, { halfClose = false } = {}): Promise<Answer | undefined> {
  const socket = await open()
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(Buffer.from(chunk)))
  // A server that has refused may close while we still write.
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.setTimeout(30_000, () => socket.destroy())
  socket.write(bytes)
  if (halfClose) socket.end()
  await closed
  return parseAnswer(Buffer.concat(chunks).toString())
}

/** Send a request with its body; `headers` override what was signed. */
export async function send(method: string, request: Signed, body: Uint8Array = Buffer.alloc(0), headers: Record<string, string> = {}): Promise<Answer> {
  const all = { ...request.headers, 'content-length': String(body.length), connection: 'close', ...headers }
  const answer = await exchange(Buffer.concat([requestHead(method, request.target, all), body]))
  if (answer === undefined) throw new Error('the connection closed without an answer')
  return answer
}

export function parseAnswer(text: string): Answer | undefined {
  const final = text.replace(/^HTTP\/1\.1 100 [^\r]*\r\n\r\n/, '')
  const [head = '', ...rest] = final.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
  if (Number.isNaN(status)) return undefined
  const headers = Object.fromEntries(lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
  const body = rest.join('\r\n\r\n')
  return { status, headers, body, code: /<Code>([^<]*)<\/Code>/.exec(body)?.[1] }
}
