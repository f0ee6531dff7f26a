import { S3Client } from '@aws-sdk/client-s3'
import type { StartedServer } from '../start-server.ts'

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface LoadedTable {
  readonly 'metadata-location': string
  readonly metadata: { readonly 'table-uuid': string; readonly 'current-snapshot-id': number; readonly properties: Readonly<Record<string, string>>; readonly 'snapshot-log': readonly { readonly 'snapshot-id': number }[] }
}

/** As much of an Iceberg REST client as these tests need: it hides no answer. */
export class CatalogClient {
  readonly #root: string
  readonly #authorization: string

  private constructor(root: string, token: string) {
    this.#root = root
    this.#authorization = `Bearer ${token}`
  }

  static async connect({ endpoint, accessKeyId, secretAccessKey }: Pick<StartedServer, 'endpoint' | 'accessKeyId' | 'secretAccessKey'>): Promise<CatalogClient> {
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: accessKeyId, client_secret: secretAccessKey })
    const response = await fetch(`${endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: form })
    const { access_token: token } = (await response.json()) as { access_token: string }
    return new CatalogClient(`${endpoint}/iceberg/v1`, token)
  }

  async ask(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(`${this.#root}/${path}`, {
      method,
      headers: { authorization: this.#authorization, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.text() }
  }

  async headersOf(method: string, path: string): Promise<Headers> {
    const response = await fetch(`${this.#root}/${path}`, { method, headers: { authorization: this.#authorization } })
    await response.arrayBuffer()
    return response.headers
  }

  /** Must succeed. */
  async must(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await this.ask(method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
    return answer.body
  }

  async load(namespace: string, table: string): Promise<LoadedTable> {
    return JSON.parse(await this.must('GET', `lake/namespaces/${namespace}/tables/${table}`)) as LoadedTable
  }
}

export const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: true, type: 'long' }] }

export function s3Client({ endpoint, accessKeyId, secretAccessKey }: Pick<StartedServer, 'endpoint' | 'accessKeyId' | 'secretAccessKey'>): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } })
}
