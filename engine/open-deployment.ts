import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { DriveBlobStore } from './blobs/drive-blob-store.ts'
import { SetBlobStore } from './blobs/set-blob-store.ts'
import { metadataDirectory } from './drives/drive-format.ts'
import { writeQuorum } from './drives/drive-set.ts'
import { DriveKeeper } from './drives/drive-keeper.ts'
import type { DriveSlot } from './drives/plan-start.ts'
import type { MetadataCommits } from './metadata/metadata-commits.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import { type MetadataPlaces, openMetadata, openRemoteMetadata } from './metadata/open-metadata.ts'
import { lockDrives, openDrives, type Parities, planPrepared, prepareDrives } from './open-drives.ts'

/** The stores of a deployment on one or more drives, open in this process. */
export interface Deployment {
  readonly deploymentId: string
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly keeper: DriveKeeper
  close(): Promise<void>
}

/** Directories of drives, in the order of the deployment's sets and positions. */
export interface DeploymentDrives {
  readonly drives: readonly string[]
  readonly parities?: Parities
}

/** The committer of a deployment, in another process. */
export interface DeploymentCommitter {
  readonly commits: MetadataCommits
  /** Where its commits can be read. */
  readonly directory: string
}

export interface PreparedDeployment {
  readonly deploymentId: string
  /** Where the committer finds its metadata. */
  readonly metadata: MetadataPlaces
  /** Drives that are missing, empty, swapped or of another deployment: for the log. */
  readonly notes: readonly string[]
  release(): void
}

/**
 * What the primary process does once, before any worker opens the drives: takes their locks until
 * `release`, and formats those that are empty. A directory that holds something else is left
 * untouched. Throws `DriveFormatError`: `Foreign`, `Locked`, `NewerFormat`, `Damaged`, `Incomplete`.
 */
export async function prepareDeployment({ drives, parities = {}, random }: DeploymentDrives & { readonly random: Random }): Promise<PreparedDeployment> {
  const prepared = await prepareDrives({ drives, parities, random })
  const { deploymentId, slots, parity, notes } = prepared
  return { deploymentId, metadata: placesOf(slots, parity), notes, release: () => prepared.release() }
}

/** Takes the locks of prepared drives, to look at them while no server runs. `Foreign` when they were never prepared, `Locked`. */
export function lockDeployment({ drives }: DeploymentDrives): Promise<{ release(): void }> {
  return lockDrives(drives)
}

/** The first set has the metadata, on one drive more than it may lose. */
function placesOf([slots = []]: readonly (readonly DriveSlot[])[], parity: number): MetadataPlaces {
  return {
    // Those that are missing may be back when a later committer looks.
    drives: slots.map(({ driveId, path }) => ({ id: driveId, root: path, directory: join(path, metadataDirectory) })),
    setDrives: slots.length,
    writeQuorum: writeQuorum(slots.length - parity, parity),
    copies: parity + 1,
  }
}

/**
 * Opens prepared drives: in any number of processes with `committer`, whose metadata they read;
 * without, this process commits, and no other. `Foreign` when they were never
 * prepared, `Incomplete` when too many are missing.
 */
export async function openDeployment({
  drives,
  parities = {},
  clock,
  random,
  committer,
}: DeploymentDrives & {
  readonly clock: Clock
  readonly random: Random
  readonly committer?: DeploymentCommitter
}): Promise<Deployment> {
  const { slots } = await planPrepared(drives)
  const { record, sets } = await openDrives({ drives, clock, parities })
  const metadata = committer === undefined
    ? await openMetadata({ places: placesOf(slots, record.parity), clock, random })
    : openRemoteMetadata(committer.directory, committer.commits)
  const keeper = new DriveKeeper({ record, sets, clock, random })
  const [only] = sets.flatMap(({ members }) => members)
  const isAlone = sets.length === 1 && sets[0]?.members.length === 1
  const blobs = isAlone && only !== undefined
    ? new DriveBlobStore({ drive: only.drive, clock, random })
    : new SetBlobStore({ sets, clock, random, onDamage: (blobId, set) => keeper.healer.report(blobId, set), lookAgain: () => keeper.lookAgain() })
  return { deploymentId: record.deploymentId, metadata, blobs, keeper, close: () => metadata.close() }
}
