import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { dayMs, hourMs, KiB, MiB } from '../../base/units.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import { EngineError } from '../engine.ts'
import { hexOf, idBytes } from '../keys.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { ContentionError, transact, type Transaction } from '../metadata/transact.ts'
import { writeEvents } from '../outbox/append-event.ts'

/** What every operation of the engine works with. */
export interface EngineContext {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly random: Random
  readonly settings: EngineSettings
}

export interface EngineSettings {
  /** Bodies up to this size live in a metadata row. */
  readonly inlineBytes: number
  /** The same for objects that an adapter publishes inside a transaction (a table's metadata.json). */
  readonly transactionInlineBytes: number
  /** How long a blob stays after its last use was dropped: the time a reader has to open it. */
  readonly garbageGraceMs: number
  /** How old a blob without references must be to count as left behind: longer than any one upload takes. */
  readonly orphanGraceMs: number
  /** How long a completed upload is remembered. */
  readonly completedUploadMs: number
  /** So many events are kept for consumers that have not read them. */
  readonly outboxEvents: number
  /** So many rows, blobs or events are handled in one round of background work. */
  readonly roundLimit: number
}

export const defaultSettings: EngineSettings = {
  inlineBytes: 64 * KiB,
  transactionInlineBytes: MiB,
  garbageGraceMs: hourMs,
  orphanGraceMs: dayMs,
  completedUploadMs: 7 * dayMs,
  outboxEvents: 100_000,
  roundLimit: 1_000,
}

const maxStaleReads = 100

/** An unchecked read met a state that is already gone: the transaction body must run again. */
export class StaleReadError extends Error {
  override readonly name = 'StaleReadError'
}

/** `transact` over the context's store; the body may throw `StaleReadError` to start over. */
export async function commit<T>(context: EngineContext, body: (tx: Transaction) => Promise<T>): Promise<T> {
  const withEvents = async (tx: Transaction): Promise<T> => {
    const result = await body(tx)
    writeEvents(context, tx)
    return result
  }
  for (let attempt = 0; attempt < maxStaleReads; attempt++) {
    try {
      return (await transact(context.metadata, withEvents)).result
    } catch (error) {
      if (!(error instanceof StaleReadError)) throw error
    }
  }
  throw new ContentionError(`the state changed under ${maxStaleReads} attempts`)
}

/** A fresh id for contents and layouts. It begins with the time, so that new rows are neighbours. */
export function newContentId(context: EngineContext): string {
  const timeHex = Math.floor(context.clock.nowMs()).toString(16).padStart(12, '0')
  return timeHex + hexOf(context.random.bytes(idBytes - 6))
}

export function noSuchBucket(bucket: string): EngineError {
  return new EngineError('NoSuchBucket', 'the bucket does not exist', { bucket })
}
