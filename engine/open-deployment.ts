import { join } from 'node:path'
import { AssertionError, must } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { secondMs } from '../base/units.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { DriveBlobStore } from './blobs/drive-blob-store.ts'
import { SetBlobStore, type SetBlobOptions } from './blobs/set-blob-store.ts'
import { DriveFormatError, metadataDirectory, setParityOf } from './drives/drive-format.ts'
import { writeQuorum } from './drives/drive-set.ts'
import { DriveKeeper } from './drives/drive-keeper.ts'
import type { BlobCopier } from './growth/blob-copier.ts'
import { countUses } from './growth/count-uses.ts'
import { readSetStates, setStateOf } from './growth/set-states.ts'
import type { Foreground } from './heal/pace.ts'
import type { MetadataCommits } from './metadata/metadata-commits.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import { moveMetadata } from './metadata/move-metadata.ts'
import { openMetadata, openRemoteMetadata } from './metadata/open-metadata.ts'
import type { MetadataPlaces } from './metadata/metadata-places.ts'
import { currentCopies } from './metadata/walk-copy.ts'
import { lockDrives, openDrives, type Parities, prepareDrives, type PreparedDrives } from './open-drives.ts'

/** How long a read waits for another copy of the metadata. */
const moveWaitMs = 10 * secondMs

