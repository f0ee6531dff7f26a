import { inBatches } from '../../base/batches.ts'
import { secondMs } from '../../base/units.ts'
import { BlobError, type BlobRef } from '../blobs/blob-store.ts'
import { chooseSet } from '../drives/set-intake.ts'
import { EngineError } from '../engine.ts'
import { movedRow, referenceRange, tableRange, tables } from '../keys.ts'
import { referenceInUse } from '../objects/contents.ts'
import type { EngineContext } from '../objects/context.ts'
import type { BlobCopier } from './blob-copier.ts'
import { type BlobUse, setOfBlob, usesIn, usingRows, usingTables } from './blob-uses.ts'
import { moveUse } from './move-use.ts'
import { neediest, planRebalance } from './plan-rebalance.ts'
import { closeSet, markEmpty } from './set-states.ts'

export interface BlobMoverOptions {
  readonly context: EngineContext
  readonly copier: BlobCopier
  /** Of the sets that take new blobs. */
  readonly freeBytes: () => readonly { readonly set: number; readonly freeBytes: number | undefined }[]
  /** Bytes of shards for one of data. */
  readonly spreadOf: (set: number) => number
  /** After a piece of work it rests so many times as long as that took, and leaves the drives to others. */
  readonly restFactor?: number
  /** Uploads that were begun before a drain get so much time to be published. */
  readonly settleMs?: number
}

/** How far a move is. A plain value: it is stored as JSON, and a drain resumes from it. */
export interface MoveProgress {
  /** From 1. The first counts what there is to move; the last finds nothing more. */
  readonly pass: number
  /** The row that was looked at last, in hex; empty at the beginning of a pass. */
  readonly cursor: string
  readonly totalBlobs: number
  readonly totalBytes: number
  readonly movedBlobs: number
  readonly movedBytes: number
  /** Of this pass: blobs that cannot be moved for now. */
  readonly failedBlobs: number
  /** Why the latest of them could not. */
  readonly lastFailure: string | undefined
}

export interface MoveInput {
  readonly bytesPerSecond: number
  /** After each chunk of rows; may be awaited for long. */
  readonly onProgress: (progress: MoveProgress) => Promise<void>
  readonly signal: AbortSignal
}

const begun: MoveProgress = { pass: 0, cursor: '', totalBlobs: 0, totalBytes: 0, movedBlobs: 0, movedBytes: 0, failedBlobs: 0, lastFailure: undefined }
const concurrentMoves = 4
const defaultRestFactor = 1
const defaultSettleMs = 10 * secondMs
/** Between two passes when the first could not move everything. */
const retryMs = 5 * secondMs
const hintsPerCommit = 500
const holdersPerChunk = 200

type Mutable = { -readonly [Key in keyof MoveProgress]: MoveProgress[Key] }

/** Moves blobs between sets of drives while they are read and written. Any number of movers do no harm to each other. */
export class BlobMover {
  readonly #options: BlobMoverOptions

  constructor(options: BlobMoverOptions) {
    this.#options = options
  }

