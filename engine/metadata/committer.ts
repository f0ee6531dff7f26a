import { assert, AssertionError, must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { KiB, MiB } from '../../base/units.ts'
import { DriveError } from '../drives/drive.ts'
import { pageBuffer } from '../drives/page-memory.ts'
import { within } from '../drives/within.ts'
import { decodeChecks, decodeOperations } from './commit-codec.ts'
import { Follower } from './follower.ts'
import { applyOperations, checksHold } from './index/metadata-index.ts'
import type { IndexTransaction, Position } from './index/metadata-index.ts'
import { entryBytesOf, paddedBytes, recordHeaderBytes, sealRecord, writeEntry } from './journal/record.ts'
import type { Member } from './member.ts'
import { MetadataError } from './metadata-store.ts'
import type { CommitResult } from './metadata-store.ts'
import { isFull } from './is-full.ts'
import type { KnownRequests } from './known-requests.ts'

/** One batch is bounded, so that no commit waits behind an endless one. */
const batchCommits = 1024
const batchBytes = 32 * MiB
const defaultCheckpointBytes = 16 * MiB

/** A commit as a client sent it: see `commit-codec.ts`. Its bytes stay unchanged until it is settled. */
export interface CommitRequest {
  /** 12 bytes that no other request has. */
  readonly requestId: Buffer
  readonly checks: Buffer
  readonly operations: Buffer
  settle(result: CommitResult): void
  fail(error: Error): void
}

/**
 * What it takes after the committer has stopped. `newCommitter`: another one reads the journal.
 * `newServer`: the index as the system holds it cannot be trusted, and everybody who reads it must let go.
 */
export type Remedy = 'newCommitter' | 'newServer'

export interface CommitterInput {
  /** The first is the one that is read. */
  readonly members: readonly Member[]
  readonly known: KnownRequests
  /** Why every commit is refused (`Unwritable`): the member is there to be read. */
  readonly readOnly?: string | undefined
  /** After so much in a member's journal its index is made durable, so that the journal can be cut. */
  readonly checkpointBytes?: number
  /** Resolves once what arrives together has been submitted, to share a batch: the end of the turn, where none is given. */
  readonly gather?: () => Promise<void>
  /** For the mutation check only: answers before the journals are durable, which is wrong. */
  readonly acknowledgeEarly?: boolean
  /** Called when it has let go of everything. */
  readonly onClosed?: () => void
  /** Called once, before anybody is told; `failed`: the copies because of which it stops, where these are known. */
  readonly onFailure?: (remedy: Remedy, failed: readonly MemberFailure[]) => void
  /** How long a copy may take to make a record durable, where there are others; without, for ever. */
  readonly patience?: { readonly clock: Clock; readonly ms: number } | undefined
}

export interface MemberFailure {
  readonly id: string
  readonly error: unknown
}

type Outcome = { readonly result: CommitResult } | { readonly error: Error }

/**
 * Orders all commits of a server. For one batch after another: evaluates the checks of each commit at
 * its place and changes the index, in a transaction that nobody sees; makes one record of the batch
 * durable in the journals of all members; makes the transaction visible; answers.
 *
 * A batch that fails before its record is written changed nothing (`Full`, `Unwritable`). Once the record may
 * be durable, a failure is `OutcomeUnknown`, and the committer takes no more commits: a restart finds out.
 */
export class Committer {
  /** Its index is what readers see. */
  readonly #member: Member
  readonly #followers: readonly Follower[]
  readonly #members: readonly Member[]
  readonly #known: KnownRequests
  #waiting: CommitRequest[] = []
  #working: Promise<void> | undefined
  #state: 'open' | 'closed' | { readonly failure: MetadataError } = 'open'
  #checkpointing: Promise<void> | undefined
  /** Of whole pages, for the drives to take them as they lie. Made for the first record. */
  #pages: Buffer | undefined
  readonly #checkpointBytes: number
  readonly #gather: () => Promise<void>
  readonly #acknowledgeEarly: boolean
  readonly #onClosed: () => void
  readonly #onFailure: (remedy: Remedy, failed: readonly MemberFailure[]) => void
  readonly #patience: CommitterInput['patience']
  /** Copies that failed, the latest last. */
  readonly #failed: MemberFailure[] = []

  constructor(input: CommitterInput) {
    const { members, known, checkpointBytes = defaultCheckpointBytes, gather = () => Promise.resolve(), acknowledgeEarly = false, readOnly, patience, onFailure = () => {}, onClosed = () => {} } = input
    this.#checkpointBytes = checkpointBytes
    this.#gather = gather
    this.#patience = patience
    this.#acknowledgeEarly = acknowledgeEarly
    this.#onClosed = onClosed
    const [first, ...others] = members
    this.#members = members
    this.#member = must(first, 'a committer has a member')
    this.#followers = others.map((member) => new Follower(member, checkpointBytes, (cause) => {
      this.#failed.push({ id: member.id, error: cause })
      this.#stop(stopped(cause), 'newCommitter')
    }))
    this.#known = known
    this.#onFailure = onFailure
    if (readOnly !== undefined) this.#state = { failure: new MetadataError('Unwritable', readOnly) }
  }

  /** Whether a copy is no longer where it was opened: wiped, unmounted, replaced. Asks its drive, and returns when that answers. */
  isMisplaced(id: string): boolean {
    return this.#members.some((member) => member.id === id && !member.index.isInPlace())
  }

  /** Of the newest commit that is visible. */
  get version(): number {
    return this.#member.index.position.version
  }

  /** Never throws: the request is settled or failed, now or later. */
  submit(request: CommitRequest): void {
    if (this.#state !== 'open') {
      request.fail(this.#state === 'closed' ? new MetadataError('Closed', 'the metadata store has been closed') : this.#state.failure)
      return
    }
    this.#waiting.push(request)
    this.#working ??= this.#work()
  }

  /** Resolves when nothing waits and every copy has everything. */
  async settled(): Promise<void> {
    await this.#working
    await this.#checkpointing
    for (const follower of this.#followers) await follower.settled()
  }

  /** Finishes what waits, makes the index durable, and lets go of everything. Idempotent. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const failed = this.#state !== 'open'
    this.#state = 'closed'
    await this.settled()
    for (const member of this.#members) {
      if (!failed) await member.checkpoint()
      await member.close()
    }
    this.#onClosed()
  }

  async #work(): Promise<void> {
    for (await this.#gather(); this.#waiting.length > 0; await this.#gather()) await this.#commitBatch(this.#takeBatch())
    this.#working = undefined
  }

  #takeBatch(): CommitRequest[] {
    let count = 0
    for (let bytes = 0; count < this.#waiting.length && count < batchCommits; count++) {
      bytes += this.#waiting[count]?.operations.length ?? 0
      if (count > 0 && bytes > batchBytes) break
    }
    return this.#waiting.splice(0, count)
  }

  async #commitBatch(batch: readonly CommitRequest[], isRetry = false): Promise<void> {
    const outcomes: Outcome[] = []
    const progress = { isWritten: false }
    try {
      await this.#member.index.write((transaction) => this.#prepareAndLog(transaction, batch, outcomes, progress))
    } catch (thrown) {
      const failure = failureOf(thrown, progress.isWritten)
      // Nothing of it is anywhere, but a copy fails: the next committer goes on without it.
      const isCopyLost = (failure.code === 'Unwritable' || failure.code === 'Corrupt') && this.#members.length > 1
      if (progress.isWritten || isCopyLost) this.#stop(failure, 'newCommitter')
      else if (failure.code === 'Full' && (await this.#retry(batch, isRetry))) return
      for (const request of batch) request.fail(failure)
      return
    }
    for (const [at, request] of batch.entries()) {
      const outcome = outcomes[at]
      assert(outcome !== undefined, 'every commit of a batch has an outcome')
      if ('error' in outcome) {
        request.fail(outcome.error)
        continue
      }
      if (outcome.result.ok) this.#known.add(request.requestId, outcome.result.version)
      request.settle(outcome.result)
    }
    if (this.#member.journal.usedBytes > this.#checkpointBytes) this.#checkpointing ??= this.#checkpoint([this.#member])
  }

  async #prepareAndLog(transaction: IndexTransaction, batch: readonly CommitRequest[], outcomes: Outcome[], progress: { isWritten: boolean }): Promise<void> {
    const before = this.#member.index.position
    const accepted: CommitRequest[] = []
    for (const request of batch) {
      const outcome = outcomeOf(transaction, request, before.version + accepted.length + 1)
      // A row that is damaged in this copy is whole in another.
      if ('error' in outcome && isCorrupt(outcome.error) && this.#members.length > 1) {
        this.#failed.push({ id: this.#member.id, error: outcome.error })
        throw outcome.error
      }
      outcomes.push(outcome)
      if ('result' in outcome && outcome.result.ok) accepted.push(request)
    }
    if (accepted.length === 0) return
    const { position, bytes } = this.#seal(accepted, before)
    transaction.setPosition(position)
    const room = { recordBytes: bytes.length, commits: accepted.length, frees: accepted.every(deletes) }
    for (const member of this.#members) await this.#watched(member, member.reserve(room))
    const onWriting = (): void => {
      progress.isWritten = true
    }
    const appends = this.#members.map((member) => this.#watched(member, member.journal.append(bytes, position.seq, onWriting)))
    // All are waited for, even when one fails: nothing goes on behind our back.
    const done = Promise.allSettled(appends)
    const failed = this.#acknowledgeEarly ? undefined : (await done).find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    for (const follower of this.#followers) await this.#watched(follower.member, follower.follow(bytes))
  }

  /** A copy that fails is remembered; one that takes too long fails, where there are others. */
  async #watched<T>(member: Member, work: Promise<T>): Promise<T> {
    try {
      return await (this.#patience === undefined || this.#members.length === 1 ? work : within(this.#patience.clock, this.#patience.ms, 'the drive', work))
    } catch (error) {
      if (!isFull(error)) this.#failed.push({ id: member.id, error })
      throw error
    }
  }

  #seal(accepted: readonly CommitRequest[], before: Position): { readonly position: Position; readonly bytes: Buffer } {
    const bodyBytes = accepted.reduce((sum, { operations }) => sum + entryBytesOf(operations.length), 0)
    const padded = paddedBytes(bodyBytes)
    const record = this.#room(padded)
    let at = recordHeaderBytes
    for (const request of accepted) at = writeEntry(record, at, request)
    const header = { kind: 'commits', commits: accepted.length, epoch: before.epoch, seq: before.seq + 1, firstVersion: before.version + 1, previous: before.checksum } as const
    const checksum = sealRecord(record, header, bodyBytes)
    const position = { epoch: header.epoch, seq: header.seq, checksum, version: before.version + accepted.length }
    return { position, bytes: record.subarray(0, padded) }
  }

  /** For one record, until the next one. A large batch leaves no large buffer behind. */
  #room(bytes: number): Buffer {
    if (bytes > MiB) return Buffer.allocUnsafe(bytes)
    if (this.#pages === undefined || this.#pages.length < bytes) this.#pages = pageBuffer(Math.max(64 * KiB, 2 ** Math.ceil(Math.log2(bytes))))
    return this.#pages
  }

  /** Once there is more room, and then each commit alone: a delete may fit where a put does not. */
  async #retry(batch: readonly CommitRequest[], isRetry: boolean): Promise<boolean> {
    if (!isRetry && (await this.#makeRoom())) {
      await this.#commitBatch(batch, true)
      return true
    }
    if (batch.length === 1) return false
    for (const request of batch) await this.#commitBatch([request], true)
    return true
  }

  /** A checkpoint frees what the journal held and the pages that the one before had kept; whether there was one to make. */
  async #makeRoom(): Promise<boolean> {
    await this.#checkpointing
    for (const follower of this.#followers) await follower.settled()
    if (this.#state !== 'open' || this.#members.every(({ isCheckpointed }) => isCheckpointed)) return false
    this.#checkpointing = this.#checkpoint(this.#members)
    await this.#checkpointing
    return true
  }

  async #checkpoint(members: readonly Member[]): Promise<void> {
    try {
      await Promise.all(members.map((member) => this.#watched(member, member.checkpoint())))
    } catch (cause) {
      // The system may have dropped what it could not write: only a restart from the last checkpoint
      // and the journal brings it back, or another copy.
      this.#stop(new MetadataError('OutcomeUnknown', 'the index cannot be made durable', { cause }), this.#members.length > 1 ? 'newCommitter' : 'newServer')
    } finally {
      this.#checkpointing = undefined
    }
  }

  #stop(failure: MetadataError, remedy: Remedy): void {
    if (this.#state !== 'open') return
    this.#state = { failure }
    this.#onFailure(remedy, this.#failed)
    for (const request of this.#waiting.splice(0)) request.fail(new MetadataError('OutcomeUnknown', 'the committer stopped'))
  }
}

function stopped(cause: unknown): MetadataError {
  return new MetadataError('OutcomeUnknown', 'a copy of the metadata failed', { cause })
}

function isCorrupt(error: Error): boolean {
  return error instanceof MetadataError && error.code === 'Corrupt'
}

function deletes({ operations }: CommitRequest): boolean {
  return decodeOperations(operations).deletes.length > 0
}

function outcomeOf(transaction: IndexTransaction, { checks, operations }: CommitRequest, version: number): Outcome {
  try {
    if (!checksHold(transaction, decodeChecks(checks))) return { result: { ok: false } }
  } catch (error) {
    if (error instanceof MetadataError) return { error }
    throw error
  }
  applyOperations(transaction, decodeOperations(operations), version)
  return { result: { ok: true, version } }
}

function failureOf(thrown: unknown, isWritten: boolean): MetadataError {
  if (thrown instanceof AssertionError) throw thrown
  if (isWritten) return new MetadataError('OutcomeUnknown', 'the commit may have reached the journal', { cause: thrown })
  if (thrown instanceof MetadataError && thrown.code !== 'OutcomeUnknown') return thrown
  if (thrown instanceof DriveError && thrown.code === 'Full') return new MetadataError('Full', 'no space left for the journal', { cause: thrown })
  return new MetadataError('Unwritable', 'journal or index cannot be written', { cause: thrown })
}
