import type { Append, Check, Entry, KeyRange, ListRange, MetadataReader, MetadataStore, Put, Row } from './metadata-store.ts'

/**
 * One optimistic transaction: reads are recorded as checks, writes are kept until the body is done,
 * then everything is one `MetadataStore.commit`. When a check fails the body runs again from the
 * start, so a body must be repeatable: it may read, plan and stage, and nothing else.
 */
export interface Transaction {
  /** The row's value; the commit fails if the row has changed by then. Own writes are not seen. */
  get(key: Uint8Array): Promise<Buffer | undefined>
  /** As `get`, without the check: for values that never change once written. */
  peek(key: Uint8Array): Promise<Entry | undefined>
  /** Rows without checks: plan from them, then `get` what the decision rests on. */
  list(range: ListRange): Promise<Row[]>
  /** The commit fails unless the range is empty at that time. */
  requireEmpty(range: KeyRange): void
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
  append(prefix: Uint8Array, value: Uint8Array): void
}

export interface TransactOptions {
  /** How often the body may run before `ContentionError`. */
  readonly attempts?: number
}

/** Other writers won every attempt; nothing changed. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError'
}

export interface Committed<T> {
  readonly result: T
  /** The commit's version; undefined when the body wrote nothing, so nothing was committed. */
  readonly version: number | undefined
}

/**
 * Runs `body` and commits what it wrote. An error thrown by the body means no commit, and a body
 * that writes nothing commits nothing. Both count only if the rows it read were so at one time:
 * else the body runs again, as after a failed check. (A row that is absent before and after is
 * taken to have been absent in between.)
 */
export async function transact<T>(
  store: MetadataStore,
  body: (tx: Transaction) => Promise<T>,
  { attempts = 1000 }: TransactOptions = {},
): Promise<Committed<T>> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const tx = new OptimisticTransaction(store)
    let result: T
    try {
      result = await body(tx)
    } catch (error) {
      if (await tx.readsHold()) throw error
      continue
    }
    if (tx.puts.size === 0 && tx.deletes.size === 0 && tx.appends.length === 0) {
      if (await tx.readsHold()) return { result, version: undefined }
      continue
    }
    const outcome = await store.commit({
      checks: tx.checks,
      puts: [...tx.puts.values()],
      deletes: [...tx.deletes.values()],
      appends: tx.appends,
    })
    if (outcome.ok) return { result, version: outcome.version }
  }
  throw new ContentionError(`other writers won ${attempts} times`)
}

class OptimisticTransaction implements Transaction {
  readonly checks: Check[] = []
  readonly puts = new Map<string, Put>()
  readonly deletes = new Map<string, Uint8Array>()
  readonly appends: Append[] = []
  readonly #reader: MetadataReader

  constructor(reader: MetadataReader) {
    this.#reader = reader
  }

  async get(key: Uint8Array): Promise<Buffer | undefined> {
    const entry = await this.#reader.get(key)
    this.checks.push({ key, version: entry?.version })
    return entry?.value
  }

  /** Rows that are unchanged now were so when the last one was read, so all of them were so then. */
  async readsHold(): Promise<boolean> {
    for (const check of this.checks.slice(0, -1)) {
      if ('empty' in check) {
        if ((await this.#reader.list({ ...check.empty, limit: 1 })).length > 0) return false
      } else if ((await this.#reader.get(check.key))?.version !== check.version) return false
    }
    return true
  }

  peek(key: Uint8Array): Promise<Entry | undefined> {
    return this.#reader.get(key)
  }

  list(range: ListRange): Promise<Row[]> {
    return this.#reader.list(range)
  }

  requireEmpty(range: KeyRange): void {
    this.checks.push({ empty: range })
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const name = nameOf(key)
    this.deletes.delete(name)
    this.puts.set(name, { key, value })
  }

  delete(key: Uint8Array): void {
    const name = nameOf(key)
    this.puts.delete(name)
    this.deletes.set(name, key)
  }

  append(prefix: Uint8Array, value: Uint8Array): void {
    this.appends.push({ prefix, value })
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
