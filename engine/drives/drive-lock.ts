import { DatabaseSync } from 'node:sqlite'
import { DriveFormatError } from './drive-format.ts'

/** SQLite closes a database that is garbage collected, and its lock goes with it. */
const held = new Set<DatabaseSync>()

export interface DriveLock {
  /** Idempotent; the process's end does it too. */
  release(): void
}

/**
 * Takes a drive for this server: throws `DriveFormatError` `Locked` while another one has it, `Failing` when the drive
 * has no lock to take.
 *
 * The lock is an exclusive SQLite transaction that is never committed. Node offers no file locks of
 * its own; SQLite's are the operating system's (fcntl, LockFileEx), so they vanish with the process
 * however it dies, work between containers that share the volume, and leave no stale pid to judge.
 * The transaction writes nothing: the file stays empty.
 */
export function lockDrive(lockFile: string): DriveLock {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(lockFile, { timeout: 0 })
    // Without a file for it: a full drive has no room for one.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    database?.close()
    if (isBusy(cause)) throw new DriveFormatError('Locked', `another server uses this drive: ${lockFile} is locked`, { cause })
    throw new DriveFormatError('Failing', `${lockFile} cannot be locked: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const taken = database
  held.add(taken)
  return {
    release: () => {
      if (held.delete(taken)) taken.close()
    },
  }
}

/** https://sqlite.org/rescode.html#busy; the low byte is the primary code. */
const SQLITE_BUSY = 5

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY
}
