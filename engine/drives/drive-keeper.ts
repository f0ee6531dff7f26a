import { must } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { secondMs } from '../../base/units.ts'
import { Healer, type WalkInput, type WalkProgress } from '../heal/healer.ts'
import type { Foreground } from '../heal/pace.ts'
import { DriveError } from './drive.ts'
import { type DriveRecord, formatIfBlank } from './drive-format.ts'
import { DriveMonitor } from './drive-monitor.ts'
import { type DriveSet, readQuorum, writeQuorum } from './drive-set.ts'
import { freeBytesOf, SetIntake } from './set-intake.ts'
import type { MemberCondition, SetMember } from './set-member.ts'

export interface DriveKeeperOptions {
  readonly record: Omit<DriveRecord, 'driveId'>
  readonly sets: readonly DriveSet[]
  /** The set with the metadata. */
  readonly home: number
  readonly clock: Clock
  readonly random: Random
  /** The healer makes way for it. */
  readonly foreground?: Foreground | undefined
}

/** A drive as an operator sees it. */
export interface DriveStatus {
  readonly path: string
  readonly set: number
  readonly position: number
  readonly state: 'ok' | 'full' | 'missing' | 'failing' | 'slow' | 'foreign' | 'blank'
  readonly explanation: string | undefined
  /** Absent while the drive cannot be asked. */
  readonly totalBytes: number | undefined
  readonly freeBytes: number | undefined
}

export interface SetStatus {
  /** `draining`: blobs are moved off it, or were; `givenUp`: it has no drives any more. */
  readonly state: 'active' | 'draining' | 'givenUp'
  readonly hasMetadata: boolean
  readonly drives: number
  readonly parity: number
  readonly online: number
  readonly writeQuorum: number
  readonly readQuorum: number
  readonly canWrite: boolean
  readonly canRead: boolean
}

export interface DrivesStatus {
  readonly deploymentId: string
  readonly sets: readonly SetStatus[]
  readonly drives: readonly DriveStatus[]
  /** Of the drives that can be asked. */
  readonly rawBytes: number
  readonly rawFreeBytes: number
  /** What is left of it for the standard class's data. */
  readonly usableBytes: number
  readonly usableFreeBytes: number
  /** Damaged blobs that this process knows of. */
  readonly queuedBlobs: number
  readonly healedBlobs: number
}

/** What is told of a drive that changes: for the log, and so that returning drives are healed. */
export type OnDriveChange = (path: string, condition: MemberCondition, before: MemberCondition) => void

const lookAgainMs = 2 * secondMs

/** The drives of one process: watched, and healed where several share their blobs. */
export class DriveKeeper {
  readonly healer: Healer
  /** Which sets take new blobs; told by whoever reads the rows of the sets. */
  readonly intake = new SetIntake()
  readonly #options: DriveKeeperOptions
  readonly #monitor: DriveMonitor

  constructor(options: DriveKeeperOptions) {
    this.#options = options
    this.healer = new Healer(options)
    this.#monitor = new DriveMonitor(options)
  }

  /** Blobs lie in shards: there is something to heal from. */
  get isErasureCoded(): boolean {
    return this.#members.length > 1
  }

  /** Of the drives that are in use. */
  get paths(): string[] {
    return this.#members.filter(({ isReadable }) => isReadable).map(({ label }) => label)
  }

