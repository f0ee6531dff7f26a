import { DatabaseSync } from 'node:sqlite'
import { DriveFormatError } from './drive-format.ts'

/** SQLite closes a database that is garbage collected, and its lock goes with it. */
const held = new Set<DatabaseSync>()

export interface DriveLock {
  /** Idempotent; the process's end does it too. */
  release(): void
}

/**
 * Takes a drive for this server: throws `DriveFormatError` `Locked` while another one has it.
 *
 * The lock is an exclusive SQLite transaction that is never committed. Node offers no file locks of
 * its own; SQLite's are the operating system's (fcntl, LockFileEx), so they vanish with the process
 * however it dies, work between containers that share the volume, and leave no stale pid to judge.
 * The transaction writes nothing: the file stays empty.
 */
export function lockDrive(lockFile: string): DriveLock {
  const database = new DatabaseSync(lockFile, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new DriveFormatError('Locked', `another server uses this drive: ${lockFile} is locked`, { cause })
  }
  held.add(database)
  return {
    release: () => {
      if (held.delete(database)) database.close()
    },
  }
}
