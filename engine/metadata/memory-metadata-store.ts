import { must } from '../../base/assert.ts'
import { appendKey, checkKey, checkSizes, seekableRange } from './keys.ts'
import { MetadataError } from './metadata-store.ts'
import type { Commit, CommitResult, Entry, KeyRange, ListRange, MetadataStore, Row, TableWalk } from './metadata-store.ts'
import { RowDigests, TableProof } from './row-digests.ts'
import { decodeRow, encodeRow } from './row-format.ts'

export interface MemoryMetadataOptions {
  /** Stands for the drive's sync: a batch is durable once this resolves, `OutcomeUnknown` when it rejects. */
  readonly sync?: () => Promise<void>
  /** For the mutation check only: shows and acknowledges commits before their sync, which is wrong. */
  readonly acknowledgeEarly?: boolean
}

interface PendingCommit {
  readonly commit: Commit
  readonly settle: (result: CommitResult) => void
  readonly fail: (error: Error) => void
}

type Outcome = { readonly result: CommitResult } | { readonly error: Error }

/**
 * MetadataStore in memory, for tests and the simulation. It commits as a durable store does: the
 * commits that are waiting become one batch, the batch is synced, and only then is it visible.
 */
export class MemoryMetadataStore implements MetadataStore {
  readonly #sync: () => Promise<void>
  readonly #acknowledgeEarly: boolean
  /** What readers see. */
  #visible: Table
  /** What a power loss leaves. */
  #durable: Table
  /** What the sync under way will make durable. */
  #inFlight: Table | undefined
  #waiting: PendingCommit[] = []
  #unsettled: PendingCommit[] = []
  #writing: Promise<void> | undefined
  #state: 'open' | 'closed' | 'crashed' = 'open'

  constructor(options: MemoryMetadataOptions = {}, table: Table = new Table()) {
    this.#sync = options.sync ?? (() => Promise.resolve())
    this.#acknowledgeEarly = options.acknowledgeEarly ?? false
    this.#visible = table
    this.#durable = table
  }

  async get(key: Uint8Array): Promise<Entry | undefined> {
    this.#requireOpen()
    checkKey(key)
    return this.#visible.get(key)
  }

  async list(range: ListRange): Promise<Row[]> {
    this.#requireOpen()
    return this.#visible.list(range)
  }

  async walk({ table, onRows }: TableWalk): Promise<void> {
    this.#requireOpen()
    const { proof, rows } = this.#visible.prove(table)
    for (let first = 0; first < rows.length; first += pageRows) await onRows(rows.slice(first, first + pageRows))
    proof()
  }

