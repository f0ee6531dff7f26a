import { checkSizes } from './keys.ts'
import type { MetadataCommits } from './metadata-commits.ts'
import { MetadataError } from './metadata-store.ts'
import type { ClosableReader, Commit, CommitResult, Entry, ListRange, MetadataStore, Row } from './metadata-store.ts'

/**
 * MetadataStore whose commits one committer orders and journals, and whose reads go to the index that
 * it keeps: see `docs/adr/0003-one-committer.md`.
 */
export class JournaledMetadataStore implements MetadataStore {
  readonly #reader: ClosableReader
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
