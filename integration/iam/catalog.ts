import type { StartedServer } from '../start-server.ts'
import type { Credentials } from './connect.ts'

export interface Vended {
  readonly prefix: string
  readonly config: Readonly<Record<string, string>>
}

export interface LoadedTable {
  readonly metadata: { readonly location: string; readonly 'table-uuid': string }
  readonly config: Readonly<Record<string, string>>
  readonly 'storage-credentials'?: readonly Vended[]
}

export interface CatalogAnswer {
  readonly status: number
  readonly body: LoadedTable & Readonly<Record<string, unknown>>
}

/** A request to the warehouse `lake`. */
export type Catalog = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<CatalogAnswer>

/** The catalog as one identity has it, by a token of its key. */
export async function catalogOf({ endpoint }: Pick<StartedServer, 'endpoint'>, credentials: Credentials, warehouse = 'lake'): Promise<Catalog> {
  const token = await tokenOf(endpoint, credentials)
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${endpoint}/iceberg/v1/${warehouse}/${path}`, {
      method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as CatalogAnswer['body'] }
  }
}

export async function tokenOf(endpoint: string, { accessKeyId, secretAccessKey }: Credentials): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id: accessKeyId, client_secret: secretAccessKey }
  const granted = await fetch(`${endpoint}/iceberg/v1/oauth/tokens`, { method: 'POST', body: new URLSearchParams(form) })
  return ((await granted.json()) as { readonly access_token: string }).access_token
}
