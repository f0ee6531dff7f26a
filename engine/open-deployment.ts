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
import { giveUpSets, lockDrives, openDrives, type Parities, prepareDrives, type PreparedDrives } from './open-drives.ts'

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

/** Drives that are locked and formatted, of which no row has been read. */
export interface TakenDeployment extends PreparedDeployment {
  /** Where rows decide of its sets: `metadata` are where they are until that is done. */
  readonly unsettled: UnsettledSets | undefined
}

/** Sets of which one may have to be given up, or to hand the metadata on: plain values, as they go to another process. */
export type UnsettledSets = Pick<PreparedDrives, 'slots' | 'record' | 'home' | 'leftOut' | 'locked'>

/** What has become of them. */
export type SettledSets = Pick<PreparedDeployment, 'metadata' | 'notes'>

/**
 * What the primary process does once, before any worker opens the drives: takes their locks until
 * `release`, and formats those that are empty. A directory that holds something else is left
 * untouched. Throws `DriveFormatError`: `Foreign`, `Locked`, `NewerFormat`, `Damaged`, `Incomplete`.
 */
export async function takeDeployment({ drives, parities = {}, random }: DeploymentDrives & { readonly random: Random }): Promise<TakenDeployment> {
  const prepared = await prepareDrives({ drives, parities, random })
  const { deploymentId, slots, record, home, leftOut, locked, notes } = prepared
  const isSettled = leftOut.length === 0 && otherSets(prepared).length === 0
  return { deploymentId, metadata: placesOf(prepared), notes, unsettled: isSettled ? undefined : { slots, record, home, leftOut, locked }, release: () => prepared.release() }
}

/**
 * Reads what rows say of the sets of a deployment that has been taken, and does it, in any process, before anybody reads or
 * commits: sets are given up, the metadata leave one that is drained. `suspects`: copies of the metadata that are made anew
 * from others first. Throws `Incomplete`.
 */
export async function settleSets(sets: UnsettledSets, { clock, random, suspects }: Machine & { readonly suspects?: readonly string[] | undefined }): Promise<SettledSets> {
  const machine = { clock, random, suspects }
  if (sets.leftOut.length > 0) await giveUpLeftOut(sets, machine)
  const moved = await leaveDrainedSet(sets, machine)
  return { metadata: placesOf({ ...sets, home: moved.home }), notes: moved.notes }
}

/** Both, in this process. */
export async function prepareDeployment({ clock, random, ...drives }: DeploymentDrives & Machine): Promise<PreparedDeployment> {
  const taken = await takeDeployment({ ...drives, random })
  try {
    if (taken.unsettled === undefined) return taken
    const { metadata, notes } = await settleSets(taken.unsettled, { clock, random })
    return { ...taken, metadata, notes: [...taken.notes, ...notes] }
  } catch (error) {
    taken.release()
    throw error
  }
}

interface Machine {
  readonly clock: Clock
  readonly random: Random
}

type Opening = Machine & { readonly suspects: readonly string[] | undefined }

/** Sets whose drives were not given are the deployment's no more, if nothing refers to a blob of theirs. Throws `Incomplete`. */
async function giveUpLeftOut(sets: UnsettledSets, opening: Opening): Promise<void> {
  const metadata = await openMetadata({ places: placesOf(sets), ...opening })
  try {
    for (const set of sets.leftOut) {
      const blobs = await countUses(metadata, set)
      if (blobs > 0) throw new DriveFormatError('Incomplete', `${blobs} blobs are stored on set ${set + 1}, whose drives are not given: start with them, and move its blobs off by "moraine decommission ${set + 1}"`)
      if ((await setStateOf(metadata, set)) !== 'empty') throw new DriveFormatError('Incomplete', `the drives of set ${set + 1} are not given: start with them, and give it up by "moraine decommission ${set + 1}"`)
    }
  } finally {
    await metadata.close()
  }
  await giveUpSets(sets)
}

function otherSets({ slots, home }: Pick<UnsettledSets, 'slots' | 'home'>): number[] {
  return slots.flatMap((set, index) => (index !== home && set.length > 0 ? [index] : []))
}

/**
 * The metadata leave a set that blobs are moved off, or were, for the first that takes them and whose drives are all there.
 * This takes a start: nobody reads or commits then.
 */
async function leaveDrainedSet(sets: UnsettledSets, opening: Opening): Promise<{ readonly home: number; readonly notes: readonly string[] }> {
  const { home, slots } = sets
  const others = otherSets(sets)
  if (others.length === 0) return { home, notes: [] }
  const metadata = await openMetadata({ places: placesOf(sets), ...opening })
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
  const problem = await moveMetadata({ from: placesOf(sets), to: placesOf({ ...sets, home: to }), clock: opening.clock })
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
