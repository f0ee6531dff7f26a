import type { Drive } from '../drives/drive.ts'
import { withRoom } from './ballast.ts'
import type { CheckpointFiles } from './checkpoint.ts'
import type { IndexPin, MetadataIndex } from './index/metadata-index.ts'
import type { Journal } from './journal/journal.ts'

/** One copy of the metadata: a journal, the index made from it, and the checkpoint that ties them. */
export class Member {
  readonly id: string
  readonly drive: Drive
  readonly index: MetadataIndex
  readonly journal: Journal
  readonly #checkpoints: CheckpointFiles
  /** What the checkpoint on the drive needs to stay in place; more than one after a failure. */
  #pins: readonly IndexPin[]

  constructor(parts: {
    readonly id: string
    readonly drive: Drive
    readonly index: MetadataIndex
    readonly journal: Journal
    readonly checkpoints: CheckpointFiles
    readonly pin: IndexPin
  }) {
    this.id = parts.id
    this.drive = parts.drive
    this.index = parts.index
    this.journal = parts.journal
    this.#checkpoints = parts.checkpoints
    this.#pins = [parts.pin]
  }

  /**
   * Makes the index durable as it is now and cuts the journal below it. Commits go on meanwhile, but
   * it begins between two of them.
   */
  async checkpoint(): Promise<void> {
    const before = this.#pins
    const pin = this.index.pin()
    // Until it is known to be the only one, either may be what a restart finds.
    this.#pins = [...before, pin]
    await this.index.sync()
    await this.#checkpoints.write(pin)
    this.#pins = [pin]
    for (const earlier of before) earlier.release()
    this.journal.cut(pin.position.seq)
  }

  /** There is nothing that another checkpoint would make durable. */
  get isCheckpointed(): boolean {
    return this.#pins.length === 1 && this.#pins[0]?.position.seq === this.index.position.seq
  }

  /** Throws `Full` unless journal and index can take a record of this size, with so many commits; one that frees space may have the ballast. */
  async reserve({ recordBytes, commits, frees }: { readonly recordBytes: number; readonly commits: number; readonly frees: boolean }): Promise<void> {
    const reserve = (): Promise<void> => this.journal.reserve(recordBytes)
    await (frees ? withRoom(this.drive, reserve) : reserve())
    this.index.reserve({ bytes: 2 * recordBytes + commits * treeBytes + spareBytes, frees, isPinned: this.isCheckpointed })
  }

  /** Once everything in it is in a checkpoint. */
  emptyJournal(): Promise<void> {
    return this.journal.removeOld()
  }

  async close(): Promise<void> {
    for (const pin of this.#pins) pin.release()
    await this.journal.close()
    await this.#checkpoints.close()
    await this.index.close()
  }
}

/** The pages of the tree that a commit rewrites beside its values, at most. */
const treeBytes = 64 * 1024
/** For its lists of free pages. */
const spareBytes = 256 * 1024
