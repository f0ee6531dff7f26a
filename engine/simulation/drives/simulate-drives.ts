import { createHash } from 'node:crypto'
import { must } from '../../../base/assert.ts'
import { SeededRandom } from '../../../base/seeded-random.ts'
import { SimulatedClock } from '../../../base/simulated-clock.ts'
import { type BlobRef, BlobError } from '../../blobs/blob-store.ts'
import { membersByShard, pathOf, SetBlobStore } from '../../blobs/set-blob-store.ts'
import { DriveError } from '../../drives/drive.ts'
import { formatDrive } from '../../drives/drive-format.ts'
import type { DriveSet } from '../../drives/drive-set.ts'
import { SetMember } from '../../drives/set-member.ts'
import { type DriveOperation, SimulatedDrive, type SimulatedDriveOptions } from '../../drives/simulated-drive.ts'
import { healBlob, inspectShard } from '../../heal/heal-blob.ts'
import { Healer } from '../../heal/healer.ts'
import { Violation, violationOf } from '../replay.ts'

/** Each removes one thing that the survival of data stands on; the simulation must notice. */
export const driveMutations = ['ignoreSync', 'ignoreDirectorySync', 'smallQuorum', 'skippedVerify', 'skippedHeal'] as const
export type DriveMutation = (typeof driveMutations)[number]

export interface DriveSimulationResult {
  readonly traceHash: string
  readonly violation: string | undefined
  readonly crashes: number
  readonly faults: number
  readonly acknowledged: number
}

const codes = [[2, 1], [3, 1], [4, 2], [5, 2], [6, 2], [6, 3]] as const
const rounds = 3
const blockBytes = 256
const maxBlobBytes = 9_000

/** A blob that was acknowledged, and the drives without a good shard of it. */
interface Known {
  readonly ref: BlobRef
  readonly content: Buffer
  readonly lacking: Set<number>
}

/**
 * Sets of drives that fail in every way that their parity allows: they lose unsynced writes when the power goes, rot,
 * misdirect writes, lie about syncs, disappear, come back as they were before, or are replaced. A drive is hurt only while
 * every acknowledged blob has enough shards elsewhere; all drives together may refuse to work for a while.
 */
export async function simulateDrives(seed: number, mutation?: DriveMutation): Promise<DriveSimulationResult> {
  const simulation = new DriveSimulation(seed, mutation)
  const violation = await violationOf(simulation.run())
  const { crashes, faults, acknowledged } = simulation
  return { traceHash: simulation.trace.digest('hex'), violation, crashes, faults, acknowledged }
}

class DriveSimulation {
  readonly trace = createHash('sha256')
  crashes = 0
  faults = 0
  acknowledged = 0
  readonly #random: SeededRandom
  readonly #clock = new SimulatedClock()
  readonly #mutation: DriveMutation | undefined
  readonly #count: number
  readonly #parity: number
  #drives: SimulatedDrive[] = []
  #known: Known[] = []
  /** Drives that refuse to work now, whatever they hold. */
  #away = new Set<number>()
  readonly #wereAway = new Set<number>()
  /** A drive that says that it has synced, and has not: all that it took since counts as lacking there. */
  #liar: number | undefined
  /** Operations until the power goes. */
  #untilCrash = Infinity

  constructor(seed: number, mutation: DriveMutation | undefined) {
    this.#random = new SeededRandom(seed)
    this.#mutation = mutation
    const [count, parity] = this.#random.pick(codes)
    this.#count = count
    this.#parity = parity
  }

