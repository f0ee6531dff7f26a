import { join, resolve } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { DriveBlobStore } from './blobs/drive-blob-store.ts'
import { DriveFormatError, type DriveRecord, inspectDrive, lockPath, metadataDirectory, openDrive } from './drives/drive-format.ts'
import { lockDrive } from './drives/drive-lock.ts'
import { makeDirectoryDurably, NodeDrive } from './drives/node-drive.ts'
import { LmdbMetadataStore } from './metadata/lmdb-metadata-store.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'

/** The stores of a deployment on one drive, open in this process. */
export interface Deployment {
  readonly deploymentId: string
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  close(): Promise<void>
}

/**
 * What the primary process does once, before any worker opens the drive: takes its lock until
 * `release`, and formats it when it is empty. A directory that holds something else is left
 * untouched. Throws `DriveFormatError`: `Foreign`, `Locked`, `NewerFormat`, `Damaged`.
 */
export async function prepareDeployment({
  drive: path,
  random,
}: {
  readonly drive: string
  readonly random: Random
}): Promise<{ readonly deploymentId: string; release(): void }> {
  const root = resolve(path)
  makeDirectoryDurably(root)
  const drive = new NodeDrive(root)
  await inspectDrive(drive)
  const lock = lockDrive(join(root, lockPath))
  try {
    const { deploymentId } = await openDrive(drive, random)
    return { deploymentId, release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Takes the lock of a prepared drive, to look at it while no server runs. `Foreign` when it was never prepared, `Locked`. */
export async function lockDeployment({ drive: path }: { readonly drive: string }): Promise<{ release(): void }> {
  const root = resolve(path)
  await inspectPrepared(root)
  return lockDrive(join(root, lockPath))
}

/** Opens a prepared drive, in any number of processes. `Foreign` when it was never prepared. */
export async function openDeployment({
  drive: path,
  clock,
  random,
}: {
  readonly drive: string
  readonly clock: Clock
  readonly random: Random
}): Promise<Deployment> {
  const root = resolve(path)
  const { deploymentId } = await inspectPrepared(root)
  const metadata = LmdbMetadataStore.open({ directory: join(root, metadataDirectory) })
  const blobs = new DriveBlobStore({ drive: new NodeDrive(root), clock, random })
  return { deploymentId, metadata, blobs, close: () => metadata.close() }
}

async function inspectPrepared(root: string): Promise<DriveRecord> {
  const state = await inspectDrive(new NodeDrive(root))
  if (state.kind === 'unformatted') throw new DriveFormatError('Foreign', `${root} is not a drive of Moraine's`)
  return state.record
}
