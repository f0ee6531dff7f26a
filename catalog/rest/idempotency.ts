import { createHash } from 'node:crypto'
import type { CatalogStore, CatalogTransaction } from '../catalog-store.ts'
import type { Caller, CatalogContext } from '../context.ts'
import { badRequest, CatalogError, type CatalogErrorCode } from '../errors.ts'
import { key, rangeOf, timeText } from '../rows/keys.ts'
import { decodeRow, encodeRow } from '../rows/rows.ts'
import type { Outcome } from './operation.ts'

/**
 * Idempotency-Key: the record of what a request did is part of the very commit that did it, so a
 * crash leaves both or none, and of two requests under one key the later one sees the record,
 * whichever worker serves it.
 */
interface IdempotencyRecord {
  /** SHA-256 of what was asked. */
  readonly requestHash: string
  readonly outcome: Outcome | { readonly kind: 'error'; readonly code: CatalogErrorCode; readonly message: string }
}

/** UUIDs of any version: some clients send version 4. */
export function idempotencyKeyOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const header = headers['idempotency-key']
  if (header === undefined) return undefined
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(header)) throw badRequest('Invalid Idempotency-Key: not a UUID')
  return header.toLowerCase()
}

export function requestHashOf(parts: { readonly operationId: string; readonly target: string; readonly body: Uint8Array | undefined }): string {
  const hash = createHash('sha256').update(JSON.stringify([parts.operationId, parts.target]))
  if (parts.body !== undefined) hash.update('\n').update(parts.body)
  return hash.digest('hex')
}

export interface IdempotentRequest {
  readonly caller: Caller
  readonly idempotencyKey: string
  readonly requestHash: string
}

/**
 * Runs `body` once for all requests with this key: a repetition gets the recorded outcome, an error
 * that would come again (4xx) included. `UnprocessableEntity` when the key was used for another request.
 */
export async function runOnce(
  context: CatalogContext, request: IdempotentRequest, body: (tx: CatalogTransaction) => Promise<Outcome>,
): Promise<Outcome> {
  return outcomeOrError(await context.store.transact(async (tx) => {
    const known = await recorded(tx, request)
    if (known !== undefined) return known
    const buffered = new BufferedTransaction(tx)
    const result = await settle(() => body(buffered))
    if (result.kind === 'error') await buffered.discard()
    else await buffered.flush()
    record(tx, context, request, result)
    return result
  }))
}

/** What a request did, or why it did nothing. */
export type Settled = IdempotencyRecord['outcome']

export function outcomeOrError(settled: Settled): Outcome {
  if (settled.kind === 'error') throw new CatalogError(settled.code, settled.message)
  return settled
}

/** What was recorded under the request's key; undefined: nothing. */
export async function recorded(tx: CatalogTransaction, request: IdempotentRequest): Promise<Settled | undefined> {
  const known = await tx.get(key('i', ...scopeOf(request)))
  return known === undefined ? undefined : recordedOutcome(decodeRow<IdempotencyRecord>(known), request.requestHash)
}

export function record(tx: CatalogTransaction, { clock }: Pick<CatalogContext, 'clock'>, request: IdempotentRequest, outcome: Settled): void {
  const scope = scopeOf(request)
  const row: IdempotencyRecord = { requestHash: request.requestHash, outcome }
  tx.put(key('i', ...scope), encodeRow(row))
  tx.put(key('j', timeText(clock.nowMs()), ...scope), encodeRow({ scope }))
}

function scopeOf({ caller, idempotencyKey }: IdempotentRequest): readonly string[] {
  return [caller.accountId, caller.principalId, idempotencyKey]
}

function recordedOutcome(record: IdempotencyRecord, requestHash: string): IdempotencyRecord['outcome'] {
  if (record.requestHash === requestHash) return repeated(record.outcome)
  return { kind: 'error', code: 'UnprocessableEntity', message: 'The Idempotency-Key was used for another request' }
}

/** What was made by then is no more new: who repeats the request gets credentials for it as anybody else does. */
function repeated(outcome: Settled): Settled {
  if (outcome.kind !== 'table' && outcome.kind !== 'staged') return outcome
  const { isNew: _, ...known } = outcome
  return known
}

/** Errors that would come again are outcomes; the others are thrown. */
export async function settle(body: () => Promise<Outcome>): Promise<Settled> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof CatalogError && error.status < 500) return { kind: 'error', code: error.code, message: error.message }
    throw error
  }
}

/**
 * Removes up to `limit` records whose lifetime, and as long again, has passed. Resolves to how many;
 * call again while it equals `limit`.
 */
export async function expireIdempotencyRecords(
  { store, clock, settings }: Pick<CatalogContext, 'clock' | 'settings'> & { readonly store: CatalogStore }, limit: number,
): Promise<number> {
  const end = key('j', timeText(Math.max(0, clock.nowMs() - 2 * settings.idempotencyLifetimeMs)))
  const expired = await store.list({ start: rangeOf(Buffer.from('j')).start, end, limit })
  if (expired.length === 0) return 0
  await store.transact(async (tx) => {
    for (const row of expired) {
      tx.delete(row.key)
      tx.delete(key('i', ...decodeRow<{ readonly scope: readonly string[] }>(row.value).scope))
    }
  })
  return expired.length
}

/** Keeps the writes back, so that a body that fails leaves none while its reads stay checked. */
class BufferedTransaction implements CatalogTransaction {
  readonly #tx: CatalogTransaction
  readonly #writes: (() => void | Promise<void>)[] = []
  readonly #pinned: string[] = []

  constructor(tx: CatalogTransaction) {
    this.#tx = tx
  }

  get(rowKey: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#tx.get(rowKey)
  }

  list(range: { readonly start: Uint8Array; readonly end: Uint8Array; readonly limit: number }): Promise<{ key: Uint8Array; value: Uint8Array }[]> {
    return this.#tx.list(range)
  }

  requireEmpty(range: { readonly start: Uint8Array; readonly end: Uint8Array }): void {
    this.#tx.requireEmpty(range)
  }

  put(rowKey: Uint8Array, value: Uint8Array): void {
    this.#writes.push(() => this.#tx.put(rowKey, value))
  }

  delete(rowKey: Uint8Array): void {
    this.#writes.push(() => this.#tx.delete(rowKey))
  }

  async putFile(...put: Parameters<CatalogTransaction['putFile']>): Promise<void> {
    this.#writes.push(() => this.#tx.putFile(...put))
  }

  async putParts(...put: Parameters<CatalogTransaction['putParts']>): Promise<void> {
    this.#writes.push(() => this.#tx.putParts(...put))
  }

  /** At once, as it reads; `discard` takes it back. */
  async pinFile(location: string): Promise<void> {
    await this.#tx.pinFile(location)
    this.#pinned.push(location)
  }

  async unpinFile(location: string): Promise<void> {
    this.#writes.push(() => this.#tx.unpinFile(location))
  }

  async deleteFile(location: string): Promise<void> {
    this.#writes.push(() => this.#tx.deleteFile(location))
  }

  emit(event: { readonly type: string; readonly subject: string; readonly detail: unknown }): void {
    this.#writes.push(() => this.#tx.emit(event))
  }

  async discard(): Promise<void> {
    for (const location of this.#pinned) await this.#tx.unpinFile(location)
  }

  async flush(): Promise<void> {
    for (const write of this.#writes) await write()
  }
}
