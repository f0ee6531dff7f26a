import * as fs from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { KiB } from '../../base/units.ts'
import { DriveError } from './drive.ts'
import type { Drive, DriveErrorCode, DriveFile, DriveSpace } from './drive.ts'
import { DriveQueue } from './drive-queue.ts'
import { beginsPage, pageBytes } from './page-memory.ts'

/** Absent where the system has none: macOS. */
const { O_DIRECT, O_DSYNC, O_WRONLY } = fs.constants as { readonly O_DIRECT?: number; readonly O_DSYNC: number; readonly O_WRONLY: number }

/** Shorter writes gain nothing from going past the page cache, and would pay for a second descriptor. */
const uncachedBytes = 256 * KiB

/**
 * Drive over a directory of the machine's file system. The callbacks of `node:fs` are used on raw
 * descriptors: they cost about half of what `FileHandle` promises do.
 */
export class NodeDrive implements Drive {
  readonly #root: string
  readonly #queue: DriveQueue

  /** `operations`: so many of them at a time, of the drive and its files. */
  constructor(root: string, operations = Infinity) {
    this.#root = root
    this.#queue = new DriveQueue(operations)
  }

  create(path: string): Promise<DriveFile> {
    return this.#queue.run(() => this.#file(path, 'wx'))
  }

  open(path: string): Promise<DriveFile> {
    return this.#queue.run(() => this.#file(path, 'r'))
  }

  remove(path: string): Promise<void> {
    return this.#queue.run(() => settled((done) => fs.unlink(this.#at(path), done)))
  }

  createDirectory(path: string): Promise<void> {
    return this.#queue.run(() => settled((done) => fs.mkdir(this.#at(path), done)))
  }

  list(path: string): Promise<string[]> {
    return this.#queue.run(() => new Promise((resolve, reject) => {
      fs.readdir(this.#at(path), (error, names) => (error === null ? resolve(names) : reject(asDriveError(error))))
    }))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#queue.run(async () => {
      const descriptor = await this.#descriptor(path, 'r')
      try {
        await settled((done) => fs.fsync(descriptor, done))
      } finally {
        await settled((done) => fs.close(descriptor, done))
      }
    })
  }

  sizeOf(path: string): Promise<number> {
    return this.#queue.run(() => new Promise((resolve, reject) => {
      fs.stat(this.#at(path), (error, stats) => (error === null ? resolve(stats.size) : reject(asDriveError(error))))
    }))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#queue.run(() => settled((done) => fs.rename(this.#at(from), this.#at(to), done)))
  }

  space(): Promise<DriveSpace> {
    return this.#queue.run(async () => {
      const statistics = await new Promise<fs.StatsFs>((resolve, reject) => {
        fs.statfs(this.#root, (error, found) => (error === null ? resolve(found) : reject(asDriveError(error))))
      })
      const [device, above] = [await deviceOf(this.#root), await deviceOf(dirname(resolve(this.#root)))]
      return { totalBytes: statistics.bsize * statistics.blocks, freeBytes: statistics.bsize * statistics.bavail, device, isMountPoint: device !== above }
    })
  }

  async #file(path: string, flags: 'r' | 'wx'): Promise<DriveFile> {
    return new NodeDriveFile(await this.#descriptor(path, flags), this.#at(path), this.#queue)
  }

  #at(path: string): string {
    return join(this.#root, path)
  }

  #descriptor(path: string, flags: 'r' | 'wx'): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.open(this.#at(path), flags, 0o600, (error, descriptor) => (error === null ? resolve(descriptor) : reject(asDriveError(error))))
    })
  }
}

/**
 * Large writes of whole pages from page memory go past the page cache, through a second descriptor:
 * no copy, nothing left for the sync to write. The rest, and all of it where the file system has no
 * such writes, goes the ordinary way. The two never meet in one page.
 */
class NodeDriveFile implements DriveFile {
  readonly #descriptor: number
  readonly #path: string
  readonly #queue: DriveQueue
  #uncached: Promise<number | undefined> | undefined

  #synced: Promise<number | undefined> | undefined
  #syncedUncached: Promise<number | undefined> | undefined

  constructor(descriptor: number, path: string, queue: DriveQueue) {
    this.#descriptor = descriptor
    this.#path = path
    this.#queue = queue
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#queue.run(() => this.#write(bytes, position))
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#queue.run(() => this.#read(target, position))
  }

  readInto(targets: readonly Uint8Array[], position: number): Promise<number> {
    return this.#queue.run(() => this.#readInto(targets, position))
  }

  /** The data and what is needed to find it again (its size), not the times. */
  sync(): Promise<void> {
    return this.#queue.run(() => this.#sync())
  }

  writeSynced(bytes: Uint8Array, position: number): Promise<void> {
    return this.#queue.run(() => this.#writeSynced(bytes, position))
  }

  close(): Promise<void> {
    return this.#queue.run(() => this.#close())
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    const whole = bytes.byteLength - (bytes.byteLength % pageBytes)
    if (O_DIRECT === undefined || whole < uncachedBytes || position % pageBytes !== 0 || !beginsPage(bytes)) return this.#writeAll(bytes, position)
    const written = await this.#writeUncached(bytes.subarray(0, whole), position)
    if (written < bytes.byteLength) await this.#writeAll(bytes.subarray(written), position + written)
  }

