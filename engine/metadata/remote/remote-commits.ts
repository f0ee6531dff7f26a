import { assert, must } from '../../../base/assert.ts'
import { checksBytesOf, operationsBytesOf, writeChecks, writeOperations } from '../commit-codec.ts'
import { requestIdBytes } from '../journal/record.ts'
import { RequestIds } from '../metadata-commits.ts'
import type { MetadataCommits } from '../metadata-commits.ts'
import { MetadataError } from '../metadata-store.ts'
import type { Commit, CommitResult } from '../metadata-store.ts'
import { errorCodes, fates, firstErrorStatus } from './committer-service.ts'
import { FrameReader, frameHeaderBytes, frameKinds, writeFrameHeader } from './frames.ts'

interface Pending {
  readonly count: number
  readonly commit: Commit
  /** The newest version known when it was sent; undefined until then. */
  sentAfter: number | undefined
  readonly settle: (result: CommitResult) => void
  readonly fail: (error: Error) => void
}

export interface RemoteCommitsInput {
  /** 8 bytes that no other client has. */
  readonly sender: Uint8Array
  /** Called once when nothing is under way any more after `close`. */
  readonly onClosed: () => void
}

/**
 * Commits to a committer in another process, over whatever connection it is attached to.
 *
 * The commits of one turn of the event loop go out together. When the connection breaks, the next one
 * asks what became of each commit under way: it is settled, sent again if the journal surely lacks it,
 * or `OutcomeUnknown`.
 */
export class RemoteCommits implements MetadataCommits {
  readonly #ids: RequestIds
  readonly #onClosed: () => void
  readonly #pending = new Map<number, Pending>()
  #unsent: Pending[] = []
  #write: ((bytes: Buffer) => void) | undefined
  #reader = new FrameReader()
  #newestVersion = 0
  #flushing = false
  #closing: (() => void) | undefined

  constructor({ sender, onClosed }: RemoteCommitsInput) {
    this.#ids = new RequestIds(sender)
    this.#onClosed = onClosed
  }

  commit(commit: Commit): Promise<CommitResult> {
    return new Promise((settle, fail) => {
      const pending = { count: this.#ids.nextCount(), commit, sentAfter: undefined, settle, fail }
      this.#pending.set(pending.count, pending)
      this.#send(pending)
    })
  }

  /** A connection is there. */
  attach(write: (bytes: Buffer) => void): void {
    this.#write = write
    this.#reader = new FrameReader()
    for (const { count, sentAfter } of this.#pending.values()) if (sentAfter !== undefined) write(this.#question(count, sentAfter))
    this.#flushSoon()
  }

  /** The connection is gone; another one will be attached, or `abandon` called. */
  detach(): void {
    this.#write = undefined
  }

  /** No committer comes back: what was sent is unknown, and the rest did not happen. */
  abandon(): void {
    const lost = [...this.#pending.values()]
    this.#unsent = []
    for (const pending of lost) {
      const isSent = pending.sentAfter !== undefined
      this.#finish(pending, new MetadataError(isSent ? 'OutcomeUnknown' : 'Unwritable', isSent ? 'the committer is gone' : 'there is no committer'))
    }
  }

  receive(chunk: Buffer): void {
    for (const frame of this.#reader.read(chunk)) {
      if (frame[0] === frameKinds.hello) {
        this.#newestVersion = Math.max(this.#newestVersion, readVersionOrZero(frame, 1))
        continue
      }
      const pending = this.#pending.get(frame.readUInt32BE(1))
      if (pending === undefined) continue
      const status = frame.readUInt8(5)
      const version = readVersionOrZero(frame, 6)
      if (frame[0] === frameKinds.fate) this.#onFate(pending, must(fates[status], 'a fate is one of three'), version)
      else this.#finish(pending, status < firstErrorStatus ? resultOf(status, version) : errorOf(status, frame.toString('utf8', 14)))
    }
  }

  close(): Promise<void> {
    return new Promise((closed) => {
      this.#closing = closed
      this.#closeWhenIdle()
    })
  }

  #onFate(pending: Pending, fate: (typeof fates)[number], version: number): void {
    if (fate === 'committed') this.#finish(pending, { ok: true, version })
    else if (fate === 'unknown') this.#finish(pending, new MetadataError('OutcomeUnknown', 'the committer died, and its journal does not reach back to this commit'))
    else {
      pending.sentAfter = undefined
      this.#send(pending)
    }
  }

  #finish(pending: Pending, outcome: CommitResult | MetadataError): void {
    this.#pending.delete(pending.count)
    if (outcome instanceof MetadataError) pending.fail(outcome)
    else {
      if (outcome.ok && outcome.version > this.#newestVersion) this.#newestVersion = outcome.version
      pending.settle(outcome)
    }
    this.#closeWhenIdle()
  }

  #closeWhenIdle(): void {
    if (this.#closing === undefined || this.#pending.size > 0) return
    this.#onClosed()
    this.#closing()
    this.#closing = undefined
  }

  #send(pending: Pending): void {
    this.#unsent.push(pending)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#flushing || this.#write === undefined || this.#unsent.length === 0) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      if (this.#write !== undefined) this.#write(this.#encodeUnsent())
    })
  }

  #encodeUnsent(): Buffer {
    const sizes = this.#unsent.map(({ commit }) => ({ checks: checksBytesOf(commit), operations: operationsBytesOf(commit) }))
    const total = sizes.reduce((sum, { checks, operations }) => sum + frameHeaderBytes + requestIdBytes + 4 + checks + operations, 0)
    const bytes = Buffer.allocUnsafe(total)
    let at = 0
    for (const [index, pending] of this.#unsent.entries()) {
      const { checks, operations } = must(sizes[index], 'every commit was measured')
      at = writeFrameHeader(bytes, at, requestIdBytes + 4 + checks + operations, frameKinds.commit)
      at = this.#ids.write(bytes, at, pending.count)
      at = bytes.writeUInt32BE(checks, at)
      at = writeOperations(bytes, writeChecks(bytes, at, pending.commit), pending.commit)
      pending.sentAfter = this.#newestVersion
    }
    assert(at === total, 'commits are as long as they were measured')
    this.#unsent = []
    return bytes
  }

  #question(count: number, sentAfter: number): Buffer {
    const bytes = Buffer.alloc(frameHeaderBytes + requestIdBytes + 8)
    const at = this.#ids.write(bytes, writeFrameHeader(bytes, 0, requestIdBytes + 8, frameKinds.ask), count)
    bytes.writeBigUInt64BE(BigInt(sentAfter), at)
    return bytes
  }
}

function resultOf(status: number, version: number): CommitResult {
  return status === 0 ? { ok: false } : { ok: true, version }
}

function errorOf(status: number, message: string): MetadataError {
  return new MetadataError(must(errorCodes[status - firstErrorStatus], 'a status is a known one'), message)
}

function readVersionOrZero(frame: Buffer, offset: number): number {
  return frame.readUInt32BE(offset) * 2 ** 32 + frame.readUInt32BE(offset + 4)
}
