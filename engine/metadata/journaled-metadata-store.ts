import { checkSizes } from './keys.ts'
import type { MetadataCommits } from './metadata-commits.ts'
import { MetadataError } from './metadata-store.ts'
import type { ClosableReader, Commit, CommitResult, Entry, ListRange, MetadataStore, Row, TableWalk } from './metadata-store.ts'

/** Tells of damage in what is read. Resolves when another copy has taken its place, or when that takes too long. */
export type OnDamage = (moved: Promise<void>) => Promise<void>

/**
 * MetadataStore whose commits one committer orders and journals, and whose reads go to the index that
 * it keeps: see `docs/adr/0003-one-committer.md`.
 */
export class JournaledMetadataStore implements MetadataStore {
  #reader: ClosableReader
  readonly #commits: MetadataCommits
  readonly #onDamage: OnDamage | undefined
  #moved = Promise.withResolvers<void>()
  #closing: Promise<void> | undefined

  constructor(reader: ClosableReader, commits: MetadataCommits, onDamage?: OnDamage) {
    this.#reader = reader
    this.#commits = commits
    this.#onDamage = onDamage
  }

  get(key: Uint8Array): Promise<Entry | undefined> {
    return this.#read((reader) => reader.get(key))
  }

  list(range: ListRange): Promise<Row[]> {
    return this.#read((reader) => reader.list(range))
  }

  /** Damage that it finds is told of; another walk may then find another copy. */
  async walk(walk: TableWalk): Promise<void> {
    const reader = this.#reader
    try {
      await reader.walk(walk)
    } catch (error) {
      if (reader !== this.#reader) throw new MetadataError('Closed', 'the metadata are read elsewhere now', { cause: error })
      if (isDamage(error)) await this.#onDamage?.(this.#moved.promise)
      throw error
    }
  }

  /** Once more from another copy, where one takes the place of a damaged one in time. */
  async #read<T>(read: (reader: ClosableReader) => Promise<T>): Promise<T> {
    const reader = this.#reader
    try {
      return await read(reader)
    } catch (error) {
      if (this.#onDamage === undefined || !isDamage(error)) throw error
      const { promise: moved } = this.#moved
      if (reader === this.#reader) await this.#onDamage(moved)
      if (reader === this.#reader) throw error
      return read(this.#reader)
    }
  }

  /** Reads there from now on. The caller sees to it that nothing was committed yet that is in one of the two only. */
  readFrom(reader: ClosableReader): void {
    const before = this.#reader
    this.#reader = reader
    this.#moved.resolve()
    this.#moved = Promise.withResolvers()
    // No read is under way between two turns.
    void before.close()
  }

  async commit(commit: Commit): Promise<CommitResult> {
    if (this.#closing !== undefined) throw new MetadataError('Closed', 'the metadata store has been closed')
    checkSizes(commit)
    return this.#commits.commit(commit)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#commits.close()
    await this.#reader.close()
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof MetadataError && error.code === 'Corrupt'
}
