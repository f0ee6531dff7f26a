import { must } from '../../../base/assert.ts'
import type { SeededRandom } from '../../../base/seeded-random.ts'
import { SimulatedClock } from '../../../base/simulated-clock.ts'
import { KiB, secondMs } from '../../../base/units.ts'
import { SetBlobStore } from '../../blobs/set-blob-store.ts'
import type { DriveSet } from '../../drives/drive-set.ts'
import { SetMember } from '../../drives/set-member.ts'
import type { Engine } from '../../engine.ts'
import { tables } from '../../keys.ts'
import { Healer } from '../../heal/healer.ts'
import { Committer } from '../../metadata/committer.ts'
import { damageIn } from '../../metadata/find-damage.ts'
import { SimulatedReader } from '../../metadata/index/simulated-reader.ts'
import { JournaledMetadataStore } from '../../metadata/journaled-metadata-store.ts'
import { LocalCommits } from '../../metadata/local-commits.ts'
import { senderBytes } from '../../metadata/metadata-commits.ts'
import type { MetadataStore } from '../../metadata/metadata-store.ts'
import { openMembers, type OpenMembers } from '../../metadata/open-members.ts'
import { planRecovery } from '../../metadata/plan-recovery.ts'
import { openEngine } from '../../open-engine.ts'
import { planStale } from '../metadata/metadata-world.ts'
import { Violation } from '../replay.ts'
import type { Scheduler } from '../scheduler.ts'
import { type Intended, losses, MarkingStore, settings, type SimulatedWorld } from '../simulated-world.ts'
import { formattedDrive, SetDisk } from './set-disk.ts'

/** Each removes one thing that durability stands on; the simulation must notice. */
export const setMutations = ['ignoreSync', 'ignoreDirectorySync', 'acknowledgeEarly', 'wrongQuorum', 'skippedVerify', 'staleEpoch', 'skippedHeal', 'skippedProof'] as const
export type SetMutation = (typeof setMutations)[number]

const shapes = [
  { disks: 3, parity: 1, writeQuorum: 2 },
  { disks: 4, parity: 1, writeQuorum: 3 },
  { disks: 4, parity: 2, writeQuorum: 3 },
  { disks: 6, parity: 2, writeQuorum: 4 },
] as const

/** A slow disk takes longer than the store waits, the others never do, and both are short beside the grace periods. */
const patienceMs = 4 * secondMs
const slowMs = 5 * secondMs
const tickMs = 250
/** Early, so that there is time to notice. */
const stepsToHide = 100
/** In a page. */
const hiddenTogether = 10

interface Opened {
  readonly set: DriveSet
  readonly blobs: SetBlobStore
  readonly metadata: JournaledMetadataStore
  readonly committer: Committer
  /** Ids of the disks that have the metadata. */
  readonly metadataOn: readonly string[]
}

/**
 * A server over several disks, each with its shards and, on one more than may be lost, a copy of the metadata. The power
 * goes; disks fail, go away and come back as they were, are replaced, rot, hold blocks in wrong places, or lie about syncs;
 * a damaged page of the metadata that are read hides references from the collector and the sweep, until a start finds it.
 * A disk that lacks anything counts against the parity until a heal has found all disks there.
 */
export class SetWorld implements SimulatedWorld {
  readonly clock = new SimulatedClock()
  readonly stepsToCrash: number
  acknowledgedVersion = 0
  readonly #random: SeededRandom
  readonly #scheduler: Scheduler
  readonly #mutation: SetMutation | undefined
  readonly #shape = { ...shapes[0] } as (typeof shapes)[number]
  readonly #disks: SetDisk[]
  /** Positions of disks that lack something, or may. */
  readonly #hurt = new Set<number>()
  /** Of these, disks that may hold shards with bad blocks, which only a scrub reads; others lack whole shards. */
  readonly #rotten = new Set<number>()
  /** Of the process: what an earlier one still has under way comes to nothing. */
  #generation = 0
  #opened: Opened | undefined
  /** Steps of the clients until a disk fails, or becomes slow. */
  #untilFailure = Infinity
  #losses = 0
  /** Steps of the clients until references are hidden. */
  #untilHidden = Infinity
  /** Operations of slow disks that are under way. */
  #delayed = 0

  private constructor(random: SeededRandom, scheduler: Scheduler, mutation: SetMutation | undefined) {
    this.#random = random
    this.#scheduler = scheduler
    this.#mutation = mutation
    this.#shape = random.pick(shapes)
    this.stepsToCrash = 150 * this.#shape.disks
    this.#disks = Array.from({ length: this.#shape.disks }, (_, position) => new SetDisk(position, this.#hooks()))
  }

