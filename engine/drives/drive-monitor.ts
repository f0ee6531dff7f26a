import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { KiB, secondMs } from '../../base/units.ts'
import { DriveFormatError, inspectDrive, probePrefix } from './drive-format.ts'
import { type Drive, DriveError, type DriveSpace } from './drive.ts'
import type { DriveSet } from './drive-set.ts'
import { Probation } from './probation.ts'
import type { SetMember } from './set-member.ts'

export interface DriveMonitorOptions {
  readonly sets: readonly DriveSet[]
  readonly clock: Clock
  readonly random: Random
  readonly intervalMs?: number
  /** A drive that takes longer to look at is taken out. */
  readonly patienceMs?: number
}

const defaultIntervalMs = 2 * secondMs
const defaultPatienceMs = 30 * secondMs
const probeBytes = 256 * KiB

/** Looks at each drive of this process now and then: takes out what is not itself any more, and takes back what is well. */
export class DriveMonitor {
  readonly #options: DriveMonitorOptions
  /** Drives that are still being looked at: one that hangs is not asked again. */
  readonly #busy = new Set<SetMember>()
  /** Where each drive's root lay when it was last well. */
  readonly #places = new Map<SetMember, Pick<DriveSpace, 'device' | 'isMountPoint'>>()

  readonly #probation: Probation

  constructor(options: DriveMonitorOptions) {
    this.#options = options
    this.#probation = new Probation(options.clock)
  }

  /** Until the signal; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.round()
      await this.#options.clock.sleep(this.#options.intervalMs ?? defaultIntervalMs, signal)
    }
  }

  async round(): Promise<void> {
    const members = this.#options.sets.flatMap((set) => set.members).filter((member) => !this.#busy.has(member))
    const { inUse = [], out = [] } = Object.groupBy(members, ({ isReadable }) => (isReadable ? 'inUse' : 'out'))
    // Those in use tell what to make of an empty directory.
    for (const group of [inUse, out]) await Promise.all(group.map((member) => this.#patiently(member)))
  }

  async #patiently(member: SetMember): Promise<void> {
    const { clock, patienceMs = defaultPatienceMs } = this.#options
    const finished = new AbortController()
    this.#busy.add(member)
    const examined = this.#examine(member).finally(() => {
      this.#busy.delete(member)
      finished.abort()
    })
    await Promise.race([
      examined,
      clock.sleep(patienceMs, finished.signal).then(() => {
        if (!finished.signal.aborted) member.takeOut('slow', `it did not answer within ${patienceMs} ms`)
      }),
    ])
  }

  async #examine(member: SetMember): Promise<void> {
    try {
      const state = await inspectDrive(member.drive)
      const space = await member.drive.space()
      member.noteSpace(space)
      const { device, isMountPoint } = space
      if (state.kind === 'unformatted') {
        const isUnmounted = !isMountPoint && this.#isUsuallyMounted(member, device)
        return member.takeOut(isUnmounted ? 'missing' : 'blank', isUnmounted ? 'it is empty and not mounted' : 'it is empty')
      }
      if (state.record.driveId !== member.driveId) return member.takeOut('foreign', `it is drive ${state.record.driveId}`)
      this.#places.set(member, { device, isMountPoint })
      if (member.condition.kind === 'ok') return
      const startedMs = this.#options.clock.monotonicMs()
      await this.#probe(member.drive)
      if (this.#probation.mayReturn(member, this.#options.clock.monotonicMs() - startedMs)) member.takeBack()
    } catch (error) {
      if (error instanceof DriveFormatError) member.takeOut('foreign', error.message)
      else if (!(error instanceof DriveError)) throw error
      else if (error.code === 'NotFound') member.takeOut('missing', error.message)
      else if (error.code === 'Full') member.noteWriteFailure(error)
      else member.takeOut('failing', error.message)
    }
  }

  /** An empty directory is no new drive where this one was mounted before, or where all the others are. */
  #isUsuallyMounted(member: SetMember, device: number): boolean {
    const before = this.#places.get(member)
    if (before !== undefined) return before.device !== device
    const others = [...this.#places.values()]
    return others.length > 0 && others.every(({ isMountPoint }) => isMountPoint)
  }

  /** Throws unless the drive can be written. */
  async #probe(drive: Drive): Promise<void> {
    const path = probePrefix + Buffer.from(this.#options.random.bytes(8)).toString('hex')
    const file = await drive.create(path)
    try {
      await file.write(Buffer.alloc(probeBytes, 1), 0)
      await file.sync()
    } finally {
      await file.close().catch(() => undefined)
      await drive.remove(path).catch(() => undefined)
    }
  }
}
