import type { SimulatedClock } from '../../base/simulated-clock.ts'
import { hourMs, secondMs } from '../../base/units.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { SetIntake } from '../drives/set-intake.ts'
import type { Engine } from '../engine.ts'
import type { BlobMover } from '../growth/blob-mover.ts'
import type { Commit, CommitResult, ListRange, MetadataStore, TableWalk } from '../metadata/metadata-store.ts'
import type { EngineContext, EngineSettings } from '../objects/context.ts'

/** A machine whose power goes: its stores, and the engines over them. */
export interface SimulatedWorld {
  readonly clock: SimulatedClock
  /** The newest commit that anybody was told of. */
  acknowledgedVersion: number
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** How many operations of its drives a run of the clients takes, about, when nothing stops them. */
  readonly stepsToCrash: number
  /** An engine of its own for a client, as in another worker process. */
  engine(intentOf: () => Intended | undefined): Engine
  /** What moves blobs between the sets, as in a worker process of its own; where there are several. */
  mover?(): { readonly context: EngineContext; readonly mover: BlobMover; readonly intake: SetIntake }
  /** What else may happen while the clients work. */
  disturb(): void
  /** Nothing goes on by itself: lets time pass if something waits for that, and says whether it did. */
  passTime(): boolean
  /** Power is lost: whatever is under way comes to nothing. */
  losePower(): void
  /** Opens what the loss has left. */
  restart(): Promise<void>
  /** Makes whole what was hurt; whether there was anything. Of the last one nothing stays hurt. */
  mend(isLast: boolean): Promise<boolean>
  /** Now and then another client comes between two reads, as another process would. */
  maybePark(name: string): Promise<void>
}

export const graces = { garbageGraceMs: 20 * secondMs, orphanGraceMs: hourMs, completedUploadMs: 24 * hourMs }

export const settings: Partial<EngineSettings> = {
  ...graces,
  inlineBytes: 200,
  transactionInlineBytes: 400,
  outboxEvents: 20,
  roundLimit: 8,
}

/** The row that tells, after a crash, that a commit of this intent happened, and when. */
export function markerKey(intentId: number): Buffer {
  const key = Buffer.alloc(5)
  key.write('z')
  key.writeUInt32BE(intentId, 1)
  return key
}

/** How often a run loses power; then it goes on to its end. */
export const losses = 2

/** What the commits of a client are for. */
export interface Intended {
  readonly id: number
  commits: number
}

/** Adds a marker row to every commit: atomic with it, so it says after a crash what happened. */
export class MarkingStore implements MetadataStore {
  readonly #store: MetadataStore
  readonly #world: SimulatedWorld
  readonly #intentOf: () => Intended | undefined

  constructor(store: MetadataStore, world: SimulatedWorld, intentOf: () => Intended | undefined) {
    this.#store = store
    this.#world = world
    this.#intentOf = intentOf
  }

  async get(key: Uint8Array) {
    await this.#world.maybePark('metadata get')
    return this.#store.get(key)
  }

  async list(range: ListRange) {
    await this.#world.maybePark('metadata list')
    return this.#store.list(range)
  }

  async walk(walk: TableWalk) {
    await this.#world.maybePark('metadata walk')
    return this.#store.walk(walk)
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const intent = this.#intentOf()
    const puts = intent === undefined ? commit.puts : [...commit.puts, { key: markerKey(intent.id), value: Buffer.of(1) }]
    const result = await this.#store.commit({ ...commit, puts })
    if (!result.ok) return result
    if (intent !== undefined) intent.commits++
    this.#world.acknowledgedVersion = Math.max(this.#world.acknowledgedVersion, result.version)
    return result
  }

  close() {
    return this.#store.close()
  }
}