  async commit(commit: Commit): Promise<CommitResult> {
    this.#requireOpen()
    checkSizes(commit)
    return new Promise((settle, fail) => {
      this.#waiting.push({ commit, settle, fail })
      this.#writing ??= this.#writeBatches()
    })
  }

  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed'
    await this.#writing
  }

  /**
   * Power is lost: the store that a restart finds. It holds every batch whose sync had resolved,
   * and the batch in flight as a whole if `keepsBatchInFlight`. This store is dead from now on;
   * commits under way fail with `OutcomeUnknown`.
   */
  crash(keepsBatchInFlight: boolean, options: MemoryMetadataOptions = {}): MemoryMetadataStore {
    this.#state = 'crashed'
    const lost = new MetadataError('OutcomeUnknown', 'power was lost')
    for (const { fail } of [...this.#unsettled, ...this.#waiting]) fail(lost)
    this.#waiting = []
    return new MemoryMetadataStore(options, (keepsBatchInFlight ? this.#inFlight : undefined) ?? this.#durable)
  }

  /** For tests of integrity: changes the stored bytes of a row behind the store's back. */
  tamper(key: Uint8Array, change: (stored: Buffer) => void): void {
    change(must(this.#visible.storedAt(key), 'the row to tamper with is there'))
  }

  /** As a damaged page does: a row is there no more that nobody has deleted, or one from before. What was there. */
  misplace(key: Uint8Array, stored: Buffer | undefined): Buffer | undefined {
    return this.#visible.misplace(key, stored)
  }

  async #writeBatches(): Promise<void> {
    // Everything that commits in the same turn shares the batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#writeBatch()
    this.#writing = undefined
  }

  async #writeBatch(): Promise<void> {
    const batch = (this.#unsettled = this.#waiting)
    this.#waiting = []
    const table = this.#visible.copy()
    const outcomes = batch.map(({ commit }) => outcomeOf(table, commit))
    this.#inFlight = table
    if (this.#acknowledgeEarly) this.#publish(table, batch, outcomes)
    try {
      await this.#sync()
    } catch (cause) {
      for (const { fail } of batch) fail(new MetadataError('OutcomeUnknown', 'the sync failed', { cause }))
      return
    } finally {
      this.#inFlight = undefined
    }
    if (this.#state === 'crashed') return
    this.#durable = table
    if (!this.#acknowledgeEarly) this.#publish(table, batch, outcomes)
  }

  #publish(table: Table, batch: readonly PendingCommit[], outcomes: readonly Outcome[]): void {
    this.#visible = table
    this.#unsettled = []
    for (const [index, { settle, fail }] of batch.entries()) {
      const outcome = must(outcomes[index], 'every commit of a batch has an outcome')
      if ('error' in outcome) fail(outcome.error)
      else settle(outcome.result)
    }
  }

  #requireOpen(): void {
    if (this.#state !== 'open') throw new MetadataError('Closed', `the metadata store is ${this.#state}`)
  }
}

const pageRows = 256

interface StoredRow {
  readonly key: Buffer
  readonly stored: Buffer
}

/** Rows in key order, as bytes with their checksums, and the newest version. */
class Table {
  #rows: StoredRow[] = []
  #version = 0
  #digests = new RowDigests()

  copy(): Table {
    const copy = new Table()
    copy.#rows = this.#rows.slice()
    copy.#version = this.#version
    copy.#digests = new RowDigests(this.#digests)
    return copy
  }

  get(key: Uint8Array): Entry | undefined {
    const stored = this.storedAt(key)
    if (stored === undefined) return undefined
    const { value, version } = decodeRow(key, stored, stored.length)
    return { value, version }
  }

  storedAt(key: Uint8Array): Buffer | undefined {
    const row = this.#rows[this.#seek(key)]
    return row !== undefined && Buffer.compare(row.key, key) === 0 ? row.stored : undefined
  }

  list({ start, end, limit, reverse = false }: ListRange): Row[] {
    const range = seekableRange({ start, end })
    if (range === undefined || limit <= 0) return []
    const first = this.#seek(range.start)
    const last = this.#seek(range.end)
    const rows = reverse ? this.#rows.slice(Math.max(first, last - limit), last).reverse() : this.#rows.slice(first, Math.min(last, first + limit))
    return rows.map(({ key, stored }) => decodeRow(key, stored, stored.length))
  }

  /** The rows of a table, and what throws unless these are all. */
  prove(table: number): { readonly rows: Row[]; readonly proof: () => void } {
    const proof = new TableProof(table)
    const stored = this.#rows.slice(this.#seek(Buffer.of(table)), this.#seek(Buffer.of(table + 1)))
    const kept = new RowDigests(this.#digests)
    for (const row of stored) proof.meet(row.key, row.stored, row.stored.length)
    return { rows: stored.map((row) => decodeRow(row.key, row.stored, row.stored.length)), proof: () => proof.requireAll(kept) }
  }

  misplace(key: Uint8Array, stored: Buffer | undefined): Buffer | undefined {
    const before = this.storedAt(key)
    this.#rows.splice(this.#seek(key), before === undefined ? 0 : 1, ...(stored === undefined ? [] : [{ key: Buffer.from(key), stored }]))
    return before
  }

  isEmpty(range: KeyRange): boolean {
    const { start, end } = range
    return this.list({ start, end, limit: 1 }).length === 0
  }

  apply({ puts, deletes, appends }: Commit): number {
    const version = ++this.#version
    for (const key of deletes) this.#delete(key)
    for (const { key, value } of puts) this.#put(key, version, value)
    for (const [index, { prefix, value }] of appends.entries()) this.#put(appendKey(prefix, version, index), version, value)
    return version
  }

  #put(key: Uint8Array, version: number, value: Uint8Array): void {
    const row = { key: Buffer.from(key), stored: encodeRow(key, version, value) }
    this.#countOut(key)
    this.#rows.splice(this.#seek(key), this.storedAt(key) === undefined ? 0 : 1, row)
    this.#digests.add(row.key.readUInt8(0), row.stored, row.stored.length)
  }

  #delete(key: Uint8Array): void {
    this.#countOut(key)
    if (this.storedAt(key) !== undefined) this.#rows.splice(this.#seek(key), 1)
  }

  #countOut(key: Uint8Array): void {
    const stored = this.storedAt(key)
    if (stored !== undefined) this.#digests.remove(key[0] ?? 0, stored, stored.length)
  }

  /** The index of the first row whose key is not smaller. */
  #seek(key: Uint8Array): number {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = must(this.#rows[middle], 'the middle lies within the rows')
      if (Buffer.compare(row.key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function outcomeOf(table: Table, commit: Commit): Outcome {
  try {
    const holds = commit.checks.every((check) =>
      'empty' in check ? table.isEmpty(check.empty) : table.get(check.key)?.version === check.version,
    )
    return { result: holds ? { ok: true, version: table.apply(commit) } : { ok: false } }
  } catch (error) {
    if (error instanceof MetadataError) return { error }
    throw error
  }
}
