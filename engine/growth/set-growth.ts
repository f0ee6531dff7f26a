import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { DriveKeeper } from '../drives/drive-keeper.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { defaultSettings, type EngineContext, type EngineSettings } from '../objects/context.ts'
import { mapErrors } from '../objects/map-errors.ts'
import type { SetRecord } from '../records/set-record.ts'
import type { BlobCopier } from './blob-copier.ts'
import { BlobMover, type MoveInput, type MoveProgress } from './blob-mover.ts'
import { beginDrain, cancelDrain, type DrainBegin, readSetStates } from './set-states.ts'

export interface SetGrowthStores {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly copier: BlobCopier
  readonly keeper: DriveKeeper
  readonly clock: Clock
  readonly random: Random
  readonly settings?: Partial<EngineSettings>
}

/** What moves blobs between the sets of a deployment. Every process may have one; one at a time should move. */
export class SetGrowth {
  readonly #context: EngineContext
  readonly #keeper: DriveKeeper
  readonly #mover: BlobMover

  constructor({ keeper, copier, settings, ...stores }: SetGrowthStores) {
    this.#context = { ...stores, settings: { ...defaultSettings, ...settings } }
    this.#keeper = keeper
    this.#mover = new BlobMover({ context: this.#context, copier, freeBytes: () => keeper.freeBytes(), spreadOf: (set) => keeper.spreadOf(set) })
  }

  /** Sets with drives that take new blobs. */
  get activeSets(): number {
    return this.#keeper.freeBytes().length
  }

  hasMetadata(set: number): boolean {
    return this.#keeper.setStatuses()[set]?.hasMetadata === true
  }

  /** The sets that blobs are moved off, or were. From now on this process writes nothing new to them. */
  async states(): Promise<ReadonlyMap<number, SetRecord>> {
    const states = await mapErrors(readSetStates(this.#context.metadata))
    this.#keeper.intake.avoid(states.keys())
    return states
  }

  /** `unknown`: there is no such set, or it has no drives any more. */
  async beginDrain(set: number): Promise<DrainBegin | 'unknown'> {
    const { sets } = this.#keeper
    return sets.includes(set) ? mapErrors(beginDrain(this.#context, set, sets)) : 'unknown'
  }

  cancelDrain(set: number): Promise<boolean> {
    return mapErrors(cancelDrain(this.#context, set))
  }

  drain(set: number, sinceMs: number, from: MoveProgress | undefined, input: MoveInput): ReturnType<BlobMover['drain']> {
    return mapErrors(this.#mover.drain(set, sinceMs, from, input))
  }

  /** Undefined while it is not known how full the sets are. */
  async rebalance(from: MoveProgress | undefined, input: MoveInput): Promise<Awaited<ReturnType<BlobMover['rebalance']>> | undefined> {
    if (this.#keeper.freeBytes().some(({ freeBytes }) => freeBytes === undefined)) return undefined
    return mapErrors(this.#mover.rebalance(from, input))
  }
}
