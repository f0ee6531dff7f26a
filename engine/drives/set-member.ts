import type { Clock } from '../../base/clock.ts'
import { DirectorySyncs } from './directory-sync.ts'
import { type Drive, DriveError, type DriveSpace } from './drive.ts'

/**
 * Why a drive is not used: it cannot be found, fails, is too slow, cannot be written, holds something that is not its own
 * (`foreign`), or is empty and waits for its format (`blank`).
 */
export type OutReason = 'missing' | 'failing' | 'slow' | 'foreign' | 'blank'

export type MemberCondition =
  | { readonly kind: 'ok' }
  /** Nothing new fits; it is read as before. */
  | { readonly kind: 'full' }
  | { readonly kind: 'out'; readonly reason: OutReason; readonly explanation: string; readonly sinceMs: number }

/** So many reads in a row may fail before the drive is taken out. A failed write takes it out at once: a shard is missing. */
const toleratedReadFailures = 3
/** How much of a new read's duration goes into the drive's usual one. */
const readMemory = 0.2

/** One drive of a set as this process sees it. Who uses it reports what happened; the monitor takes it back when it is well. */
export class SetMember {
  readonly driveId: string
  /** In its set, from 0. */
  readonly position: number
  /** For people: the path that was given. */
  readonly label: string
  readonly drive: Drive
  readonly directorySyncs: DirectorySyncs
  /** Called after each change, with the condition before it. */
  onChange: (member: SetMember, before: MemberCondition) => void = () => {}
  readonly #clock: Clock
  #condition: MemberCondition = { kind: 'ok' }
  #readFailures = 0
  #usualReadMs = 0
  #freeBytes: number | undefined

  constructor({ driveId, position, label, drive, clock }: { readonly driveId: string; readonly position: number; readonly label: string; readonly drive: Drive; readonly clock: Clock }) {
    this.driveId = driveId
    this.position = position
    this.label = label
    this.drive = drive
    this.directorySyncs = new DirectorySyncs(drive)
    this.#clock = clock
  }

  get condition(): MemberCondition {
    return this.#condition
  }

  get isReadable(): boolean {
    return this.#condition.kind !== 'out'
  }

  get isWritable(): boolean {
    return this.#condition.kind === 'ok'
  }

  /** How long a read of it takes of late. */
  get usualReadMs(): number {
    return this.#usualReadMs
  }

  /** As it was when the drive was last looked at. */
  get freeBytes(): number | undefined {
    return this.#freeBytes
  }

  noteSpace({ freeBytes }: Pick<DriveSpace, 'freeBytes'>): void {
    this.#freeBytes = freeBytes
  }

  noteRead(durationMs: number): void {
    this.#readFailures = 0
    this.#usualReadMs += (durationMs - this.#usualReadMs) * readMemory
  }

  noteReadFailure(error: unknown): void {
    this.#readFailures++
    if (this.#readFailures >= toleratedReadFailures) this.takeOut('failing', explanationOf(error))
  }

  noteWriteFailure(error: unknown): void {
    if (error instanceof DriveError && error.code === 'Full') this.#become({ kind: 'full' })
    else this.takeOut('failing', explanationOf(error))
  }

  takeOut(reason: OutReason, explanation: string): void {
    if (this.#condition.kind === 'out' && this.#condition.reason === reason) return
    const sinceMs = this.#condition.kind === 'out' ? this.#condition.sinceMs : this.#clock.nowMs()
    this.#become({ kind: 'out', reason, explanation, sinceMs })
  }

  takeBack(): void {
    this.#readFailures = 0
    this.#usualReadMs = 0
    this.#become({ kind: 'ok' })
  }

  #become(condition: MemberCondition): void {
    const before = this.#condition
    if (condition.kind !== 'out' && before.kind === condition.kind) return
    this.#condition = condition
    this.onChange(this, before)
  }
}

function explanationOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