  /** Watches the drives and heals what is reported, until the signal. Never rejects. */
  async run({ signal, onChange }: { readonly signal: AbortSignal; readonly onChange: OnDriveChange }): Promise<void> {
    for (const member of this.#members) member.onChange = (changed, before) => onChange(changed.label, changed.condition, before)
    await Promise.all([this.#monitor.run(signal), this.isErasureCoded ? this.healer.run(signal) : undefined])
  }

  /** Looks at every drive once. */
  examine(): Promise<void> {
    return this.#monitor.round()
  }

  /** As `examine`, for a request that waits: not longer than it may take a client to ask once more. Never rejects. */
  async lookAgain(): Promise<void> {
    const looked = new AbortController()
    await Promise.race([
      this.examine().catch(() => undefined).finally(() => looked.abort()),
      this.#options.clock.sleep(lookAgainMs, looked.signal),
    ])
  }

  /**
   * Gives empty drives that stand in the place of others their format, and takes them into use; the number formatted. Several
   * processes may call it at once: one of them formats.
   */
  async formatReplaced(): Promise<number> {
    const blank = this.#members.filter(({ condition }) => condition.kind === 'out' && condition.reason === 'blank')
    let formatted = 0
    // One that fails at it stays blank, and is tried again.
    for (const { drive, driveId } of blank) if (await formatIfBlank(drive, { ...this.#options.record, driveId }).catch(unlessFailing)) formatted++
    if (blank.length > 0) await this.examine()
    return formatted
  }

  walk(input: WalkInput): Promise<WalkProgress> {
    return this.healer.walk(input)
  }

  async status(): Promise<DrivesStatus> {
    const { sets, record } = this.#options
    const drives = await Promise.all(sets.flatMap((set) => set.members.map((member) => statusOf(member, set.index))))
    const sum = (count: (drive: DriveStatus) => number | undefined): number => drives.reduce((total, drive) => total + (count(drive) ?? 0), 0)
    const dataPart = (drive: DriveStatus): number => {
      const set = sets[drive.set]
      return set === undefined ? 1 : (set.members.length - set.parity.standard) / set.members.length
    }
    return {
      deploymentId: record.deploymentId,
      sets: this.setStatuses(),
      drives,
      rawBytes: sum(({ totalBytes }) => totalBytes),
      rawFreeBytes: sum(({ freeBytes }) => freeBytes),
      usableBytes: Math.floor(sum((drive) => (drive.totalBytes ?? 0) * dataPart(drive))),
      usableFreeBytes: Math.floor(sum((drive) => (drive.freeBytes ?? 0) * dataPart(drive))),
      queuedBlobs: this.healer.queuedBlobs,
      healedBlobs: this.healer.healedBlobs,
    }
  }

  /** Without asking the drives. */
  setStatuses(): SetStatus[] {
    return this.#options.sets.map((set) => this.#statusOf(set))
  }

  /** Of the sets that take new blobs: what they can still take, by the latest look at them. */
  freeBytes(): { readonly set: number; readonly freeBytes: number | undefined }[] {
    return this.#options.sets.flatMap((set) => (set.members.length === 0 || this.intake.isAvoided(set.index) ? [] : [{ set: set.index, freeBytes: freeBytesOf(set) }]))
  }

  /** Bytes of shards for one of data of the standard class. */
  spreadOf(set: number): number {
    const { members, parity } = must(this.#options.sets[set], 'a set of the deployment')
    return members.length === 0 ? 1 : members.length / (members.length - parity.standard)
  }

  /** Sets that have drives. */
  get sets(): number[] {
    return this.#options.sets.flatMap(({ index, members }) => (members.length === 0 ? [] : [index]))
  }

  /** The set of a drive by its path. */
  setOf(path: string): number | undefined {
    return this.#options.sets.find(({ members }) => members.some(({ label }) => label === path))?.index
  }

  #statusOf(set: DriveSet): SetStatus {
    const hasMetadata = set.index === this.#options.home
    if (set.members.length === 0) return { state: 'givenUp', hasMetadata, drives: 0, parity: 0, online: 0, writeQuorum: 0, readQuorum: 0, canWrite: true, canRead: true }
    return { state: this.intake.isAvoided(set.index) ? 'draining' : 'active', hasMetadata, ...quorumsOf(set) }
  }

  get #members(): SetMember[] {
    return this.#options.sets.flatMap(({ members }) => members)
  }
}

function quorumsOf({ members, parity }: DriveSet): Omit<SetStatus, 'state' | 'hasMetadata'> {
  const data = members.length - parity.standard
  const quorum = writeQuorum(data, parity.standard)
  const [writable, readable] = [members.filter(({ isWritable }) => isWritable).length, members.filter(({ isReadable }) => isReadable).length]
  return {
    drives: members.length,
    parity: parity.standard,
    online: readable,
    writeQuorum: quorum,
    readQuorum: Math.max(data, readQuorum(members.length, parity.standard)),
    canWrite: writable >= quorum,
    canRead: readable >= data,
  }
}

async function statusOf(member: SetMember, set: number): Promise<DriveStatus> {
  const { condition, label, position } = member
  const isOut = condition.kind === 'out'
  const space = isOut ? undefined : await member.drive.space().catch(() => undefined)
  return {
    path: label,
    set,
    position,
    state: isOut ? condition.reason : condition.kind,
    explanation: isOut ? condition.explanation : undefined,
    totalBytes: space?.totalBytes,
    freeBytes: space?.freeBytes,
  }
}

function unlessFailing(error: unknown): false {
  if (error instanceof DriveError) return false
  throw error
}
