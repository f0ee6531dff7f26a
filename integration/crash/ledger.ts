/**
 * What was acknowledged, kept by the client alone. Each key belongs to one writer, so at most one operation per key is
 * under way when the server dies: what is found afterwards must be the settled state or what that operation makes.
 */
import type { Content } from './content.ts'

/** An object of the unversioned bucket; `undefined` where there is none. */
export interface KeyEntry {
  settled: Content | undefined
  /** The operation under way when set; `content` is undefined for a delete. */
  pending: { readonly content: Content | undefined } | undefined
}

export type Version = Content | 'delete marker'

/** A key of the versioned bucket: acknowledged versions in the order of their writes. */
export interface VersionedEntry {
  readonly versions: Map<string, Version>
  pending: Version | undefined
}

/** A multipart upload, which goes on after a crash where it was. */
export interface UploadEntry {
  readonly key: string
  readonly uploadId: string
  readonly contents: readonly Content[]
  acknowledgedParts: number
}

/** Tables whose property `n` is set together. */
export interface TableEntry {
  readonly names: readonly string[]
  settled: number
  pending: number | undefined
}

export interface WriterLedger {
  readonly keys: Map<string, KeyEntry>
  readonly versioned: Map<string, VersionedEntry>
  upload: UploadEntry | undefined
  readonly table: TableEntry
}

export function emptyLedger(names: readonly string[]): WriterLedger {
  return { keys: new Map(), versioned: new Map(), upload: undefined, table: { names, settled: 0, pending: undefined } }
}

export function entryOf(ledger: WriterLedger, key: string): KeyEntry {
  const entry = ledger.keys.get(key) ?? { settled: undefined, pending: undefined }
  ledger.keys.set(key, entry)
  return entry
}

export function versionedEntryOf(ledger: WriterLedger, key: string): VersionedEntry {
  const entry = ledger.versioned.get(key) ?? { versions: new Map(), pending: undefined }
  ledger.versioned.set(key, entry)
  return entry
}
