import { assert } from '../../base/assert.ts'
import type { SeededRandom } from '../../base/seeded-random.ts'
import { DriveError } from './drive.ts'
import type { Drive, DriveFile, DriveSpace } from './drive.ts'

export type DriveOperation = 'create' | 'open' | 'remove' | 'createDirectory' | 'list' | 'syncDirectory' | 'sizeOf' | 'rename' | 'space' | 'write' | 'read' | 'sync' | 'close'

export interface SimulatedDriveOptions {
  /**
   * Awaited before every operation takes effect: the simulation decides here when it goes on, and
   * may lose the power meanwhile. What it throws is the operation's failure.
   */
  readonly beforeOperation?: (operation: DriveOperation, path: string) => Promise<void>
  /** File bytes that fit; more is `Full`. */
  readonly capacityBytes?: number
  /** For the mutation check only: a file's `sync` makes nothing durable. */
  readonly ignoreSync?: boolean | (() => boolean)
  /** For the mutation check only: `syncDirectory` makes nothing durable. */
  readonly ignoreDirectorySync?: boolean | (() => boolean)
}

interface UnsyncedWrite {
  readonly position: number
  readonly bytes: Buffer
}

interface FileNode {
  readonly kind: 'file'
  readonly path: string
  readonly content: GrowingBytes
  readonly durable: GrowingBytes
  unsynced: UnsyncedWrite[]
}

/** An entry made (`node`) or removed (`undefined`) since the directory was synced. */
interface UnsyncedEntry {
  readonly name: string
  readonly node: TreeNode | undefined
}

interface DirectoryNode {
  readonly kind: 'directory'
  readonly path: string
  readonly entries: Map<string, TreeNode>
  readonly durable: Map<string, TreeNode>
  unsynced: UnsyncedEntry[]
}

type TreeNode = FileNode | DirectoryNode

/** A drive tears writes between its sectors. */
const sectorBytes = 512

/**
 * Drive in memory that loses power on demand. It promises what the port says and nothing more: a
 * sync covers only what was complete when it began, and `crash` keeps any part of the rest.
 */
export class SimulatedDrive implements Drive {
  readonly #options: SimulatedDriveOptions
  readonly #root: DirectoryNode
  #storedBytes: number
  #dead = false

  constructor(options: SimulatedDriveOptions = {}, root: DirectoryNode = newDirectory('')) {
    this.#options = options
    this.#root = root
    this.#storedBytes = bytesUnder(root)
  }

  async create(path: string): Promise<DriveFile> {
    await this.#before('create', path)
    const { parent, name } = this.#parentOf(path)
    if (parent.entries.has(name)) throw new DriveError('Exists', `${path} exists`)
    const file: FileNode = { kind: 'file', path, content: new GrowingBytes(), durable: new GrowingBytes(), unsynced: [] }
    setEntry(parent, name, file)
    return this.#handle(file)
  }

  async open(path: string): Promise<DriveFile> {
    await this.#before('open', path)
    return this.#handle(this.#fileAt(path))
  }

  async remove(path: string): Promise<void> {
    await this.#before('remove', path)
    this.#storedBytes -= this.#fileAt(path).content.length
    const { parent, name } = this.#parentOf(path)
    setEntry(parent, name, undefined)
  }

  async createDirectory(path: string): Promise<void> {
    await this.#before('createDirectory', path)
    const { parent, name } = this.#parentOf(path)
    if (parent.entries.has(name)) throw new DriveError('Exists', `${path} exists`)
    setEntry(parent, name, newDirectory(path))
  }

