import { must } from '../../../base/assert.ts'
import type { SeededRandom } from '../../../base/seeded-random.ts'
import { KiB } from '../../../base/units.ts'
import { type Drive, DriveError, type DriveFile } from '../../drives/drive.ts'
import { SimulatedDrive } from '../../drives/simulated-drive.ts'
import { Committer } from '../../metadata/committer.ts'
import { SimulatedIndexSource } from '../../metadata/index/simulated-index.ts'
import { journalDirectory } from '../../metadata/journal/journal.ts'
import { decodeRecord } from '../../metadata/journal/record.ts'
import type { MemberPlace } from '../../metadata/open-member.ts'
import { openMembers, type OpenMembers } from '../../metadata/open-members.ts'
import { planRecovery, type RecoveryInput, type RecoveryPlan } from '../../metadata/plan-recovery.ts'
import type { Scheduler } from '../scheduler.ts'

/** Each removes one thing that durability stands on; the simulation must notice. */
export type MetadataMutation = 'ignoreSync' | 'acknowledgeEarly' | 'wrongQuorum' | 'staleEpoch' | 'skipVerify' | 'skipCheckpointPin'

/** Sets of drives, and how many of them may be lost at any time. */
const shapes = [
  { drives: 1, mayLose: 0, writeQuorum: 1 },
  // The loss of one leaves a read quorum and no write quorum.
  { drives: 2, mayLose: 1, writeQuorum: 2 },
  { drives: 3, mayLose: 1, writeQuorum: 2 },
  { drives: 4, mayLose: 1, writeQuorum: 3 },
  { drives: 6, mayLose: 2, writeQuorum: 4 },
] as const

interface SimulatedMember {
  readonly id: string
  drive: SimulatedDrive
  readonly source: SimulatedIndexSource
  state: 'there' | 'away'
  /** Every operation fails, until it is replaced or comes back. */
  isFailing: boolean
  readonly lies: boolean
  /** Empty, until a start has brought it up. */
  isNew: boolean
}

export class MetadataWorld {
  readonly shape: (typeof shapes)[number]
  readonly #random: SeededRandom
  readonly #scheduler: Scheduler
  readonly #mutation: MetadataMutation | undefined
  readonly #members: SimulatedMember[]
  /** Of the process that writes: what an earlier one still has under way comes to nothing. */
  #generation = 0
  #opened: (OpenMembers & { readonly committer: Committer }) | undefined
  /** Whose index readers have open: the last one's that was opened, and others while readers move to it. */
  #readBy: readonly string[] = []

  constructor(random: SeededRandom, scheduler: Scheduler, mutation: MetadataMutation | undefined) {
    this.#random = random
    this.#scheduler = scheduler
    this.#mutation = mutation
    this.shape = random.pick(shapes)
    // A drive that lies about syncs is one of those that may be lost.
    const liar = this.shape.mayLose > 0 && random.chance(0.2) ? random.integer(this.shape.drives) : -1
    this.#members = Array.from({ length: this.shape.drives }, (_, at) => this.#newMember(String(at), at === liar))
  }

