/** As cheap a client as a race needs: one kept connection for each writer, the signing key derived once. */
import { createHmac, hash } from 'node:crypto'
import { Agent, request as sendRequest } from 'node:http'
import type { StartedServer } from '../start-server.ts'

const region = 'us-east-1'

export interface Answer {
  readonly status: number
  /** The `Code` of an error body. */
  readonly code: string | undefined
  readonly etag: string
  readonly body: string
}

export interface Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Made of characters that need no encoding. */
  readonly path: string
  /** As it is signed: names in order, values encoded. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Client {
  send(request: Request): Promise<Answer>
  close(): void
}

export function connectClient({ port, accessKeyId, secretAccessKey }: StartedServer): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const host = `127.0.0.1:${port}`
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
  const keys = new Map<string, Buffer>()
  const keyOf = (day: string): Buffer => {
    const known = keys.get(day)
    if (known !== undefined) return known
    const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${secretAccessKey}`))
    keys.set(day, key)
    return key
  }
  const authorize = ({ method, path, query = '', headers = {}, body = '' }: Request): Record<string, string> => {
    const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
    const day = stamp.slice(0, 8)
    const payload = hash('sha256', body)
    const all: Record<string, string> = { ...headers, host, 'x-amz-content-sha256': payload, 'x-amz-date': stamp }
    const names = Object.keys(all).toSorted()
    const canonical = [method, path, query, ...names.map(name => `${name}:${all[name]}`), '', names.join(';'), payload].join('\n')
    const scope = `${day}/${region}/s3/aws4_request`
    const signature = hmac(keyOf(day), `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash('sha256', canonical)}`).toString('hex')
    return { ...all, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` }
  }
  return {
    send: request => new Promise((resolve, reject) => {
      const { method, path, query = '', body = '' } = request
      const headers = { ...authorize(request), 'content-length': String(Buffer.byteLength(body)) }
      const sent = sendRequest({ agent, host: '127.0.0.1', port, method, path: query === '' ? path : `${path}?${query}`, headers }, response => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString()
          resolve({ status: response.statusCode ?? 0, code: /<Code>([^<]*)<\/Code>/.exec(text)?.[1], etag: response.headers.etag ?? '', body: text })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    }),
    close: () => agent.destroy(),
  }
}
