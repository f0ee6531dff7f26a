import { encodeCommit } from './commit-codec.ts'
import type { Committer } from './committer.ts'
import { requestIdBytes } from './journal/record.ts'
import { RequestIds } from './metadata-commits.ts'
import type { MetadataCommits } from './metadata-commits.ts'
import type { Commit, CommitResult } from './metadata-store.ts'

/** Commits to a committer in this process. */
export class LocalCommits implements MetadataCommits {
  readonly #committer: Committer
  readonly #ids: RequestIds

  constructor(committer: Committer, sender: Uint8Array) {
    this.#committer = committer
    this.#ids = new RequestIds(sender)
  }

  commit(commit: Commit): Promise<CommitResult> {
    return new Promise((settle, fail) => {
      const requestId = Buffer.alloc(requestIdBytes)
      this.#ids.write(requestId, 0, this.#ids.nextCount())
      this.#committer.submit({ requestId, ...encodeCommit(commit), settle, fail })
    })
  }

  close(): Promise<void> {
    return this.#committer.close()
  }
}
