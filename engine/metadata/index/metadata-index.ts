import type { Check, KeyRange } from '../metadata-store.ts'
import type { Operations } from '../commit-codec.ts'
import { appendKey, bufferOf } from '../keys.ts'
import { decodeRow } from '../row-format.ts'

/** Up to where the journal has been applied. */
export interface Position {
  readonly epoch: number
  readonly seq: number
  /** Of the record with this `seq`: the next one names it as `previous`. */
  readonly checksum: bigint
  /** Of the newest commit. */
  readonly version: number
}

export const origin: Position = { epoch: 0, seq: 0, checksum: 0n, version: 0 }

/**
 * MetadataIndex: what readers look rows up in. Not the truth: the journal is, and an index is brought
 * up to it again from any earlier state of its own.
 *
 * - `write` makes its changes visible to all readers together, and keeps no promise after a power loss.
 * - What `pin` names stays on the drive, untouched by later writes, until it is released; once a
 *   `sync` that began after the pin resolved, a restart finds it there through its `snapshot`.
 */
export interface MetadataIndex {
  readonly position: Position
  /** One at a time. A rejected one changed nothing. */
  write<T>(body: (transaction: IndexTransaction) => Promise<T>): Promise<T>
  /** Makes sure that a `write` will find room on the drive, whatever else fills it. Throws `Full`; nothing changed. */
  reserve(room: Room): void
  /** Not while a `write` is under way. */
  pin(): IndexPin
  sync(): Promise<void>
  /** What is open is still what stands in its directory. */
  isInPlace(): boolean
  close(): Promise<void>
}

export interface Room {
  /** What the write changes, at most. */
  readonly bytes: number
  /** It deletes too: it may use what is held back from those that only add, or nothing could be deleted from a full drive. */
  readonly frees: boolean
  /** All that is visible is pinned: every free page may be used. */
  readonly isPinned: boolean
}

export interface IndexPin {
  /** What the index needs to go back to this state after a power loss. */
  readonly snapshot: Buffer
  readonly position: Position
  release(): void
}

/** Sees its own changes. */
export interface IndexTransaction {
  /** The row as it is stored, valid until the next call. */
  get(key: Buffer): Buffer | undefined
  isEmpty(range: KeyRange): boolean
  put(key: Uint8Array, version: number, value: Uint8Array): void
  delete(key: Uint8Array): void
  /** The newest position; put once, after the changes that lead to it. */
  setPosition(position: Position): void
}

/** Throws `Corrupt`. */
export function checksHold(transaction: IndexTransaction, checks: readonly Check[]): boolean {
  return checks.every((check) =>
    'empty' in check ? transaction.isEmpty(check.empty) : versionAt(transaction, bufferOf(check.key)) === check.version,
  )
}

export function applyOperations(transaction: IndexTransaction, { puts, deletes, appends }: Operations, version: number): void {
  for (const key of deletes) transaction.delete(key)
  for (const { key, value } of puts) transaction.put(key, version, value)
  for (const [index, { prefix, value }] of appends.entries()) transaction.put(appendKey(prefix, version, index), version, value)
}

function versionAt(transaction: IndexTransaction, key: Buffer): number | undefined {
  const stored = transaction.get(key)
  return stored === undefined ? undefined : decodeRow(key, stored, stored.length).version
}
