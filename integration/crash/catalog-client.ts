/** As much of an Iceberg REST client as commits to tables need. */
export interface Catalog {
  readonly multiTable: boolean
  readonly createTable: (name: string) => Promise<void>
  /** Set property `n` of all these tables in one commit. */
  readonly commit: (names: readonly string[], n: number) => Promise<void>
  readonly load: (name: string) => Promise<LoadedTable>
}

export interface LoadedTable {
  readonly metadataLocation: string
  readonly metadata: TableMetadata
}

export interface TableMetadata {
  readonly 'table-uuid': string
  readonly properties: Readonly<Record<string, string>>
  readonly 'metadata-log'?: readonly { readonly 'metadata-file': string }[]
}

export interface CatalogAddress {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly namespace: string
}

interface Config {
  readonly overrides?: Readonly<Record<string, string>>
  readonly defaults?: Readonly<Record<string, string>>
  readonly endpoints?: readonly string[]
}

export async function connectCatalog({ endpoint, accessKeyId, secretAccessKey, namespace }: CatalogAddress): Promise<Catalog> {
  const root = `${endpoint}/iceberg/v1`
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: accessKeyId, client_secret: secretAccessKey, scope: 'catalog' })
  const { access_token: token } = await answerOf<{ access_token: string }>(fetch(`${root}/oauth/tokens`, { method: 'POST', body: form }))
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const config = await answerOf<Config>(fetch(`${root}/config?warehouse=lake`, { headers }))
  const prefix = config.overrides?.['prefix'] ?? config.defaults?.['prefix']
  const base = prefix === undefined ? root : `${root}/${prefix}`
  const post = (path: string, body: unknown) => fetch(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const uuids = new Map<string, string>()
  const tables = `/namespaces/${namespace}/tables`

  const made = await post('/namespaces', { namespace: [namespace] })
  if (!made.ok && made.status !== 409) throw new Error(`creating the namespace: ${made.status} ${await made.text()}`)

  const load = async (name: string): Promise<LoadedTable> => {
    const loaded = await answerOf<{ 'metadata-location': string; metadata: TableMetadata }>(fetch(`${base}${tables}/${name}`, { headers }))
    uuids.set(name, loaded.metadata['table-uuid'])
    return { metadataLocation: loaded['metadata-location'], metadata: loaded.metadata }
  }
  const change = async (name: string, n: number) => ({
    identifier: { namespace: [namespace], name },
    requirements: [{ type: 'assert-table-uuid', uuid: uuids.get(name) ?? (await load(name)).metadata['table-uuid'] }],
    updates: [{ action: 'set-properties', updates: { n: String(n) } }],
  })
  return {
    multiTable: config.endpoints?.some(line => line.endsWith('/transactions/commit')) ?? false,
    load,
    async createTable(name) {
      const schema = { type: 'struct', fields: [{ id: 1, name: 'n', type: 'long', required: false }] }
      await answerOf(post(tables, { name, schema }))
    },
    async commit(names, n) {
      const changes = await Promise.all(names.map(name => change(name, n)))
      const [only] = changes
      if (only !== undefined && changes.length === 1) await answerOf(post(`${tables}/${only.identifier.name}`, only))
      else await answerOf(post('/transactions/commit', { 'table-changes': changes }))
    },
  }
}

/** The status is part of the message: a server that answers an error under this load has a defect. */
async function answerOf<T>(sent: Promise<Response>): Promise<T> {
  const response = await sent
  const text = await response.text()
  if (!response.ok) throw new UnexpectedAnswer(`${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

export class UnexpectedAnswer extends Error {}
