import { must } from '../../base/assert.ts'
import type { Random } from '../../base/random.ts'
import { ulidPattern, ulidTimeMs } from '../../base/ulid.ts'
import { dayMs, secondMs } from '../../base/units.ts'
import { blobDirectories } from '../blobs/block-layout.ts'
import { listShards } from '../blobs/set-blob-store.ts'
import type { DriveSet } from '../drives/drive-set.ts'
import { healBlob, type HealedBlob } from './heal-blob.ts'
import { Pace, type PaceOptions } from './pace.ts'

export interface HealerOptions extends PaceOptions {
  readonly sets: readonly DriveSet[]
  readonly random: Random
}

/**
 * - `missing`: looks at header, footer and length of every shard: finds what is not there, or was never finished, after a drive
 *   was away, failed or was replaced.
 * - `everything`: reads and verifies every block of every shard: the scrub.
 */
export type WalkKind = 'missing' | 'everything'

/** How far a walk is, and what it found. A plain value: it is stored as JSON, and a walk resumes from it. */
export interface WalkProgress {
  /** Directories of blobs that are done, of all sets, of `directories`. */
  readonly done: number
  readonly directories: number
  readonly checkedBlobs: number
  readonly healedBlobs: number
  /** They lack a shard whose drive cannot be written now. */
  readonly waitingBlobs: number
  /** Too few shards are good: never finished, just being written or deleted, or lost. */
  readonly hopelessBlobs: number
  readonly movedBytes: number
}

export interface WalkInput {
  readonly kind: WalkKind
  readonly from?: WalkProgress
  /** At most so many bytes of shards each second, on average. */
  readonly bytesPerSecond?: number
  /** After each directory; may be awaited for long. */
  readonly onProgress: (progress: WalkProgress) => Promise<void>
  readonly signal: AbortSignal
}

/** Blobs that were found damaged and wait; more are found again by a walk. */
const maxQueued = 10_000
/** What a healer that died left behind is older than this. */
const leftoverMs = dayMs
const retryMs = secondMs

interface Damage {
  readonly set: number
  readonly verify: boolean
}

/** Heals blobs that readers and writers report, and walks over all of them. */
export class Healer {
  readonly #options: HealerOptions
  /** By the ids of damaged blobs. */
  readonly #queue = new Map<string, Damage>()
  readonly #retries = new Map<string, Damage>()
  healedBlobs = 0

  constructor(options: HealerOptions) {
    this.#options = options
  }

  get queuedBlobs(): number {
    return this.#queue.size + this.#retries.size
  }

  /** Remembers a damaged blob; quick. `corrupt`: its blocks have to be read to find what is bad; otherwise it lacks a shard. */
  report(blobId: string, set: number, kind: 'missing' | 'corrupt' = 'corrupt'): void {
    const known = this.#queue.get(blobId) ?? this.#retries.get(blobId)
    if (known === undefined && this.#queue.size >= maxQueued) return
    this.#retries.delete(blobId)
    this.#queue.set(blobId, { set, verify: kind === 'corrupt' || known?.verify === true })
  }

  /** Heals what is reported, until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [next] = this.#queue
      if (next === undefined) {
        await this.#options.clock.sleep(retryMs, signal)
        this.#requeue()
        continue
      }
      const [blobId, damage] = next
      this.#queue.delete(blobId)
      const { outcome } = await this.heal(blobId, damage.set, damage.verify, signal)
      // What waits for its drive is tried again once something has changed, or by the walk after the drive's return.
      if (outcome === 'waiting' && this.#retries.size < maxQueued) this.#retries.set(blobId, damage)
    }
  }

  /** One blob at once, resting in between and after. */
  async heal(blobId: string, set: number, verify: boolean, signal?: AbortSignal): Promise<HealedBlob> {
    const { sets, clock, random } = this.#options
    const pace = new Pace(this.#options)
    const healed = await healBlob({ set: must(sets[set], 'a set of the deployment'), blobId, verify, clock, random, rest: () => pace.rest(signal) })
    if (healed.outcome === 'healed') this.healedBlobs++
    await pace.rest(signal)
    return healed
  }

  /** Every blob that is stored; resolves with the last progress, at the end or when the signal came. */
  async walk({ kind, from, bytesPerSecond = Infinity, onProgress, signal }: WalkInput): Promise<WalkProgress> {
    const { sets, clock } = this.#options
    const directories = sets.length * blobDirectories.length
    const progress = { done: 0, checkedBlobs: 0, healedBlobs: 0, waitingBlobs: 0, hopelessBlobs: 0, movedBytes: 0, ...from, directories }
    while (progress.done < directories && !signal.aborted) {
      const set = must(sets[Math.floor(progress.done / blobDirectories.length)], 'a set of the deployment')
      const directory = must(blobDirectories[progress.done % blobDirectories.length], 'a directory of blobs')
      // A lone drive keeps whole blobs: there is nothing to heal from.
      const held = set.members.length > 1 ? await listShards(set, directory) : new Map<string, unknown>()
      for (const blobId of held.keys()) {
        if (signal.aborted) return progress
        progress.checkedBlobs++
        const startedMs = clock.monotonicMs()
        const { outcome, movedBytes } = await this.heal(blobId, set.index, kind === 'everything', signal)
        progress.movedBytes += movedBytes
        if (outcome === 'healed') progress.healedBlobs++
        else if (outcome === 'waiting') progress.waitingBlobs++
        else if (outcome === 'hopeless') progress.hopelessBlobs++
        const restMs = (movedBytes / bytesPerSecond) * secondMs - (clock.monotonicMs() - startedMs)
        if (restMs >= 1) await clock.sleep(restMs, signal)
      }
      await this.#removeLeftovers(set, directory)
      progress.done++
      await onProgress({ ...progress })
    }
    return progress
  }

  #requeue(): void {
    const isWell = this.#options.sets.every((set) => set.members.every(({ condition }) => condition.kind === 'ok'))
    if (!isWell) return
    for (const [blobId, damage] of this.#retries) this.#queue.set(blobId, damage)
    this.#retries.clear()
  }

  /** Shards that a healer was making when it died: no reader knows their names. */
  async #removeLeftovers(set: DriveSet, directory: string): Promise<void> {
    const before = this.#options.clock.nowMs() - leftoverMs
    for (const { drive, isWritable } of set.members) {
      if (!isWritable) continue
      const names = await drive.list(directory).catch(() => [])
      const isLeftover = (name: string): boolean => {
        const [blobId = '', madeId = ''] = name.split('.')
        return ulidPattern.test(blobId) && ulidPattern.test(madeId) && ulidTimeMs(madeId) < before
      }
      for (const name of names.filter(isLeftover)) await drive.remove(`${directory}/${name}`).catch(() => undefined)
    }
  }
}
