/**
 * Drive: the little of a file system that Moraine stands on. `node-drive.ts` is the only file in
 * `engine` that may import `node:fs`; `simulated-drive.ts` loses what was not synced.
 *
 * Paths are relative to the drive's root, `/`-separated, made by us and never from user input.
 * What a power loss leaves:
 * - bytes of a file are kept once its `sync` resolved; unsynced ones may be there, torn or gone;
 * - a file's or directory's entry is kept once `syncDirectory` of its parent resolved;
 * - a removal is kept once `syncDirectory` of its parent resolved, and so is a renaming.
 *
 * Errors are `DriveError`.
 */
export interface Drive {
  /** A new empty file, open for writing. `Exists` when the path is taken. */
  create(path: string): Promise<DriveFile>
  /** An existing file, open for reading. */
  open(path: string): Promise<DriveFile>
  remove(path: string): Promise<void>
  /** A new directory in an existing one. `Exists` when the path is taken. */
  createDirectory(path: string): Promise<void>
  /** Names in the directory, in no particular order. */
  list(path: string): Promise<string[]>
  syncDirectory(path: string): Promise<void>
  sizeOf(path: string): Promise<number>
  /** The file is at `to` from now on, and what was there is gone: a power loss leaves one or the other under that name. */
  rename(from: string, to: string): Promise<void>
  space(): Promise<DriveSpace>
}

export interface DriveSpace {
  readonly totalBytes: number
  readonly freeBytes: number
  /** The file system that the root lies on: it changes when a drive is mounted or unmounted there. */
  readonly device: number
  /** The root is where a file system is mounted: the directory above lies on another one. */
  readonly isMountPoint: boolean
}

export interface DriveFile {
  /** Writes all of the bytes at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Fills `target` from `position`; the number of bytes read, less than asked only at the end. */
  read(target: Uint8Array, position: number): Promise<number>
  /** As `read`, into one target after the other. */
  readInto(targets: readonly Uint8Array[], position: number): Promise<number>
  /** All bytes written so far are on stable storage when this resolves. */
  sync(): Promise<void>
  /** As `write` and then `sync`, for a record that somebody waits for. */
  writeSynced(bytes: Uint8Array, position: number): Promise<void>
  close(): Promise<void>
}

export type DriveErrorCode = 'NotFound' | 'Exists' | 'Full' | 'Io'

export class DriveError extends Error {
  override readonly name = 'DriveError'
  readonly code: DriveErrorCode

  constructor(code: DriveErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
