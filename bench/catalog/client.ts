/** One Iceberg REST catalog as the benchmark uses it: a bearer token, and connections that send one request at a time. */
import { Connection } from '../load/connection.ts'
import type { ReadResponse } from '../load/response-reader.ts'

export interface CatalogTarget {
  readonly name: string
  /** What comes before `/v1`. */
  readonly url: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** The server's processes, where they are known: what they write is counted. */
  readonly pid: number | undefined
}

export class CatalogClient {
  readonly target: CatalogTarget
  readonly #host: string
  readonly #root: string
  readonly #authorization: string

  private constructor(target: CatalogTarget, prefix: string, token: string) {
    const { host, pathname } = new URL(target.url)
    this.target = target
    this.#host = host
    this.#root = `${pathname.replace(/\/$/, '')}/v1${prefix}`
    this.#authorization = `Bearer ${token}`
  }

  /** Gets a token, makes the warehouse where the catalog has such, and learns the prefix of its paths. */
  static async open(target: CatalogTarget): Promise<CatalogClient> {
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: target.accessKeyId, client_secret: target.secretAccessKey, scope: 'catalog' })
    const granted = await fetch(`${target.url}/v1/oauth/tokens`, { method: 'POST', body: form })
    const { access_token: token = '' } = await granted.json() as { access_token?: string }
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    // SeaweedFS has one from its start, which needs no prefix.
    const made = await fetch(`${target.url}/v1/warehouses`, { method: 'POST', headers, body: JSON.stringify({ name: 'bench' }) })
    const hasWarehouses = made.ok || made.status === 409
    const answer = await fetch(`${target.url}/v1/config${hasWarehouses ? '?warehouse=bench' : ''}`, { headers })
    const { defaults = {}, overrides = {} } = await answer.json() as { defaults?: Record<string, string>; overrides?: Record<string, string> }
    const prefix = hasWarehouses ? overrides['prefix'] ?? defaults['prefix'] : undefined
    return new CatalogClient(target, prefix === undefined ? '' : `/${prefix}`, token)
  }

  connect(): CatalogConnection {
    return new CatalogConnection(this.target.url, (method, path, bodyBytes) =>
      `${method} ${this.#root}${path} HTTP/1.1\r\nhost: ${this.#host}\r\nauthorization: ${this.#authorization}\r\n`
      + `content-type: application/json\r\ncontent-length: ${bodyBytes}\r\n\r\n`)
  }

  /** The parsed answer; throws unless it is a success or one of `accepted`. */
  async json(method: string, path: string, body?: unknown, accepted: readonly number[] = []): Promise<Record<string, unknown>> {
    const response = await fetch(new URL(`${this.#root}${path}`, this.target.url), {
      method, headers: { authorization: this.#authorization, 'content-type': 'application/json' }, ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok && !accepted.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
    return response.ok && text !== '' ? JSON.parse(text) as Record<string, unknown> : {}
  }

  /** Milliseconds until the answer's first byte, after which what was asked for is durable. */
  async firstByteMs(method: string, path: string, body: string): Promise<number> {
    const startedAt = performance.now()
    const response = await fetch(new URL(`${this.#root}${path}`, this.target.url), {
      method, headers: { authorization: this.#authorization, 'content-type': 'application/json' }, body,
    })
    const ms = performance.now() - startedAt
    for await (const _ of response.body ?? []) continue
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`)
    return ms
  }
}

export class CatalogConnection {
  readonly #connection: Connection
  readonly #headOf: (method: string, path: string, bodyBytes: number) => string

  constructor(url: string, headOf: (method: string, path: string, bodyBytes: number) => string) {
    const { hostname, port } = new URL(url)
    this.#connection = new Connection({ hostname, port: Number(port) })
    this.#headOf = headOf
  }

  request(method: string, path: string, body?: string): Promise<ReadResponse> {
    const bytes = body === undefined ? undefined : Buffer.from(body)
    return this.#connection.request(this.#headOf(method, path, bytes?.length ?? 0), bytes, false)
  }

  close(): void {
    this.#connection.close()
  }
}