  static async make(random: SeededRandom, scheduler: Scheduler, mutation: SetMutation | undefined): Promise<SetWorld> {
    const world = new SetWorld(random, scheduler, mutation)
    const blank = await formattedDrive
    for (const disk of world.#disks) disk.replace(blank)
    await world.#open()
    return world
  }

  get metadata(): MetadataStore {
    return this.#now.metadata
  }

  get blobs(): SetBlobStore {
    return this.#now.blobs
  }

  engine(intentOf: () => Intended | undefined): Engine {
    const metadata = new MarkingStore(this.metadata, this, intentOf)
    return openEngine({ metadata, blobs: this.blobs, clock: this.clock, random: this.#random, settings })
  }

  async maybePark(name: string): Promise<void> {
    if (this.#random.chance(0.06)) await this.#scheduler.park(name)
  }

  /** A disk becomes slow, or one without metadata fails: one with them ends the committer, which a power loss does as well. */
  disturb(): void {
    if (--this.#untilHidden === 0) this.#hideReferences()
    if (--this.#untilFailure !== 0) return
    if (this.#random.chance(0.3)) return this.#slowDown()
    const { metadataOn } = this.#now
    const candidates = this.#disks.filter(({ id, position }) => !metadataOn.includes(id) && this.#mayStop(position))
    if (candidates.length === 0) return
    const disk = this.#random.pick(candidates)
    disk.isFailing = true
    this.#hurt.add(disk.position)
  }

  passTime(): boolean {
    if (this.#delayed > 0) {
      this.clock.advance(tickMs)
      return true
    }
    // The clients are done. Those that were taken out stay so until the next start.
    for (const disk of this.#disks) disk.isSlow = false
    return false
  }

  losePower(): void {
    this.#generation++
    this.#losses++
    this.#opened = undefined
    for (const disk of this.#disks) {
      const misdirects = this.#random.chance(0.2) && this.#mayHurt(disk.position)
      if (misdirects) this.#hurtBlocks(disk.position)
      disk.losePower(this.#random, misdirects)
    }
    // What waits for a slow disk finds out that it is dead.
    this.clock.advance(2 * slowMs)
  }

  async restart(): Promise<void> {
    for (const disk of this.#disks) {
      disk.lies = false
      if ((disk.isAway || disk.isFailing) && this.#random.chance(0.5)) disk.comeBack()
    }
    for (let fault = this.#random.integer(3); fault > 0; fault--) await this.#hurtOne()
    await this.#open()
  }

  async mend(isLast: boolean): Promise<boolean> {
    const returning = this.#disks.filter((disk) => disk.isSlow || ((disk.isAway || disk.isFailing) && (isLast || this.#random.chance(0.5))))
    for (const disk of returning) disk.comeBack()
    if (returning.length > 0) {
      await this.#close()
      await this.#open()
    }
    if (this.#hurt.size === 0) return false
    if (this.#mutation !== 'skippedHeal') {
      const healer = new Healer({ sets: [this.#now.set], clock: this.clock, random: this.#random, restFactor: 0 })
      // After a drive was away or replaced, a server looks for what is missing, and reads the rest weeks later.
      const kind = this.#rotten.size === 0 && this.#random.chance(0.8) ? 'missing' : 'everything'
      await healer.walk({ kind, signal: new AbortController().signal, onProgress: async () => {} })
      if (!isLast && this.#hurt.size < this.#shape.parity && this.#random.chance(0.3)) this.#lie()
    }
    for (const disk of this.#disks) {
      if (disk.isAway || disk.isFailing || disk.lies) continue
      this.#hurt.delete(disk.position)
      this.#rotten.delete(disk.position)
    }
    return true
  }

  get #now(): Opened {
    return must(this.#opened, 'the server is running')
  }

  /** Nothing but collector and sweep looks for references: what is hidden makes no wrong answer. */
  #hideReferences(): void {
    const disk = must(this.#disks.find(({ id }) => id === this.#now.metadataOn[0]), 'a disk is read')
    if (!this.#mayHurt(disk.position)) return
    const references = [...disk.source.visible.rows.keys()].filter((key) => key.charCodeAt(0) === tables.reference).sort()
    if (references.length === 0) return
    const first = this.#random.integer(references.length)
    for (const key of references.slice(first, first + hiddenTogether)) disk.source.hide(Buffer.from(key, 'latin1'))
    this.#hurt.add(disk.position)
  }

  #slowDown(): void {
    const candidates = this.#disks.filter(({ position }) => this.#mayStop(position))
    if (candidates.length === 0) return
    const disk = this.#random.pick(candidates)
    disk.isSlow = true
    this.#hurt.add(disk.position)
  }

  /** From now on a disk says that it has synced, and has not. */
  #lie(): void {
    const disk = this.#random.pick(this.#disks)
    if (!this.#mayHurt(disk.position)) return
    disk.lies = true
    this.#hurtBlocks(disk.position)
  }

  #hurtBlocks(position: number): void {
    this.#hurt.add(position)
    this.#rotten.add(position)
  }

  #mayHurt(position: number): boolean {
    return new Set([...this.#hurt, position]).size <= this.#shape.parity
  }

  /** So many disks may stop at once that writes still find their quorum, and an epoch its own. */
  #mayStop(position: number): boolean {
    const { disks, writeQuorum } = this.#shape
    const stopped = this.#disks.filter((disk) => disk.position === position || disk.isAway || disk.isFailing || disk.isSlow)
    return this.#mayHurt(position) && stopped.length <= disks - writeQuorum
  }

  async #hurtOne(): Promise<void> {
    const disk = this.#random.pick(this.#disks)
    if (!this.#mayHurt(disk.position) || disk.isAway || disk.isFailing) return
    const fault = this.#random.pick(['away', 'replaced', 'rot', 'misdirected', 'journal'] as const)
    if (fault === 'away' && !this.#mayStop(disk.position)) return
    if (fault === 'rot' || fault === 'misdirected') this.#hurtBlocks(disk.position)
    else this.#hurt.add(disk.position)
    if (fault === 'away') disk.isAway = true
    else if (fault === 'replaced') disk.replace(await formattedDrive)
    else await disk.damage(fault, this.#random)
  }

  async #close(): Promise<void> {
    await this.#now.metadata.close()
    this.#generation++
    this.#opened = undefined
  }

  /** The copies of the metadata, each of them whole: what a scrub finds damaged is made anew from another. */
  async #openWhole(): Promise<OpenMembers> {
    const opened = await this.#openMembers([])
    const damaged: string[] = []
    for (const { id } of opened.members) if (!(await this.#isWhole(id))) damaged.push(id)
    if (damaged.length === 0) return opened
    for (const member of opened.members) await member.close()
    const again = await this.#openMembers(damaged)
    for (const { id } of again.members) if (!(await this.#isWhole(id))) throw new Violation(`the metadata on disk ${id} are damaged after they were made anew`)
    return again
  }

  async #isWhole(id: string): Promise<boolean> {
    const disk = must(this.#disks.find((each) => each.id === id), 'members are among the disks')
    return (await damageIn(new SimulatedReader(disk.source, () => true))) === undefined
  }

  #openMembers(suspects: readonly string[]): Promise<OpenMembers> {
    const { disks, parity, writeQuorum } = this.#shape
    const usable = this.#disks.filter(({ isAway, isFailing }) => !isAway && !isFailing)
    return openMembers({
      suspects,
      places: usable.map((disk) => disk.place()),
      drives: disks,
      writeQuorum,
      copies: this.#mutation === 'wrongQuorum' ? parity : parity + 1,
      plan: this.#mutation === 'staleEpoch' ? planStale : planRecovery,
    }).catch((error: unknown) => {
      throw new Violation(`the metadata cannot be opened: ${String(error)}`)
    })
  }

  async #open(): Promise<void> {
    const opened = await this.#openWhole()
    const committer = new Committer({ ...opened, checkpointBytes: 24 * KiB, acknowledgeEarly: this.#mutation === 'acknowledgeEarly' })
    const readFrom = must(this.#disks.find(({ id }) => id === opened.members[0]?.id), 'a disk is read')
    const set = this.#assemble()
    const generation = this.#generation
    const mutation = this.#mutation === 'skippedVerify' ? { mutation: this.#mutation } : {}
    this.#opened = {
      set, committer,
      blobs: new SetBlobStore({ sets: [set], clock: this.clock, random: this.#random, blockBytes: 256, patienceMs, ...mutation }),
      metadata: new JournaledMetadataStore(new SimulatedReader(readFrom.source, () => generation === this.#generation, this.#mutation === 'skippedProof'), new LocalCommits(committer, this.#random.bytes(senderBytes))),
      metadataOn: opened.members.map(({ id }) => id),
    }
    // The last clients are not followed by a start.
    this.#untilHidden = this.#losses < losses && this.#random.chance(0.5) ? 1 + this.#random.integer(stepsToHide) : Infinity
    this.#untilFailure = this.#random.chance(0.4) ? 1 + this.#random.integer(this.stepsToCrash) : Infinity
  }

  #assemble(): DriveSet {
    const members = this.#disks.map(({ id, position, drive, isAway, isFailing }) => {
      const member = new SetMember({ driveId: id, position, label: `disk ${id}`, drive, clock: this.clock })
      if (isAway || isFailing) member.takeOut('missing', 'it was not there at the start')
      return member
    })
    return { index: 0, members, parity: { standard: this.#shape.parity, reduced: 1 } }
  }

  #hooks() {
    return {
      before: async (name: string) => {
        if (this.#random.chance(0.3)) await this.#scheduler.park(name)
      },
      delay: async () => {
        this.#delayed++
        await this.clock.sleep(slowMs)
        this.#delayed--
      },
      generation: () => this.#generation,
      ignoreSync: this.#mutation === 'ignoreSync',
      ignoreDirectorySync: this.#mutation === 'ignoreDirectorySync',
    }
  }
}