  async run(): Promise<void> {
    const template = await blank
    this.#drives = Array.from({ length: this.#count }, (_, position) => template.copy(this.#optionsOf(position)))
    for (let round = 0; round < rounds; round++) {
      await this.#work()
      this.#crash()
      await this.#verify('after a power loss')
      this.#away.clear()
      for (let fault = this.#random.integer(4); fault > 0; fault--) await this.#hurt()
      await this.#verify('with drives hurt')
      await this.#heal()
      await this.#verify('after the heal')
    }
  }

  // ---- clients

  async #work(): Promise<void> {
    const { store, set } = this.#assemble()
    this.#wereAway.clear()
    this.#liar = this.#random.chance(0.2) ? this.#random.integer(this.#count) : undefined
    this.#untilCrash = this.#random.chance(0.8) ? 1 + this.#random.integer(60 * this.#count) : Infinity
    const writers = Array.from({ length: 3 }, async (_, writer) => {
      for (let index = 0; index < 3 && this.#untilCrash > 0; index++) {
        this.#toggleAway()
        const content = Buffer.from(this.#random.bytes(this.#random.integer(maxBlobBytes)))
        try {
          const ref = await store.write(cut(content, 1 + this.#random.integer(3000)))
          // Nobody hears an answer that comes after the power went.
          if (this.#untilCrash > 0) await this.#acknowledge(ref, content, set)
        } catch (error) {
          if (!(error instanceof BlobError)) throw error
          this.#note(`writer ${writer}: ${error.code}`)
        }
      }
    })
    await Promise.all(writers)
    if (this.#untilCrash > 0 && this.#random.chance(0.5)) await this.#deleteOne(store)
  }

  async #acknowledge(ref: BlobRef, content: Buffer, writing: DriveSet): Promise<void> {
    this.acknowledged++
    this.#note(`stored ${content.length}`)
    const lacking = new Set<number>()
    // What the store has taken out, and what is not there when it is looked at behind its back.
    for (const { position, isWritable } of writing.members) if (!isWritable) lacking.add(position)
    const { set } = this.#assemble(this.#drives.map((drive) => drive.copy()))
    for (const [shard, member] of membersByShard(set, ref.blobId).entries()) {
      const { state } = await inspectShard(member, ref.blobId, shard)
      if (state !== 'good' || member.position === this.#liar) lacking.add(member.position)
    }
    this.#known.push({ ref, content, lacking })
  }

  async #deleteOne(store: SetBlobStore): Promise<void> {
    if (this.#known.length === 0) return
    const [gone] = this.#known.splice(this.#random.integer(this.#known.length), 1)
    await store.delete(must(gone, 'a known blob').ref.blobId).catch((error: unknown) => {
      if (!(error instanceof BlobError)) throw error
    })
  }

  /** Some drives stop working for the moment, or work again: more of them than the parity allows now and then. */
  #toggleAway(): void {
    if (!this.#random.chance(0.3)) return
    const position = this.#random.integer(this.#count)
    if (this.#away.delete(position)) return
    // One that lies about syncs is one of those that may be lost, and one that was away is taken out until the next start.
    if (this.#liar !== undefined && new Set([...this.#wereAway, this.#liar, position]).size > this.#parity) return
    this.#away.add(position)
    this.#wereAway.add(position)
  }

  // ---- faults

  #crash(): void {
    this.crashes++
    this.#untilCrash = Infinity
    this.#liar = undefined
    this.#drives = this.#drives.map((drive, position) => drive.crash(this.#random, this.#optionsOf(position)))
    this.#note('power lost')
  }

  /** Whether everything acknowledged outlives the loss of this drive too. */
  #mayHurt(position: number): boolean {
    return this.#known.every(({ lacking }) => new Set([...lacking, position]).size <= this.#parity)
  }

  async #hurt(): Promise<void> {
    const position = this.#random.integer(this.#count)
    if (!this.#mayHurt(position)) return
    this.faults++
    const fault = this.#random.pick(['rot', 'replaced', 'away', 'misdirected', 'truncated', 'emptied'] as const)
    this.#note(`${fault} ${position}`)
    for (const { lacking } of this.#known) lacking.add(position)
    const drive = must(this.#drives[position], 'a drive')
    if (fault === 'replaced') this.#drives[position] = (await blank).copy(this.#optionsOf(position))
    else if (fault === 'away') this.#away.add(position)
    else for (const { ref } of this.#known) await this.#damage(drive, pathOf(ref.blobId), fault)
  }

  async #damage(drive: SimulatedDrive, path: string, fault: 'rot' | 'misdirected' | 'truncated' | 'emptied'): Promise<void> {
    const stored = await contentOf(drive, path)
    if (stored === undefined || stored.length === 0 || this.#random.chance(0.3)) return
    if (fault === 'rot') return drive.flipByte(path, this.#random.integer(stored.length))
    // What was written elsewhere stands here now: a block of the same shard, or all of another blob's.
    const moved = Buffer.from(stored)
    const half = Math.floor(stored.length / 2)
    if (fault === 'misdirected') stored.copy(moved, half, 0, stored.length - half)
    const other = this.#random.chance(0.5) ? await contentOf(drive, pathOf(this.#random.pick(this.#known).ref.blobId)) : undefined
    const bytes = fault === 'misdirected' ? (other ?? moved) : stored.subarray(0, fault === 'emptied' ? 0 : this.#random.integer(stored.length))
    await drive.remove(path)
    const file = await drive.create(path)
    await file.write(bytes, 0)
    await file.sync()
    await drive.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  }

  async #heal(): Promise<void> {
    this.#away.clear()
    if (this.#mutation === 'skippedHeal') {
      for (const { lacking } of this.#known) lacking.clear()
      return
    }
    const { set } = this.#assemble()
    const healer = new Healer({ sets: [set], clock: this.#clock, random: this.#random, restFactor: 0 })
    // In the middle of it the power may go once more.
    if (this.#random.chance(0.3)) {
      this.#untilCrash = 1 + this.#random.integer(300 * this.#count)
      await healer.walk({ kind: 'everything', signal: new AbortController().signal, onProgress: async () => {} })
      this.#crash()
    }
    const again = this.#assemble()
    const finishing = new Healer({ sets: [again.set], clock: this.#clock, random: this.#random, restFactor: 0 })
    await finishing.walk({ kind: 'everything', signal: new AbortController().signal, onProgress: async () => {} })
    for (const { ref, lacking } of this.#known) {
      const { outcome, found } = await healBlob({ set: again.set, blobId: ref.blobId, verify: true, clock: this.#clock, random: this.#random })
      if (outcome !== 'whole') throw new Violation(`${ref.blobId} is ${outcome} after the heal: ${JSON.stringify(found)}`)
      lacking.clear()
    }
  }

  // ---- checks

  async #verify(when: string): Promise<void> {
    const { store } = this.#assemble()
    for (const { ref, content, lacking } of this.#known) {
      const from = this.#random.integer(content.length + 1)
      const range = this.#random.chance(0.5) ? { offset: 0, length: content.length } : { offset: from, length: this.#random.integer(content.length - from + 1) }
      // Drives that are away beyond what the blob can miss make it unreadable for the moment, and nothing else.
      const gone = new Set([...lacking, ...this.#away])
      try {
        const pieces: Buffer[] = []
        for await (const piece of store.read(ref, range)) pieces.push(Buffer.from(piece))
        if (!Buffer.concat(pieces).equals(content.subarray(range.offset, range.offset + range.length))) throw new Violation(`${when}: other bytes of ${ref.blobId}`)
      } catch (error) {
        if (!(error instanceof BlobError)) throw error
        if (gone.size <= this.#parity) throw new Violation(`${when}: ${error.code} of ${ref.blobId}: ${error.message}`)
      }
    }
    this.#note(`${when}: ${this.#known.length} blobs`)
  }

  /** A fresh process over the drives. */
  #assemble(drives: readonly SimulatedDrive[] = this.#drives): { readonly set: DriveSet; readonly store: SetBlobStore } {
    const members = drives.map((drive, position) => new SetMember({ driveId: String(position), position, label: `drive ${position}`, drive, clock: this.#clock }))
    const set: DriveSet = { index: 0, members, parity: { standard: this.#parity, reduced: 1 } }
    const mutation = this.#mutation === 'smallQuorum' || this.#mutation === 'skippedVerify' ? { mutation: this.#mutation } : {}
    return { set, store: new SetBlobStore({ sets: [set], clock: this.#clock, random: this.#random, blockBytes, ...mutation }) }
  }

  #optionsOf(position: number): SimulatedDriveOptions {
    return {
      beforeOperation: (operation) => this.#before(position, operation),
      ignoreSync: () => this.#mutation === 'ignoreSync' || position === this.#liar,
      ignoreDirectorySync: () => this.#mutation === 'ignoreDirectorySync' || position === this.#liar,
    }
  }

  async #before(position: number, operation: DriveOperation): Promise<void> {
    if (this.#untilCrash <= 0) throw new DriveError('Io', 'the power is gone')
    this.#untilCrash--
    if (this.#away.has(position) && operation !== 'close') throw new DriveError('Io', 'the drive does not answer')
    // Drives answer in any order.
    for (let turns = this.#random.integer(3); turns > 0; turns--) await Promise.resolve()
  }

  #note(line: string): void {
    this.trace.update(`${line}\n`)
  }
}

const blank = formatBlank()

async function formatBlank(): Promise<SimulatedDrive> {
  const drive = new SimulatedDrive()
  await formatDrive(drive, { format: 2, deploymentId: '0'.repeat(32), driveId: '1'.repeat(32), sets: [['1'.repeat(32)]], parity: 0 })
  return drive
}

async function contentOf(drive: SimulatedDrive, path: string): Promise<Buffer | undefined> {
  try {
    const bytes = Buffer.alloc(await drive.sizeOf(path))
    const file = await drive.open(path)
    await file.read(bytes, 0)
    return bytes
  } catch (error) {
    if (error instanceof DriveError) return undefined
    throw error
  }
}

async function* cut(content: Buffer, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += chunkBytes) yield content.subarray(at, at + chunkBytes)
}