  /**
   * Moves everything off a set that `beginDrain` was called for, and marks it as empty. Resolves with the last progress, and
   * whether it is empty now: it is not when the signal came or the drain was cancelled.
   */
  async drain(set: number, sinceMs: number, from: MoveProgress | undefined, input: MoveInput): Promise<{ readonly isEmpty: boolean; readonly progress: MoveProgress }> {
    const { context, settleMs = defaultSettleMs } = this.#options
    const { clock } = context
    const isOf = ({ blob }: BlobUse): boolean => setOfBlob(blob) === set
    const progress: Mutable = { ...begun, ...from }
    if (progress.pass === 0) {
      for await (const uses of this.#uses(undefined, input.signal)) for (const use of uses) if (isOf(use)) await this.#count(progress, use)
      progress.pass = 1
    }
    for (let isFirst = true; !input.signal.aborted; isFirst = false) {
      // A pass that was begun by another process may have missed what came since.
      const isWhole = !isFirst || progress.cursor === ''
      const startedMs = clock.nowMs()
      let found = 0
      for await (const uses of this.#uses(progress, input.signal)) {
        const own = uses.filter(isOf)
        found += own.length
        await this.#moveAll(progress, own, () => chooseSet(this.#targets(set), (context.random.bytes(1)[0] ?? 0) / 256), input)
        await input.onProgress({ ...progress })
      }
      if (input.signal.aborted) break
      if (found === 0 && isWhole && startedMs >= sinceMs + settleMs) {
        if (!(await closeSet(context, set))) break
        if (!(await this.#isUsed(set))) {
          await this.#forgetHints()
          await markEmpty(context, set)
          return { isEmpty: true, progress }
        }
      }
      const isStuck = progress.failedBlobs > 0
      Object.assign(progress, { pass: progress.pass + 1, cursor: '' })
      await input.onProgress({ ...progress })
      progress.failedBlobs = 0
      await clock.sleep(isStuck ? retryMs : found === 0 ? Math.max(0, sinceMs + settleMs - clock.nowMs()) : 0, input.signal)
    }
    return { isEmpty: false, progress }
  }

  /** Moves blobs from fuller sets to emptier ones until all are about as full. Measures first, so it resumes by being called again. */
  async rebalance(from: MoveProgress | undefined, input: MoveInput): Promise<{ readonly isDone: boolean; readonly progress: MoveProgress }> {
    const { spreadOf } = this.#options
    const excess = new Map(await this.#excess(input.signal))
    const progress: Mutable = { ...begun, ...from, pass: 1, cursor: '', failedBlobs: 0 }
    const toMove = [...excess].reduce((sum, [set, bytes]) => sum + Math.max(0, bytes) / spreadOf(set), 0)
    progress.totalBytes = progress.movedBytes + Math.floor(toMove)
    for await (const uses of this.#uses(progress, input.signal)) {
      const targets = new Map<BlobUse, number>()
      for (const use of uses) {
        const [source, target] = [setOfBlob(use.blob), neediest(excess)]
        const sourceBytes = use.blob.sizeBytes * spreadOf(source)
        const left = excess.get(source) ?? 0
        if (target === undefined || left <= 0 || sourceBytes > 2 * left) {
          // The last blob may go a little too far, not further than it was. What shares a moved one goes with it.
          if ((await this.#options.context.metadata.get(movedRow(use.blob.blobId))) !== undefined) targets.set(use, target ?? source)
          continue
        }
        targets.set(use, target)
        excess.set(source, left - sourceBytes)
        excess.set(target, (excess.get(target) ?? 0) + use.blob.sizeBytes * spreadOf(target))
      }
      await this.#moveAll(progress, [...targets.keys()], (use) => targets.get(use), input)
      await input.onProgress({ ...progress })
    }
    if (input.signal.aborted) return { isDone: false, progress }
    await this.#forgetHints()
    return { isDone: true, progress }
  }

  /**
   * Whether a blob that lies on a closed set is in use. A row that moved while rows were looked through may have been missed; a
   * reference has its place, a new one comes only beside one in use, and of new blobs there are none: what is unused stays so.
   */
  async #isUsed(set: number): Promise<boolean> {
    const { context, copier } = this.#options
    for await (const { blobId } of copier.listSet(set)) {
      const range = referenceRange({ kind: 'blob', blobId })
      for (let start: Uint8Array = range.start; ; ) {
        const rows = await context.metadata.list({ ...range, start, limit: holdersPerChunk })
        if (rows.some(({ value }) => value.equals(referenceInUse))) return true
        const last = rows.at(-1)
        if (last === undefined || rows.length < holdersPerChunk) break
        start = Buffer.concat([last.key, Buffer.of(0)])
      }
    }
    return false
  }

  async #excess(signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
    const { freeBytes, spreadOf } = this.#options
    const stored = new Map<number, number>()
    for await (const uses of this.#uses(undefined, signal)) {
      for (const use of uses) {
        const set = setOfBlob(use.blob)
        if (await this.#isFirst(use)) stored.set(set, (stored.get(set) ?? 0) + use.blob.sizeBytes * spreadOf(set))
      }
    }
    return planRebalance(freeBytes().map(({ set, freeBytes: free = 0 }) => ({ set, storedBytes: stored.get(set) ?? 0, freeBytes: free })))
  }

  #targets(drained: number) {
    return this.#options.freeBytes().filter(({ set }) => set !== drained)
  }

  /** Every use of a blob, chunk by chunk, from the progress's cursor on, which follows. */
  async *#uses(progress: Mutable | undefined, signal: AbortSignal): AsyncGenerator<readonly BlobUse[]> {
    const cursor = Buffer.from(progress?.cursor ?? '', 'hex')
    const begin = Math.max(0, usingTables.findIndex((table) => table === cursor[0]))
    for (const [index, table] of usingTables.entries()) {
      if (index < begin) continue
      for await (const rows of usingRows(this.#options.context.metadata, table, index === begin && cursor.length > 0 ? cursor : undefined, signal)) {
        yield rows.flatMap((row) => usesIn(row))
        if (progress !== undefined) progress.cursor = rows.at(-1)?.key.toString('hex') ?? progress.cursor
      }
    }
  }

  async #count(progress: Mutable, use: BlobUse): Promise<void> {
    if (!(await this.#isFirst(use))) return
    progress.totalBlobs++
    progress.totalBytes += use.blob.sizeBytes
  }

  /** Of several uses of one blob, one is the first. */
  async #isFirst({ blob, contentId }: BlobUse): Promise<boolean> {
    const holders = await this.#options.context.metadata.list({ ...referenceRange({ kind: 'blob', blobId: blob.blobId }), limit: 100 })
    const first = holders.find(({ value }) => value.equals(referenceInUse))
    return first === undefined || first.key.toString('hex').endsWith(contentId)
  }

  /** A few at a time, then a rest: those who wait for the drives go first. */
  async #moveAll(progress: Mutable, uses: readonly BlobUse[], targetOf: (use: BlobUse) => number | undefined, { bytesPerSecond, signal }: MoveInput): Promise<void> {
    const { context: { clock }, restFactor = defaultRestFactor } = this.#options
    const group = concurrentMoves
    for (let at = 0; at < uses.length && !signal.aborted; at += group) {
      const startedMs = clock.monotonicMs()
      const before = progress.movedBytes
      // Uses of one blob one after the other: the second follows the first.
      const byBlob = [...Map.groupBy(uses.slice(at, at + group), ({ blob }) => blob.blobId).values()]
      await inBatches(byBlob, concurrentMoves, async (same) => {
        for (const use of same) await this.#move(progress, use, targetOf(use))
      })
      const tookMs = clock.monotonicMs() - startedMs
      const restMs = Math.max(tookMs * restFactor, ((progress.movedBytes - before) / bytesPerSecond) * secondMs - tookMs)
      if (restMs >= 1) await clock.sleep(restMs, signal)
    }
  }

  async #move(progress: Mutable, use: BlobUse, set: number | undefined): Promise<void> {
    if (set === undefined) return this.#fail(progress, use.blob, 'no set takes it')
    try {
      const outcome = await moveUse(this.#options.context, this.#options.copier, use, set)
      if (outcome !== 'moved') return
      progress.movedBlobs++
      progress.movedBytes += use.blob.sizeBytes
    } catch (error) {
      if (!(error instanceof BlobError || error instanceof EngineError)) throw error
      this.#fail(progress, use.blob, error.message)
    }
  }

  #fail(progress: Mutable, { blobId }: BlobRef, reason: string): void {
    progress.failedBlobs++
    progress.lastFailure = `blob ${blobId}: ${reason}`
  }

  async #forgetHints(): Promise<void> {
    const { metadata } = this.#options.context
    for (;;) {
      const rows = await metadata.list({ ...tableRange(tables.moved), limit: hintsPerCommit })
      if (rows.length === 0) return
      await metadata.commit({ checks: [], puts: [], deletes: rows.map(({ key }) => key), appends: [] })
    }
  }
}
