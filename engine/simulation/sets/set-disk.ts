import type { SeededRandom } from '../../../base/seeded-random.ts'
import { KiB } from '../../../base/units.ts'
import { blobDirectories } from '../../blobs/block-layout.ts'
import { type Drive, DriveError } from '../../drives/drive.ts'
import { formatDrive, metadataDirectory } from '../../drives/drive-format.ts'
import { type DriveOperation, SimulatedDrive, type SimulatedDriveOptions } from '../../drives/simulated-drive.ts'
import { SimulatedIndexSource } from '../../metadata/index/simulated-index.ts'
import { journalDirectory } from '../../metadata/journal/journal.ts'
import type { MemberPlace } from '../../metadata/open-member.ts'

export interface DiskHooks {
  /** Awaited before what may be held up. */
  before(name: string): Promise<void>
  /** As long as a slow disk takes. */
  delay(): Promise<void>
  /** Of the process that has the disk open. */
  generation(): number
  readonly ignoreSync: boolean
  readonly ignoreDirectorySync: boolean
}

/** Where something may come between: not in listings, of which a sweep makes 256. */
const heldUp: ReadonlySet<DriveOperation> = new Set(['create', 'open', 'remove', 'rename', 'write', 'read', 'sync', 'syncDirectory'])

/** One disk of a simulated set: its shards, and its copy of the metadata when it has one. */
export class SetDisk {
  readonly id: string
  readonly position: number
  drive = new SimulatedDrive()
  source: SimulatedIndexSource
  isAway = false
  /** Every operation fails. */
  isFailing = false
  /** It takes longer than it is waited for. */
  isSlow = false
  /** Syncs do nothing. */
  lies = false
  /** It has lied since it was made: its index is what it is. */
  #hasLied = false
  readonly #hooks: DiskHooks

  constructor(position: number, hooks: DiskHooks) {
    this.id = String(position)
    this.position = position
    this.#hooks = hooks
    this.source = this.#newSource()
  }

  /** Another disk stands here, formatted and empty. */
  replace(blank: SimulatedDrive): void {
    this.drive = blank.copy(this.#options())
    this.source = this.#newSource()
    this.comeBack()
    this.#hasLied = false
  }

  comeBack(): void {
    this.isAway = false
    this.isFailing = false
    this.isSlow = false
  }

  losePower(random: SeededRandom, misdirects: boolean): void {
    this.#hasLied ||= this.lies
    this.isSlow = false
    this.drive = this.drive.crash(random, this.#options(), misdirects)
    this.source.losePower()
  }

  /** Where the metadata are. */
  place(): MemberPlace {
    return { id: this.id, drive: below(this.drive, metadataDirectory), source: this.source, segmentBytes: 16 * KiB }
  }

  /** Shards with a byte changed, or with what was written elsewhere; or a byte of the journal. */
  async damage(fault: 'rot' | 'misdirected' | 'journal', random: SeededRandom): Promise<void> {
    const drive = this.drive.copy()
    const paths = fault === 'journal' ? await pathsIn(drive, `${metadataDirectory}/${journalDirectory}`) : await shardsOf(drive)
    for (const path of paths) {
      if (random.chance(0.3)) continue
      const bytes = await contentOf(drive, path)
      if (bytes.length === 0) continue
      if (fault !== 'misdirected') this.drive.flipByte(path, random.integer(Math.min(bytes.length, 8 * KiB)))
      else await put(drive, path, await contentOf(drive, random.pick(paths)))
    }
    if (fault === 'misdirected') this.drive = drive.copy(this.#options())
  }

  #newSource(): SimulatedIndexSource {
    const hooks = this.#hooks
    const hasLied = () => this.lies || this.#hasLied
    return new SimulatedIndexSource({
      beforeSync: () => this.#before('index sync'),
      requireAlive: () => {
        const generation = hooks.generation()
        return () => {
          if (generation !== hooks.generation()) throw new DriveError('Io', 'the power is gone')
        }
      },
      get isOnLiar() {
        return hasLied()
      },
    })
  }

  #options(): SimulatedDriveOptions {
    return {
      beforeOperation: async (operation, path) => {
        this.#requireThere()
        if (heldUp.has(operation)) await this.#before(`${operation} ${this.id} ${path}`)
        this.#requireThere()
      },
      ignoreSync: () => this.lies || this.#hooks.ignoreSync,
      ignoreDirectorySync: () => this.lies || this.#hooks.ignoreDirectorySync,
    }
  }

  #requireThere(): void {
    if (this.isAway || this.isFailing) throw new DriveError('Io', 'the disk does not answer')
  }

  async #before(name: string): Promise<void> {
    const generation = this.#hooks.generation()
    if (this.isSlow) await this.#hooks.delay()
    await this.#hooks.before(name)
    if (generation !== this.#hooks.generation()) throw new DriveError('Io', 'the power is gone')
  }
}

/** A formatted disk, everything on it durable: the same for all runs, which take copies of it. */
export const formattedDrive = formatBlank()

async function formatBlank(): Promise<SimulatedDrive> {
  const blank = new SimulatedDrive()
  await formatDrive(blank, { format: 2, deploymentId: '0'.repeat(32), driveId: '1'.repeat(32), sets: [['1'.repeat(32)]], parity: 0 })
  await blank.createDirectory(metadataDirectory)
  return blank
}

/** The part of a drive that lies in one of its directories. */
function below(drive: Drive, directory: string): Drive {
  const at = (path: string): string => (path === '' ? directory : `${directory}/${path}`)
  return {
    create: (path) => drive.create(at(path)),
    open: (path) => drive.open(at(path)),
    remove: (path) => drive.remove(at(path)),
    createDirectory: (path) => drive.createDirectory(at(path)),
    list: (path) => drive.list(at(path)),
    syncDirectory: (path) => drive.syncDirectory(at(path)),
    sizeOf: (path) => drive.sizeOf(at(path)),
    rename: (from, to) => drive.rename(at(from), at(to)),
    space: () => drive.space(),
  }
}

async function shardsOf(drive: Drive): Promise<string[]> {
  const paths: string[] = []
  for (const directory of blobDirectories) paths.push(...(await pathsIn(drive, directory)))
  return paths
}

async function pathsIn(drive: Drive, directory: string): Promise<string[]> {
  try {
    return (await drive.list(directory)).map((name) => `${directory}/${name}`)
  } catch (error) {
    if (error instanceof DriveError) return []
    throw error
  }
}

async function contentOf(drive: Drive, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(await drive.sizeOf(path))
  const file = await drive.open(path)
  await file.read(bytes, 0)
  return bytes
}

async function put(drive: Drive, path: string, bytes: Buffer): Promise<void> {
  await drive.remove(path)
  const file = await drive.create(path)
  await file.write(bytes, 0)
  await file.sync()
}
