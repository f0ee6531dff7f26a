import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { createCatalog, type Catalog, type CatalogRequest } from './catalog.ts'
import type { CatalogStore } from './catalog-store.ts'
import type { Caller, CatalogSettings } from './context.ts'
import type { Json } from './json/json.ts'
import { parseJson } from './json/parse.ts'
import { stringifyJsonBytes } from './json/stringify.ts'
import { MemoryCatalogStore } from './memory-catalog-store.ts'
import type { CatalogResponse } from './rest/render.ts'

/** What the catalog's own tests share: a repeatable world and a client that speaks its operations. */

export const owner: Caller = { accountId: '111111111111', principalId: 'OWNER', isRoot: false }
export const stranger: Caller = { accountId: '222222222222', principalId: 'STRANGER', isRoot: false }

export class TestClock implements Clock {
  ms = 1_700_000_000_000
  nowMs(): number {
    return this.ms++
  }
  monotonicMs(): number {
    return this.ms
  }
  async sleep(): Promise<void> {}
}

export function seededRandom(seed: string): Random {
  let counter = 0
  return {
    bytes(count) {
      const blocks: Buffer[] = []
      for (let size = 0; size < count; size += 32) blocks.push(createHash('sha256').update(`${seed}/${counter++}`).digest())
      return Buffer.concat(blocks).subarray(0, count)
    },
  }
}

export interface TestAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Parsed; `any` member may be read. */
  readonly body: Record<string, Json>
  readonly errorType: string | undefined
}

export interface TestCatalog {
  readonly catalog: Catalog
  readonly store: CatalogStore
  readonly clock: TestClock
  call(operationId: CatalogRequest['operationId'], request?: CallOptions): Promise<TestAnswer>
}

export interface CallOptions {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
  readonly caller?: Caller
}

const fileIoProperties = { 's3.endpoint': 'http://127.0.0.1:9000', 's3.path-style-access': 'true' }

/** A catalog with one warehouse, `lake`, in a bucket of that name. */
export async function testCatalog(
  store: CatalogStore = new MemoryCatalogStore(['lake']), seed = 'test', settings: Partial<CatalogSettings> = {}, clock = new TestClock(),
): Promise<TestCatalog> {
  const catalog = createCatalog({
    store,
    clock,
    random: seededRandom(seed),
    settings: { idempotencyLifetimeMs: 1_800_000, ...settings },
    buckets: { ensureBucket: async () => {} },
    onInternalError: (error) => {
      throw error
    },
  })
  await catalog.ensureWarehouse({ name: 'lake', bucket: 'lake', ownerAccountId: owner.accountId })
  return {
    catalog,
    store,
    clock,
    async call(operationId, { path = {}, query = {}, headers = {}, body, caller = owner } = {}) {
      const response = await catalog.run({
        operationId, caller, query, headers, fileIoProperties, path: { prefix: 'lake', ...path }, body: body === undefined ? undefined : stringifyJsonBytes(body),
      })
      const text = await textOf(response.body)
      const parsed = text === undefined ? {} : (parseJson(text) as Record<string, Json>)
      const error = parsed['error'] as { readonly type: string } | undefined
      return { status: response.status, headers: response.headers, body: parsed, errorType: error?.type }
    },
  }
}

async function textOf(body: CatalogResponse['body']): Promise<string | undefined> {
  if (body === undefined || typeof body === 'string') return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** The same thing but for some of its members: a store that fails, or lets others go first. */
export function withOwn<T extends object>(inner: T, own: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const owner = Object.hasOwn(own, name) ? own : target
      const member: unknown = Reflect.get(owner, name)
      return typeof member === 'function' ? (member.bind(owner) as unknown) : member
    },
  })
}

export const simpleSchema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'id', required: true, type: 'long' },
    { id: 2, name: 'name', required: false, type: 'string' },
  ],
} as const satisfies Json