  get committer(): Committer {
    return must(this.#opened, 'the metadata are open').committer
  }

  /** What readers see. */
  get read(): SimulatedIndexSource {
    return must(this.#members.find(({ id }) => id === this.#readBy[0]), 'a member is read').source
  }

  /** The index of every member of the epoch, once all are up to date. */
  async copies(): Promise<readonly SimulatedIndexSource[]> {
    await this.committer.settled()
    const { members } = must(this.#opened, 'the metadata are open')
    return members.map(({ id }) => must(this.#members.find((member) => member.id === id), 'members are drives').source)
  }

  async open(): Promise<void> {
    const { drives, writeQuorum } = this.shape
    const places = this.#members.filter(({ state }) => state === 'there').map((member) => this.#placeOf(member))
    const generation = this.#generation
    const opened = await openMembers({ places, drives, writeQuorum, copies: this.#copies(), readBy: this.#readBy, plan: this.#mutation === 'staleEpoch' ? planStale : planRecovery })
    // A process that was killed meanwhile saw its drives fail, and tells nobody what it made of that.
    this.#requireGeneration(generation)
    const committer = new Committer({ ...opened, checkpointBytes: 24 * KiB, acknowledgeEarly: this.#mutation === 'acknowledgeEarly' })
    this.#opened = { ...opened, committer }
    const { id } = must(opened.members[0], 'an epoch has a member')
    this.#readBy = [id, ...this.#readBy.filter((other) => other !== id && this.#random.chance(0.5))]
    for (const member of this.#members) member.isNew = false
  }

  /** The committer's process is gone; the system still holds what it wrote. */
  kill(): void {
    this.#generation++
    this.#opened = undefined
  }

  losePower(): void {
    this.kill()
    this.#readBy = []
    for (const member of this.#members) {
      member.drive = member.drive.crash(this.#random, this.#driveOptions(member))
      member.source.losePower()
    }
  }

  /** From now on a drive fails, of those that are left to lose. */
  failDrive(): void {
    const candidates = this.#members.filter((member) => member.state === 'there' && !member.lies)
    if (this.#lost() < this.shape.mayLose && candidates.length > 0) this.#random.pick(candidates).isFailing = true
  }

  /** Between two starts drives go, come back as they were, are replaced by empty ones, or rot. */
  async changeDrives(): Promise<void> {
    for (const member of this.#members) {
      if ((member.state === 'away' || member.isFailing) && this.#random.chance(0.5)) this.#bringBack(member)
    }
    while (this.#lost() < this.shape.mayLose && this.#random.chance(0.5)) {
      const member = this.#random.pick(this.#members.filter(({ state, lies }) => state === 'there' && !lies))
      if (this.#random.chance(0.3)) await this.#rot(member)
      else member.state = 'away'
      if (member.state === 'there') break
    }
    // What readers had open is gone with its drive.
    this.#readBy = this.#readBy.filter((read) => this.#members.some(({ id, state }) => id === read && state !== 'away'))
  }

  #bringBack(member: SimulatedMember): void {
    member.state = 'there'
    member.isFailing = false
    if (this.#random.chance(0.3)) this.#members[this.#members.indexOf(member)] = Object.assign(this.#newMember(member.id, false), { isNew: true })
  }

  #lost(): number {
    return this.#members.filter(({ state, isFailing, lies, isNew }) => state === 'away' || isFailing || lies || isNew).length
  }

  /** One byte of a journal is not what was written. */
  async #rot({ drive }: SimulatedMember): Promise<void> {
    try {
      const [name] = await drive.list(journalDirectory)
      if (name !== undefined) drive.flipByte(`${journalDirectory}/${name}`, this.#random.integer(8 * KiB))
    } catch (error) {
      if (!(error instanceof DriveError)) throw error
    }
  }

  #newMember(id: string, lies: boolean): SimulatedMember {
    const requireAlive = () => {
      const generation = this.#generation
      return () => this.#requireGeneration(generation)
    }
    const source = new SimulatedIndexSource({
      beforeSync: () => this.#before('index sync'),
      requireAlive,
      isOnLiar: lies,
      forgetsPins: this.#mutation === 'skipCheckpointPin',
    })
    const member = { id, source, state: 'there' as const, isFailing: false, lies, isNew: false }
    const drive = new SimulatedDrive(this.#driveOptions(member))
    return Object.assign(member, { drive })
  }

  #driveOptions(member: { readonly lies: boolean; readonly isFailing: boolean }) {
    return {
      beforeOperation: async (operation: string, path: string) => {
        if (member.isFailing) throw new DriveError('Io', 'the drive fails')
        if (operation === 'write' || operation === 'sync' || operation === 'syncDirectory') await this.#before(`${operation} ${path}`)
        if (member.isFailing) throw new DriveError('Io', 'the drive fails')
      },
      ignoreSync: member.lies || this.#mutation === 'ignoreSync',
    }
  }

  async #before(name: string): Promise<void> {
    const generation = this.#generation
    await this.#scheduler.park(name)
    this.#requireGeneration(generation)
  }

  #requireGeneration(generation: number): void {
    if (generation !== this.#generation) throw new DriveError('Io', 'the process was killed')
  }

  #placeOf({ id, drive, source }: SimulatedMember): MemberPlace {
    const generation = this.#generation
    const place = { id, drive: whileAlive<Drive>(drive, () => this.#requireGeneration(generation)), source, segmentBytes: 16 * KiB }
    return this.#mutation === 'skipVerify' ? { ...place, decode: (bytes, at) => decodeRecord(bytes, at, false) } : place
  }

  #copies(): number {
    const { mayLose } = this.shape
    return this.#mutation === 'wrongQuorum' ? Math.max(1, mayLose) : mayLose + 1
  }
}

/** What one process has of a drive or a file: once it is killed, nothing that it still does reaches the drive. */
function whileAlive<T extends Drive | DriveFile>(target: T, requireAlive: () => void): T {
  return new Proxy(target, {
    get: (of, name) => {
      const method: unknown = Reflect.get(of, name)
      if (typeof method !== 'function') return method
      return async (...args: readonly unknown[]): Promise<unknown> => {
        requireAlive()
        const result: unknown = await Reflect.apply(method, of, args)
        return name === 'create' || name === 'open' ? whileAlive(result as DriveFile, requireAlive) : result
      }
    },
  })
}

/** Whatever metadata comes first are taken for the newest. */
export function planStale(input: RecoveryInput): RecoveryPlan {
  const plan = planRecovery(input)
  const holders = input.seen.filter(({ end }) => end !== undefined).map(({ id }) => id)
  if (plan.kind !== 'recover' || holders[0] === undefined) return plan
  return { ...plan, donor: holders[0], members: holders.slice(0, input.copies), spares: [] }
}