/** The stores of a deployment on one or more drives, open in this process. */
export interface Deployment {
  readonly deploymentId: string
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Copies blobs to another set, where there are sets. */
  readonly copier: BlobCopier | undefined
  readonly keeper: DriveKeeper
  /** The directories of all copies of the metadata. */
  copies(): Promise<string[]>
  /** Where another committer's commits can be read. */
  readMetadataFrom(directory: string): void
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
  /** Told of damage in what is read there; another committer's copy may then take its place. */
  readonly onDamage?: (directory: string) => void
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
export async function prepareDeployment({ drives, parities = {}, clock, random }: DeploymentDrives & { readonly clock: Clock; readonly random: Random }): Promise<PreparedDeployment> {
  const prepared = await prepareDrives({ drives, parities, random })
  try {
    if (prepared.leftOut.length > 0) await giveUpSets(prepared, { clock, random })
    const moved = await leaveDrainedSet(prepared, { clock, random })
    return { deploymentId: prepared.deploymentId, metadata: placesOf({ ...prepared, home: moved.home }), notes: [...prepared.notes, ...moved.notes], release: () => prepared.release() }
  } catch (error) {
    prepared.release()
    throw error
  }
}

/** Sets whose drives were not given are the deployment's no more, if nothing refers to a blob of theirs. Throws `Incomplete`. */
async function giveUpSets(prepared: PreparedDrives, { clock, random }: { readonly clock: Clock; readonly random: Random }): Promise<void> {
  const metadata = await openMetadata({ places: placesOf(prepared), clock, random })
  try {
    for (const set of prepared.leftOut) {
      const blobs = await countUses(metadata, set)
      if (blobs > 0) throw new DriveFormatError('Incomplete', `${blobs} blobs are stored on set ${set + 1}, whose drives are not given: start with them, and move its blobs off by "moraine decommission ${set + 1}"`)
      if ((await setStateOf(metadata, set)) !== 'empty') throw new DriveFormatError('Incomplete', `the drives of set ${set + 1} are not given: start with them, and give it up by "moraine decommission ${set + 1}"`)
    }
  } finally {
    await metadata.close()
  }
  await prepared.giveUp()
}

/**
 * The metadata leave a set that blobs are moved off, or were, for the first that takes them and whose drives are all there.
 * This takes a start: nobody reads or commits then.
 */
async function leaveDrainedSet(prepared: PreparedDrives, { clock, random }: { readonly clock: Clock; readonly random: Random }): Promise<{ readonly home: number; readonly notes: readonly string[] }> {
  const { home, slots } = prepared
  const others = slots.flatMap((set, index) => (index !== home && set.length > 0 ? [index] : []))
  if (others.length === 0) return { home, notes: [] }
  const metadata = await openMetadata({ places: placesOf(prepared), clock, random })
  let states: Awaited<ReturnType<typeof readSetStates>>
  try {
    states = await readSetStates(metadata)
  } finally {
    await metadata.close()
  }
  if (!states.has(home)) return { home, notes: [] }
  const to = others.find((set) => !states.has(set) && slots[set]?.every(({ state }) => state !== 'absent'))
  const stays = (why: string) => ({ home, notes: [`the metadata stay on set ${home + 1}: ${why}`] })
  if (to === undefined) return stays('no other set takes blobs and has all of its drives')
  const problem = await moveMetadata({ from: placesOf(prepared), to: placesOf({ ...prepared, home: to }), clock })
  return problem === undefined ? { home: to, notes: [`the metadata were moved from set ${home + 1} to set ${to + 1}`] } : stays(problem)
}

/** Takes the locks of prepared drives, to look at them while no server runs. `Foreign` when they were never prepared, `Locked`. */
export function lockDeployment({ drives }: DeploymentDrives): Promise<{ release(): void }> {
  return lockDrives(drives)
}

/** One set has the metadata, on one drive more than it may lose. */
function placesOf({ slots: sets, record, home }: Pick<PreparedDrives, 'slots' | 'record' | 'home'>): MetadataPlaces {
  const slots = must(sets[home], 'the set with the metadata')
  const parity = setParityOf(record, home)
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
  suspects,
  foreground,
}: DeploymentDrives & {
  readonly clock: Clock
  readonly random: Random
  readonly committer?: DeploymentCommitter
  /** Directories of copies of the metadata that are made anew from others, where this process commits. */
  readonly suspects?: readonly string[]
  /** What healing makes way for. */
  readonly foreground?: Foreground
}): Promise<Deployment> {
  const open = await openDrives({ drives, clock, parities })
  const { record, sets, home } = open
  const { store: metadata, readFrom } = committer === undefined
    ? { store: await openMetadata({ places: placesOf(open), clock, random, suspects }), readFrom: notMoved }
    : openRemote(committer, clock)
  const keeper = new DriveKeeper({ record, sets, home, clock, random, foreground })
  const copies = (): Promise<string[]> => currentCopies(placesOf(open), clock)
  const [lone] = sets[0]?.members.length === 1 ? sets[0].members : []
  const whole = lone === undefined ? undefined : new DriveBlobStore({ drive: lone.drive, clock, random })
  if (whole !== undefined && sets.length === 1) return { deploymentId: record.deploymentId, metadata, blobs: whole, copier: undefined, keeper, copies, readMetadataFrom: readFrom, close: () => metadata.close() }
  const onDamage: SetBlobOptions['onDamage'] = (blobId, set, kind) => keeper.healer.report(blobId, set, kind)
  const blobs = new SetBlobStore({ sets, intake: keeper.intake, clock, random, onDamage, lookAgain: () => keeper.lookAgain(), ...(whole === undefined ? {} : { whole }) })
  keeper.intake.avoid((await readSetStates(metadata)).keys())
  return { deploymentId: record.deploymentId, metadata, blobs, copier: blobs, keeper, copies, readMetadataFrom: readFrom, close: () => metadata.close() }
}

function openRemote({ directory, commits, onDamage }: DeploymentCommitter, clock: Clock): ReturnType<typeof openRemoteMetadata> {
  let readFrom = directory
  const { store, readFrom: move } = openRemoteMetadata(directory, commits, onDamage === undefined ? undefined : async (moved) => {
    onDamage(readFrom)
    const settled = new AbortController()
    await Promise.race([moved.finally(() => settled.abort()), clock.sleep(moveWaitMs, settled.signal)])
  })
  return {
    store,
    readFrom: (other) => {
      move(other)
      readFrom = other
    },
  }
}

function notMoved(): never {
  throw new AssertionError('a committer of this process is the only one')
}
