import { assert } from '../../../base/assert.ts'
import { MiB } from '../../../base/units.ts'
import { DriveError } from '../../drives/drive.ts'
import type { Drive, DriveFile } from '../../drives/drive.ts'
import { alignmentBytes } from './record.ts'

export const journalDirectory = 'journal'

export interface JournalOptions {
  readonly drive: Drive
  /** What a segment grows to; a longer record gets a segment of its own size. */
  readonly segmentBytes?: number
}

const defaultSegmentBytes = 32 * MiB
/** The first segment; each one made after it is twice as large, up to `segmentBytes`. */
const firstSegmentBytes = MiB
/** Zeros are written in pieces of this size. */
const zeroBytes = MiB

interface Segment {
  readonly path: string
  readonly file: DriveFile
  readonly bytes: number
  /** The highest sequence in it. */
  lastSeq: number
}

/**
 * One member's journal: records in files of a fixed size that are filled with zeros and synced before
 * they are used, so that syncing a record writes no size and no block map. Files whose records are no
 * longer needed are used again. Which record comes first is told by the records alone.
 */
export class Journal {
  readonly #drive: Drive
  readonly #largestBytes: number
  #segments: Segment[] = []
  #current: Segment | undefined
  #old: readonly string[]
  #offset = 0
  #nextNumber: number
  #nextBytes: number
  /** Records up to here are no longer needed. */
  #cutSeq = 0
  #spare: Promise<Segment> | undefined

  /** `nextNumber`: of the first file to be made, higher than any there is. */
  private constructor({ drive, segmentBytes = defaultSegmentBytes }: JournalOptions, nextNumber: number, old: readonly string[]) {
    this.#old = old
    this.#drive = drive
    this.#largestBytes = segmentBytes
    this.#nextBytes = Math.min(firstSegmentBytes, segmentBytes)
    this.#nextNumber = nextNumber
  }

  /** Appends behind what is there, which is left alone until `removeOld`. */
  static async open(options: JournalOptions): Promise<Journal> {
    const names = await segmentNames(options.drive)
    return new Journal(options, Math.max(0, ...names.map(Number)) + 1, names)
  }

  /** Segments of earlier lives go: what they hold is durable elsewhere. */
  async removeOld(): Promise<void> {
    if (this.#old.length === 0) return
    for (const name of this.#old) await this.#drive.remove(`${journalDirectory}/${name}`)
    await this.#drive.syncDirectory(journalDirectory)
    this.#old = []
  }

  /**
   * The record is on stable storage when this resolves. One at a time. A rejection before `onWriting`
   * was called left nothing of it; after one that came later the journal takes no more records.
   */
  async append(record: Uint8Array, seq: number, onWriting: () => void = () => {}): Promise<void> {
    assert(record.byteLength % alignmentBytes === 0, 'records fill whole sectors')
    const segment = await this.#segmentFor(record.byteLength)
    onWriting()
    segment.lastSeq = seq
    const position = this.#offset
    this.#offset += record.byteLength
    await segment.file.writeSynced(record, position)
    if (this.#offset > segment.bytes / 2) this.#prepareSpare()
  }

  /** Makes sure that a record of this size can be appended. Throws `Full`; nothing changed. */
  async reserve(bytes: number): Promise<void> {
    await this.#segmentFor(bytes)
  }

  /** Records up to `seq` are durable elsewhere: their segments may be used again. */
  cut(seq: number): void {
    this.#cutSeq = Math.max(this.#cutSeq, seq)
  }

  /** Bytes that a restart would read. */
  get usedBytes(): number {
    let bytes = 0
    for (const segment of this.#segments) if (segment.lastSeq > this.#cutSeq) bytes += segment === this.#current ? this.#offset : segment.bytes
    return bytes
  }

  async close(): Promise<void> {
    await this.#spare?.catch(() => {})
    for (const { file } of this.#segments) await file.close()
  }

  async #segmentFor(bytes: number): Promise<Segment> {
    if (this.#current !== undefined && this.#offset + bytes <= this.#current.bytes) return this.#current
    const isDone = this.#current !== undefined && this.#current.lastSeq <= this.#cutSeq
    if (isDone) this.#current = undefined
    const segment = await this.#freeSegment(bytes)
    this.#current = segment
    this.#offset = 0
    return segment
  }

  async #freeSegment(bytes: number): Promise<Segment> {
    await this.#spare?.catch(() => {})
    this.#spare = undefined
    const free = this.#segments.find((segment) => this.#isFree(segment) && segment.bytes >= bytes)
    await this.#removeSmaller(free)
    return free ?? (await this.#createAtLeast(bytes))
  }

  #isFree(segment: Segment): boolean {
    return segment !== this.#current && segment.lastSeq <= this.#cutSeq
  }

  /** One free segment is enough, of the size that the others have by now. */
  async #removeSmaller(kept: Segment | undefined): Promise<void> {
    const needless = this.#segments.filter((segment) => segment !== kept && this.#isFree(segment))
    this.#segments = this.#segments.filter((segment) => !needless.includes(segment))
    for (const { path, file } of needless) {
      await file.close()
      await this.#drive.remove(path)
    }
  }

  /** The next segment is made while this one fills up. */
  #prepareSpare(): void {
    if (this.#spare !== undefined || this.#segments.some((segment) => this.#isFree(segment) && segment.bytes >= this.#nextBytes)) return
    this.#spare = this.#create(this.#nextBytes)
    // Whoever needs it tries again, and then fails.
    this.#spare.catch(() => {})
  }

  /** On a full drive as much as there is room for: one that only fits its record would be the last. */
  async #createAtLeast(bytes: number): Promise<Segment> {
    for (let size = Math.max(bytes, this.#nextBytes); ; size = Math.max(bytes, alignmentBytes * Math.floor(size / 2 / alignmentBytes))) {
      try {
        return await this.#create(size)
      } catch (error) {
        if (!(error instanceof DriveError && error.code === 'Full') || size === bytes) throw error
      }
    }
  }

  async #create(bytes: number): Promise<Segment> {
    const path = `${journalDirectory}/${String(this.#nextNumber++).padStart(12, '0')}`
    const file = await this.#drive.create(path)
    try {
      const zeros = Buffer.alloc(Math.min(bytes, zeroBytes))
      for (let at = 0; at < bytes; at += zeros.length) await file.write(zeros.subarray(0, Math.min(zeros.length, bytes - at)), at)
      await file.sync()
      await this.#drive.syncDirectory(journalDirectory)
    } catch (error) {
      await file.close().catch(() => {})
      await this.#drive.remove(path).catch(() => {})
      throw error
    }
    const segment = { path, file, bytes, lastSeq: 0 }
    this.#segments.push(segment)
    this.#nextBytes = Math.min(2 * this.#nextBytes, this.#largestBytes)
    return segment
  }
}

/** Makes the directory; whether there was one. */
export async function makeJournalDirectory(drive: Drive): Promise<boolean> {
  try {
    await drive.createDirectory(journalDirectory)
  } catch (error) {
    if (error instanceof DriveError && error.code === 'Exists') return true
    throw error
  }
  await drive.syncDirectory('')
  return false
}

export async function segmentNames(drive: Drive): Promise<string[]> {
  const names = await drive.list(journalDirectory)
  return names.filter((name) => /^\d{12}$/.test(name)).sort()
}
