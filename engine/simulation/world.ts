import { assert } from '../../base/assert.ts'
import type { SeededRandom } from '../../base/seeded-random.ts'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import { KiB } from '../../base/units.ts'
import { DriveBlobStore } from '../blobs/drive-blob-store.ts'
import { SetBlobStore } from '../blobs/set-blob-store.ts'
import { formatDrive } from '../drives/drive-format.ts'
import { SetIntake } from '../drives/set-intake.ts'
import { SetMember } from '../drives/set-member.ts'
import { type DriveOperation, SimulatedDrive, type SimulatedDriveOptions } from '../drives/simulated-drive.ts'
import type { Engine } from '../engine.ts'
import { BlobMover } from '../growth/blob-mover.ts'
import { MemoryMetadataStore, type MemoryMetadataOptions } from '../metadata/memory-metadata-store.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { defaultSettings, type EngineContext } from '../objects/context.ts'
import { openEngine } from '../open-engine.ts'
import type { Scheduler } from './scheduler.ts'
import { type Intended, MarkingStore, settings, type SimulatedWorld } from './simulated-world.ts'

/** Faults that the simulation must notice: each removes one thing that durability stands on. */
export type Mutation = 'ignoreSync' | 'ignoreDirectorySync' | 'acknowledgeEarly'

/** One machine: a drive and a metadata store that lose power together, and the engines over them. */
export class World implements SimulatedWorld {
  readonly clock = new SimulatedClock()
  readonly stepsToCrash = 250
  acknowledgedVersion = 0
  readonly #random: SeededRandom
  readonly #scheduler: Scheduler
  readonly #mutation: Mutation | undefined
  /** One, or the lone drives of several sets. */
  #drives: SimulatedDrive[]
  #metadata: MemoryMetadataStore
  #blobs: DriveBlobStore | SetBlobStore
  /** Of the sets; a restart has to learn again which ones to avoid. */
  #intake = new SetIntake()

  private constructor(random: SeededRandom, scheduler: Scheduler, mutation: Mutation | undefined, drives: SimulatedDrive[]) {
    this.#random = random
    this.#scheduler = scheduler
    this.#mutation = mutation
    this.#drives = drives
    this.#metadata = new MemoryMetadataStore(this.#metadataOptions())
    this.#blobs = this.#openBlobs()
  }

  static async make(random: SeededRandom, scheduler: Scheduler, mutation: Mutation | undefined, sets = 1): Promise<World> {
    const blank = await formatted
    // The mutations are about the engine's work, not the formatting: that is durable already.
    return new World(random, scheduler, mutation, Array.from({ length: sets }, () => blank.crash(random, driveOptions(scheduler, mutation))))
  }

  get metadata(): MetadataStore {
    return this.#metadata
  }

  get blobs(): DriveBlobStore | SetBlobStore {
    return this.#blobs
  }

  mover(): { readonly context: EngineContext; readonly mover: BlobMover; readonly intake: SetIntake } {
    const blobs = this.#blobs
    assert(blobs instanceof SetBlobStore, 'there are sets')
    const intake = this.#intake
    const context: EngineContext = { metadata: new MarkingStore(this.#metadata, this, () => undefined), blobs, clock: this.clock, random: this.#random, settings: { ...defaultSettings, ...settings } }
    const freeBytes = () => this.#drives.flatMap((_, set) => (intake.isAvoided(set) ? [] : [{ set, freeBytes: 100_000 }]))
    return { context, intake, mover: new BlobMover({ context, copier: blobs, freeBytes, spreadOf: () => 1, restFactor: 0, settleMs: 0 }) }
  }

  engine(intentOf: () => Intended | undefined): Engine {
    const metadata = new MarkingStore(this.#metadata, this, intentOf)
    return openEngine({ metadata, blobs: this.#blobs, clock: this.clock, random: this.#random, settings })
  }

  disturb(): void {}

  passTime(): boolean {
    return false
  }

  losePower(): void {
    this.#drives = this.#drives.map((drive) => drive.crash(this.#random, driveOptions(this.#scheduler, this.#mutation)))
    this.#intake = new SetIntake()
    this.#metadata = this.#metadata.crash(this.#random.chance(0.5), this.#metadataOptions())
    this.#blobs = this.#openBlobs()
  }

  async restart(): Promise<void> {}

  async mend(): Promise<boolean> {
    return false
  }

  async maybePark(name: string): Promise<void> {
    if (this.#random.chance(0.06)) await this.#scheduler.park(name)
  }

  #openBlobs(): DriveBlobStore | SetBlobStore {
    const { clock } = this
    const [only] = this.#drives
    if (only !== undefined && this.#drives.length === 1) return new DriveBlobStore({ drive: only, clock, random: this.#random, blockBytes: 4 * KiB })
    const sets = this.#drives.map((drive, index) => ({
      index, members: [new SetMember({ driveId: String(index), position: 0, label: String(index), drive, clock })], parity: { standard: 0, reduced: 0 },
    }))
    return new SetBlobStore({ sets, intake: this.#intake, clock, random: this.#random, blockBytes: 4 * KiB })
  }

  #metadataOptions(): MemoryMetadataOptions {
    return { sync: () => this.#scheduler.park('metadata sync'), acknowledgeEarly: this.#mutation === 'acknowledgeEarly' }
  }
}

/** Where something may come between. Listings are left out: the sweep would be 256 steps long. */
const heldUp: ReadonlySet<DriveOperation> = new Set(['create', 'open', 'remove', 'write', 'read', 'sync', 'syncDirectory'])

function driveOptions(scheduler: Scheduler, mutation: Mutation | undefined): SimulatedDriveOptions {
  return {
    beforeOperation: (operation, path) => (heldUp.has(operation) ? scheduler.park(`${operation} ${path}`) : Promise.resolve()),
    ignoreSync: mutation === 'ignoreSync',
    ignoreDirectorySync: mutation === 'ignoreDirectorySync',
  }
}

/** A formatted drive, everything on it durable: the same for all runs, which take copies of it. */
const formatted = formatBlank()

async function formatBlank(): Promise<SimulatedDrive> {
  const blank = new SimulatedDrive()
  await formatDrive(blank, { format: 2, deploymentId: '0'.repeat(32), driveId: '1'.repeat(32), sets: [['1'.repeat(32)]], parity: 0 })
  return blank
}
