import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { open } from 'lmdb'
import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb'
import { GiB, KiB } from '../../../base/units.ts'
import { maxBoundBytes } from '../keys.ts'
import { MetadataError } from '../metadata-store.ts'

/** How LMDB is opened here, by the one process that writes and by those that read. */

export type Environment = RootDatabase<Buffer, Buffer>

/**
 * The map is address space only, not memory or disk: pages exist once they are written. LMDB can
 * grow a map while it runs, but every process must then remap with no reader active; a map that is
 * never outgrown has no such moment. A process may have the maps of several copies in the 128 TiB that
 * x86-64 and arm64 give it: with 16 TiB for each, the third one often found no hole, and LMDB crashed.
 * Where the system refuses that much, the largest power of two that it grants is taken.
 */
const defaultMapBytes = 4 * 1024 * GiB
const smallestMapBytes = GiB

/** Room for a thousand readers (processes); see `allocateLock`. */
const lockBytes = 64 * KiB

/**
 * The row of the position. Longer than any key or range bound and after all of them, so that it
 * shares the tree (and its pages) with the rows but no caller can reach it.
 */
export const positionKey = Buffer.alloc(maxBoundBytes + 1, 0xff)

export const dataFile = 'data.mdb'
export const lockFile = 'lock.mdb'

/**
 * For the process that writes. `noSync`: a transaction is visible once it is committed, and on the
 * drive only after a sync that we order ourselves; the journal holds it until then.
 */
export function openForWriting(directory: string, mapBytes = defaultMapBytes): Environment {
  const path = resolve(directory)
  mkdirSync(path, { recursive: true })
  allocateLock(path)
  const environment = openLargest(path, { noSync: true, overlappingSync: false }, mapBytes)
  // LMDB syncs its file's content, not the entries that lead to it. An earlier start may have
  // been cut off in between, so this is done at every open.
  syncDirectory(path)
  syncDirectory(dirname(path))
  return environment
}

/** For any number of processes that read, while one writes or none does. Throws `Corrupt` where there is none: LMDB would make one. */
export function openForReading(directory: string, mapBytes = defaultMapBytes): Environment {
  const file = statSync(join(directory, dataFile), { throwIfNoEntry: false })
  if (file === undefined || file.size === 0) throw new MetadataError('Corrupt', `${directory} holds no index`)
  return openLargest(resolve(directory), { noSync: true, overlappingSync: false }, mapBytes)
}

/** Values pass as they are: what `decode` gets is lmdb's own buffer until the next read; `decodeRow` copies it. */
const rawValues = {
  encode: (row: Buffer): Buffer => row,
  decode: (stored: Buffer): Buffer => stored,
}

const onlyNew = { noOverwrite: true }

/** Puts a row where there is none, in a transaction. False where there is one: it is left as it is. */
export function putNew(environment: Environment, key: Buffer, row: Buffer): boolean {
  // In a transaction lmdb-js answers with what its types leave out.
  const isPut: unknown = environment.putSync(key, row, onlyNew)
  return isPut === true
}

/** The number of the oldest transaction that any process still reads; infinite where none does. */
export function oldestReader(environment: Environment): number {
  // A line for each: process, thread, transaction, in columns.
  const transactions = [...environment.readerList().matchAll(/^\s*\d+\s+[0-9a-f]+\s+(\d+)\s*$/gm)].map(([, transaction]) => Number(transaction))
  return Math.min(Infinity, ...transactions)
}

function openLargest(path: string, sync: Pick<RootDatabaseOptionsWithPath, 'noSync' | 'overlappingSync'>, mapBytes: number): Environment {
  for (let size = mapBytes; ; size /= 2) {
    const options = {
      path,
      noSubdir: false,
      keyEncoding: 'binary',
      encoder: rawValues,
      mapSize: size,
      // Batches are made here. lmdb-js's own batch per event turn would also have a promise of its
      // own, which nobody sees: when a commit fails, its rejection ends the process.
      eventTurnBatching: false,
      maxDbs: 1,
      ...sync,
    } satisfies RootDatabaseOptionsWithPath & { encoder: unknown; eventTurnBatching: boolean }
    try {
      return open<Buffer, Buffer>(options)
    } catch (error) {
      if (size / 2 < smallestMapBytes) throw new MetadataError('OutcomeUnknown', `cannot open ${path}`, { cause: error })
    }
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/**
 * LMDB maps its lock file and writes to it through the map. Where the file has holes and the drive
 * is full, such a write kills the process (SIGBUS): a server could not start to delete anything.
 * So the file is made whole before LMDB sees it; linked into place, because another process may be
 * about to use it.
 */
function allocateLock(path: string): void {
  const lock = join(path, lockFile)
  if (existsSync(lock)) return
  const whole = join(mkdtempSync(join(path, 'lock-')), 'whole')
  try {
    writeFileSync(whole, Buffer.alloc(lockBytes), { flush: true })
    linkSync(whole, lock)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return
    throw new MetadataError('Full', `cannot make ${lock}`, { cause })
  } finally {
    rmSync(dirname(whole), { recursive: true, force: true })
  }
}