  async #writeUncached(bytes: Uint8Array, position: number): Promise<number> {
    this.#uncached ??= openFor(this.#path, O_WRONLY | (O_DIRECT ?? 0))
    return writtenUncached(await this.#uncached, bytes, position)
  }

  #writeAll(bytes: Uint8Array, position: number, descriptor = this.#descriptor): Promise<void> {
    return new Promise((resolve, reject) => {
      const writeFrom = (offset: number): void => {
        fs.write(descriptor, bytes, offset, bytes.byteLength - offset, position + offset, (error, written) => {
          if (error !== null) reject(asDriveError(error))
          else if (offset + written < bytes.byteLength) writeFrom(offset + written)
          else resolve()
        })
      }
      writeFrom(0)
    })
  }

  #read(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const readFrom = (offset: number): void => {
        fs.read(this.#descriptor, target, offset, target.byteLength - offset, position + offset, (error, count) => {
          if (error !== null) reject(asDriveError(error))
          else if (count > 0 && offset + count < target.byteLength) readFrom(offset + count)
          else resolve(offset + count)
        })
      }
      readFrom(0)
    })
  }

  #readInto(targets: readonly Uint8Array[], position: number): Promise<number> {
    const wanted = targets.reduce((sum, target) => sum + target.byteLength, 0)
    return new Promise((resolve, reject) => {
      const readFrom = (offset: number): void => {
        fs.readv(this.#descriptor, offset === 0 ? targets : restOf(targets, offset), position + offset, (error, count) => {
          if (error !== null) reject(asDriveError(error))
          else if (count > 0 && offset + count < wanted) readFrom(offset + count)
          else resolve(offset + count)
        })
      }
      readFrom(0)
    })
  }

  #sync(): Promise<void> {
    return settled((done) => fs.fdatasync(this.#descriptor, done))
  }

  /**
   * One turn to another thread instead of two: through a descriptor whose writes end on stable storage. Whole pages from
   * page memory go past the page cache: of a file that was filled in large pieces it keeps large folios, and every small
   * write into one walks all of its blocks, then once more to find the dirty ones.
   */
  async #writeSynced(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0
    if (O_DIRECT !== undefined && bytes.byteLength % pageBytes === 0 && position % pageBytes === 0 && beginsPage(bytes)) {
      this.#syncedUncached ??= openFor(this.#path, O_WRONLY | O_DIRECT | O_DSYNC)
      written = await writtenUncached(await this.#syncedUncached, bytes, position)
      if (written === bytes.byteLength) return
    }
    this.#synced ??= O_DIRECT === undefined ? Promise.resolve(undefined) : openFor(this.#path, O_WRONLY | O_DSYNC)
    const descriptor = await this.#synced
    await this.#writeAll(bytes.subarray(written), position + written, descriptor)
    if (descriptor === undefined) await this.#sync()
  }

  async #close(): Promise<void> {
    for (const other of [await this.#uncached, await this.#synced, await this.#syncedUncached]) {
      if (other !== undefined) await settled((done) => fs.close(other, done))
    }
    await settled((done) => fs.close(this.#descriptor, done))
  }
}

/** What of the targets is left to be filled behind so many bytes. */
function restOf(targets: readonly Uint8Array[], filled: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let at = 0
  for (const target of targets) {
    const from = Math.max(0, filled - at)
    if (from < target.byteLength) rest.push(target.subarray(from))
    at += target.byteLength
  }
  return rest
}

/** How many of the bytes were written: any number, none where the file system refuses such writes. */
function writtenUncached(descriptor: number | undefined, bytes: Uint8Array, position: number): Promise<number> {
  if (descriptor === undefined) return Promise.resolve(0)
  return new Promise((resolve, reject) => {
    fs.write(descriptor, bytes, 0, bytes.byteLength, position, (error, written) => {
      if (error === null) resolve(written)
      else if (error.code === 'EINVAL') resolve(0)
      else reject(asDriveError(error))
    })
  })
}

function deviceOf(path: string): Promise<number> {
  return new Promise((done, fail) => {
    fs.stat(path, (error, found) => (error === null ? done(found.dev) : fail(asDriveError(error))))
  })
}

function openFor(path: string, flags: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    fs.open(path, flags, (error, descriptor) => resolve(error === null ? descriptor : undefined))
  })
}

function settled(run: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error === null || error === undefined ? resolve() : reject(asDriveError(error))))
  })
}

const codes: Readonly<Record<string, DriveErrorCode>> = {
  ENOENT: 'NotFound',
  ENOTDIR: 'NotFound',
  EEXIST: 'Exists',
  ENOSPC: 'Full',
  EDQUOT: 'Full',
}

function asDriveError(error: NodeJS.ErrnoException): DriveError {
  return new DriveError(codes[error.code ?? ''] ?? 'Io', error.message, { cause: error })
}

/** Makes a directory and those above it as needed; every entry made is on stable storage when this returns. */
export function makeDirectoryDurably(path: string): void {
  const firstMade = fs.mkdirSync(path, { recursive: true })
  if (firstMade === undefined) return
  for (let directory = dirname(resolve(path)); ; directory = dirname(directory)) {
    const descriptor = fs.openSync(directory, 'r')
    try {
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
    if (directory === dirname(resolve(firstMade))) return
  }
}
