import { checkSizes } from './keys.ts'
import type { MetadataCommits } from './metadata-commits.ts'
import { MetadataError } from './metadata-store.ts'
import type { ClosableReader, Commit, CommitResult, Entry, ListRange, MetadataStore, Row } from './metadata-store.ts'

/**
 * MetadataStore whose commits one committer orders and journals, and whose reads go to the index that
 * it keeps: see `docs/adr/0003-one-committer.md`.
 */
export class JournaledMetadataStore implements MetadataStore {
  #reader: ClosableReader
  readonly #commits: MetadataCommits
  #closing: Promise<void> | undefined

  constructor(reader: ClosableReader, commits: MetadataCommits) {
    this.#reader = reader
    this.#commits = commits
  }

  get(key: Uint8Array): Promise<Entry | undefined> {
    return this.#reader.get(key)
  }

  list(range: ListRange): Promise<Row[]> {
    return this.#reader.list(range)
  }

  /** Reads there from now on. The caller sees to it that nothing was committed yet that is in one of the two only. */
  readFrom(reader: ClosableReader): void {
    const before = this.#reader
    this.#reader = reader
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