  async list(path: string): Promise<string[]> {
    await this.#before('list', path)
    return [...this.#directoryAt(path).entries.keys()]
  }

  async syncDirectory(path: string): Promise<void> {
    const covered = this.#dead ? [] : [...(this.#find(path, 'directory')?.unsynced ?? [])]
    await this.#before('syncDirectory', path)
    const directory = this.#directoryAt(path)
    if (isOn(this.#options.ignoreDirectorySync)) return
    for (const entry of covered) {
      if (!directory.unsynced.includes(entry)) continue
      applyEntry(directory.durable, entry)
      directory.unsynced = directory.unsynced.filter((other) => other !== entry)
    }
  }

  async sizeOf(path: string): Promise<number> {
    await this.#before('sizeOf', path)
    return this.#fileAt(path).content.length
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#before('rename', to)
    const file = this.#fileAt(from)
    const [source, target] = [this.#parentOf(from), this.#parentOf(to)]
    const replaced = target.parent.entries.get(target.name)
    if (replaced !== undefined) this.#storedBytes -= bytesUnder(replaced)
    setEntry(target.parent, target.name, file)
    setEntry(source.parent, source.name, undefined)
  }

  async space(): Promise<DriveSpace> {
    await this.#before('space', '')
    const totalBytes = this.#options.capacityBytes ?? Number.MAX_SAFE_INTEGER
    return { totalBytes, freeBytes: totalBytes - this.#storedBytes, device: 1, isMountPoint: false }
  }

  /**
   * Power is lost: the drive that a restart finds. Of what was not synced, each write is whole,
   * gone or torn, each entry and each removal there or not, independently and in no order. This
   * drive is dead from now on: operations under way and later ones fail with `Io`. `misdirects`: it
   * is a bad drive, and such a write may also have gone to another place of its file.
   */
  crash(random: SeededRandom, options: SimulatedDriveOptions = {}, misdirects = false): SimulatedDrive {
    this.#dead = true
    return new SimulatedDrive(options, afterCrash(this.#root, random, misdirects))
  }

  /** A drive of its own with the same files, all of them durable: what comes back when this one is away for a while. */
  copy(options: SimulatedDriveOptions = {}): SimulatedDrive {
    return new SimulatedDrive(options, copyOf(this.#root))
  }

  /** For tests of integrity: changes one stored byte behind everybody's back. */
  flipByte(path: string, position: number): void {
    const { content } = this.#fileAt(path)
    assert(position < content.length, 'the byte lies within the file')
    const byte = content.bytes().subarray(position, position + 1)
    byte[0] = (byte[0] ?? 0) ^ 1
  }

  #handle(file: FileNode): DriveFile {
    const handle: DriveFile = {
      write: async (bytes, position) => {
        await this.#before('write', file.path)
        this.#reserve(Math.max(0, position + bytes.byteLength - file.content.length))
        const write = { position, bytes: Buffer.from(bytes) }
        file.content.write(write)
        file.unsynced.push(write)
      },
      read: async (target, position) => {
        await this.#before('read', file.path)
        const bytes = file.content.bytes().subarray(position, position + target.byteLength)
        target.set(bytes)
        return bytes.length
      },
      readInto: async (targets, position) => {
        const whole = Buffer.alloc(targets.reduce((sum, target) => sum + target.byteLength, 0))
        const count = await handle.read(whole, position)
        let at = 0
        for (const target of targets) {
          target.set(whole.subarray(at, Math.min(at + target.byteLength, count)))
          at = Math.min(at + target.byteLength, count)
        }
        return count
      },
      sync: async () => {
        const covered = new Set(file.unsynced)
        await this.#before('sync', file.path)
        if (isOn(this.#options.ignoreSync)) return
        for (const write of file.unsynced) if (covered.has(write)) file.durable.write(write)
        file.unsynced = file.unsynced.filter((write) => !covered.has(write))
      },
      writeSynced: async (bytes, position) => {
        await handle.write(bytes, position)
        await handle.sync()
      },
      close: () => this.#before('close', file.path),
    }
    return handle
  }

  async #before(operation: DriveOperation, path: string): Promise<void> {
    this.#requirePower()
    await this.#options.beforeOperation?.(operation, path)
    this.#requirePower()
  }

  #requirePower(): void {
    if (this.#dead) throw new DriveError('Io', 'power was lost')
  }

  #reserve(bytes: number): void {
    if (this.#storedBytes + bytes > (this.#options.capacityBytes ?? Infinity)) throw new DriveError('Full', 'no space left on the drive')
    this.#storedBytes += bytes
  }

  #parentOf(path: string): { parent: DirectoryNode; name: string } {
    const cut = path.lastIndexOf('/')
    return { parent: this.#directoryAt(path.slice(0, Math.max(cut, 0))), name: path.slice(cut + 1) }
  }

  #directoryAt(path: string): DirectoryNode {
    const directory = this.#find(path, 'directory')
    if (directory === undefined) throw new DriveError('NotFound', `there is no directory ${path}`)
    return directory
  }

  #fileAt(path: string): FileNode {
    const file = this.#find(path, 'file')
    if (file === undefined) throw new DriveError('NotFound', `there is no file ${path}`)
    return file
  }

  #find<K extends TreeNode['kind']>(path: string, kind: K): Extract<TreeNode, { kind: K }> | undefined {
    let node: TreeNode | undefined = this.#root
    for (const name of path === '' ? [] : path.split('/')) {
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined
    }
    return node?.kind === kind ? (node as Extract<TreeNode, { kind: K }>) : undefined
  }
}

function newDirectory(path: string): DirectoryNode {
  return { kind: 'directory', path, entries: new Map(), durable: new Map(), unsynced: [] }
}

function setEntry(parent: DirectoryNode, name: string, node: TreeNode | undefined): void {
  const entry = { name, node }
  applyEntry(parent.entries, entry)
  parent.unsynced.push(entry)
}

function applyEntry(entries: Map<string, TreeNode>, { name, node }: UnsyncedEntry): void {
  if (node === undefined) entries.delete(name)
  else entries.set(name, node)
}

/** A file's bytes: those never written read as zeros. */
class GrowingBytes {
  #buffer: Buffer
  #length: number

  constructor(initial: Buffer = Buffer.alloc(0)) {
    this.#buffer = Buffer.from(initial)
    this.#length = initial.length
  }

  get length(): number {
    return this.#length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  write({ position, bytes }: UnsyncedWrite): void {
    const end = position + bytes.length
    if (end > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(end, 2 * this.#buffer.length))
      this.#buffer.copy(grown)
      this.#buffer = grown
    }
    bytes.copy(this.#buffer, position)
    this.#length = Math.max(this.#length, end)
  }
}

function bytesUnder(node: TreeNode): number {
  if (node.kind === 'file') return node.content.length
  return [...node.entries.values()].reduce((sum, child) => sum + bytesUnder(child), 0)
}

function copyOf(directory: DirectoryNode): DirectoryNode {
  const copy = newDirectory(directory.path)
  for (const [name, node] of directory.entries) {
    const child = node.kind === 'directory' ? copyOf(node) : { ...node, content: new GrowingBytes(node.content.bytes()), durable: new GrowingBytes(node.content.bytes()), unsynced: [] }
    copy.entries.set(name, child)
    copy.durable.set(name, child)
  }
  return copy
}

function afterCrash(directory: DirectoryNode, random: SeededRandom, misdirects: boolean): DirectoryNode {
  const survivors = new Map(directory.durable)
  for (const [name, states] of Map.groupBy(directory.unsynced, ({ name }) => name)) {
    // Any of the states the name has had since the sync, or the one before them.
    const state = states[random.integer(states.length + 1)]
    if (state !== undefined) applyEntry(survivors, { name, node: state.node })
  }
  const recovered = newDirectory(directory.path)
  for (const [name, node] of survivors) {
    const child = node.kind === 'directory' ? afterCrash(node, random, misdirects) : fileAfterCrash(node, random, misdirects)
    recovered.entries.set(name, child)
    recovered.durable.set(name, child)
  }
  return recovered
}

function fileAfterCrash(file: FileNode, random: SeededRandom, misdirects: boolean): FileNode {
  const survivor = new GrowingBytes(file.durable.bytes())
  for (const write of file.unsynced) keepSome(survivor, misdirects && random.chance(0.3) ? elsewhere(survivor, write, random) : write, random)
  return { kind: 'file', path: file.path, content: survivor, durable: new GrowingBytes(survivor.bytes()), unsynced: [] }
}

/** Another sector of what the file has. */
function elsewhere({ length }: GrowingBytes, { bytes }: UnsyncedWrite, random: SeededRandom): UnsyncedWrite {
  return { position: sectorBytes * random.integer(Math.ceil(length / sectorBytes) + 1), bytes }
}

/** A write that was not synced is gone, whole, or torn between sectors. */
function keepSome(survivor: GrowingBytes, { position, bytes }: UnsyncedWrite, random: SeededRandom): void {
  const fate = random.pick(['gone', 'whole', 'torn'])
  if (fate === 'whole') survivor.write({ position, bytes })
  if (fate !== 'torn') return
  for (let start = 0; start < bytes.length; start += sectorBytes) {
    if (random.chance(0.5)) survivor.write({ position: position + start, bytes: bytes.subarray(start, start + sectorBytes) })
  }
}

function isOn(option: boolean | (() => boolean) | undefined): boolean {
  return typeof option === 'function' ? option() : option === true
}
