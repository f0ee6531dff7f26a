import { xxh64 } from '@node-rs/xxhash'
import type { Random } from '../../base/random.ts'
import { blobDirectories, blobsDirectory } from '../blobs/block-layout.ts'
import { DriveError } from './drive.ts'
import type { Drive } from './drive.ts'

/**
 * What a drive holds, at its root:
 *
 *     moraine.json   the record below: written last, so it says that formatting was completed
 *     blobs/00 … ff  blob files
 *     metadata/      the metadata store (made by it), and `epoch.json`: see `member-epoch.ts`
 *     probe-*        what is written to see whether the drive is well; may stay behind a crash
 *     lock.sqlite    see `drive-lock.ts`
 */
export interface DriveRecord {
  /** 2 until the sets of the deployment change for the first time. */
  readonly format: 2 | 3
  /** 32 hex digits; the same on every drive of a deployment. */
  readonly deploymentId: string
  /** 32 hex digits; of this drive alone, or of the one that it took the place of. */
  readonly driveId: string
  /** The drives of the deployment by set and position, this one among them. A set that was given up is empty: blobs name sets by their place. */
  readonly sets: readonly (readonly string[])[]
  /** How many drives of a set may be lost, as far as `change` does not say otherwise: the metadata is kept on one more. */
  readonly parity: number
  /** Of a deployment to which sets were added, or of which some were given up. */
  readonly change?: SetChange
}

export interface SetChange {
  /** Grows with each change: of several records the newest holds. */
  readonly revision: number
  /** Of each set. */
  readonly parities: readonly number[]
}

export function revisionOf({ change }: Pick<DriveRecord, 'change'>): number {
  return change?.revision ?? 0
}

export function setParityOf({ change, parity }: Pick<DriveRecord, 'change' | 'parity'>, set: number): number {
  return change?.parities[set] ?? parity
}

export const recordPath = 'moraine.json'
const newRecordPath = 'moraine.json.new'
export const metadataDirectory = 'metadata'
export const lockPath = 'lock.sqlite'
export const probePrefix = 'probe-'

/**
 * - `Foreign`: the directory holds something that is not ours; nothing was touched.
 * - `NewerFormat`: written by a later version of Moraine.
 * - `Damaged`: it is ours, but its record does not match its checksum or cannot be understood.
 * - `Locked`: another server uses the drive.
 * - `Failing`: the drive itself fails, or cannot be written, so that it cannot be locked.
 * - `Incomplete`: drives of the deployment are missing, or are not what was asked for; the message names them.
 */
export type DriveFormatErrorCode = 'Foreign' | 'NewerFormat' | 'Damaged' | 'Locked' | 'Failing' | 'Incomplete'

export class DriveFormatError extends Error {
  override readonly name = 'DriveFormatError'
  readonly code: DriveFormatErrorCode

  constructor(code: DriveFormatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type DriveState =
  | { readonly kind: 'formatted'; readonly record: DriveRecord }
  /** Empty, or what an interrupted formatting left. */
  | { readonly kind: 'unformatted' }

/** Looks without touching. Throws `DriveFormatError`. */
export async function inspectDrive(drive: Drive): Promise<DriveState> {
  const names = await drive.list('')
  if (names.includes(recordPath)) {
    const stored = await readAll(drive, recordPath)
    if (!isTorn(stored)) return { kind: 'formatted', record: decodeRecord(stored.toString('utf8')) }
  }
  await requireLeftovers(drive, names)
  return { kind: 'unformatted' }
}

/** The drive's record; an empty drive, or one whose formatting was interrupted, is formatted first. */
export async function openDrive(drive: Drive, random: Random, deploymentId = randomId(random)): Promise<DriveRecord> {
  const state = await inspectDrive(drive)
  if (state.kind === 'formatted') return state.record
  const driveId = randomId(random)
  const record: DriveRecord = { format: 2, deploymentId, driveId, sets: [[driveId]], parity: 0 }
  await formatDrive(drive, record)
  return record
}

/**
 * Makes the directories, then the record, each durable before the next: a power loss at any point
 * leaves either a complete drive or one that `inspectDrive` calls unformatted. `Exists` when there is a record already.
 */
export async function formatDrive(drive: Drive, record: DriveRecord): Promise<void> {
  for (const directory of [blobsDirectory, ...blobDirectories]) await createIfMissing(drive, directory)
  await drive.syncDirectory(blobsDirectory)
  const names = await drive.list('')
  if (names.includes(metadataDirectory)) {
    for (const path of epochPaths) await drive.remove(path).catch(ignoring('NotFound'))
    await drive.syncDirectory(metadataDirectory)
  }
  if (names.includes(recordPath)) {
    if (!isTorn(await readAll(drive, recordPath))) throw new DriveError('Exists', 'the drive has a record')
    await drive.remove(recordPath)
    await drive.syncDirectory('')
  }
  const file = await drive.create(recordPath)
  try {
    await file.write(Buffer.from(encodeRecord(record)), 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await drive.syncDirectory('')
}

/** Formats what is blank now, and says whether it did: the drive may have changed, or another process may format it, since somebody looked. */
export async function formatIfBlank(drive: Drive, record: DriveRecord): Promise<boolean> {
  if ((await inspectDrive(drive)).kind === 'formatted') return false
  return formatDrive(drive, record).then(() => true, (error: unknown) => {
    ignoring('Exists')(error)
    return false
  })
}

/** Every record begins like this, in any format: a shorter file, or one of zeros, is torn. */
const opening = '{"moraine":'

/**
 * Puts a newer record in the place of the one that is there. A power loss at any point leaves one of them whole.
 */
export async function replaceRecord(drive: Drive, record: DriveRecord): Promise<void> {
  await drive.remove(newRecordPath).catch(ignoring('NotFound'))
  const file = await drive.create(newRecordPath)
  try {
    await file.write(Buffer.from(encodeRecord(record)), 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await drive.rename(newRecordPath, recordPath)
  await drive.syncDirectory('')
}

export function encodeRecord({ format, deploymentId, driveId, sets, parity, change }: DriveRecord): string {
  const body = { format, deploymentId, driveId, sets, parity, ...(change === undefined ? {} : { change }) }
  return `${opening}${JSON.stringify(body)},"checksum":"${checksumOf(body)}"}\n`
}

export function decodeRecord(text: string): DriveRecord {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new DriveFormatError(text.startsWith(opening) ? 'Damaged' : 'Foreign', `${recordPath} is not JSON`, { cause })
  }
  if (!isObject(parsed) || !isObject(parsed['moraine'])) throw new DriveFormatError('Foreign', `${recordPath} is not Moraine's`)
  const body = parsed['moraine']
  if (parsed['checksum'] !== checksumOf(body)) throw new DriveFormatError('Damaged', `${recordPath} does not match its checksum`)
  return migrate(body)
}

/**
 * A record of any format that was ever written, as today's. Pure. Format 1 knew deployments of one drive only, format 2 those
 * whose sets have never changed: it is still written for them.
 */
export function migrate(body: Readonly<Record<string, unknown>>): DriveRecord {
  const { format, deploymentId, driveId } = body
  if (typeof format !== 'number') throw new DriveFormatError('Damaged', `${recordPath} has no format`)
  if (format > 3) throw new DriveFormatError('NewerFormat', `${recordPath} has format ${format}; this version knows 3`)
  if (typeof deploymentId !== 'string' || typeof driveId !== 'string') throw new DriveFormatError('Damaged', `${recordPath} lacks an id`)
  if (format === 1) return { format: 2, deploymentId, driveId, sets: [[driveId]], parity: 0 }
  const { sets, parity, change } = body
  if (!isSets(sets) || !sets.flat().includes(driveId) || typeof parity !== 'number') throw new DriveFormatError('Damaged', `${recordPath} does not name its drives`)
  if (format === 2) return { format: 2, deploymentId, driveId, sets, parity }
  if (!isChange(change) || change.parities.length !== sets.length) throw new DriveFormatError('Damaged', `${recordPath} does not say how its sets changed`)
  return { format: 3, deploymentId, driveId, sets, parity, change: { revision: change.revision, parities: change.parities } }
}

function isChange(value: unknown): value is SetChange {
  return isObject(value) && typeof value['revision'] === 'number' && Array.isArray(value['parities']) && value['parities'].every((parity) => typeof parity === 'number')
}

function isSets(value: unknown): value is string[][] {
  return Array.isArray(value) && value.every((set) => Array.isArray(set) && set.every((id) => typeof id === 'string'))
}

/**
 * What a server puts on a drive of its own, and on another that was put in its place an instant before: nothing of it is missed.
 * An epoch of who knows when is none of the drive to be.
 */
const epochPaths = ['epoch.json', 'epoch.json.new'].map((name) => `${metadataDirectory}/${name}`)
const misplacedNames = new Set(['committer.sqlite', 'committer.sqlite-journal', 'ballast', 'probe', 'epoch.json', 'epoch.json.new'])

/** Throws `Foreign` for metadata that may be some. */
async function requireMisplaced(drive: Drive): Promise<void> {
  const foreign = (await drive.list(metadataDirectory)).filter((name) => !misplacedNames.has(name))
  if (foreign.length > 0) throw new DriveFormatError('Foreign', `there is no ${recordPath}, but ${metadataDirectory} holds ${quote(foreign)}`)
}

/** Throws `Foreign` unless there is nothing, or only what an interrupted formatting leaves, or a server that looked away. */
async function requireLeftovers(drive: Drive, names: readonly string[]): Promise<void> {
  // The root of an ext4 file system has a directory `lost+found`.
  const ours = new Set([blobsDirectory, recordPath, lockPath, `${lockPath}-journal`, metadataDirectory, 'lost+found'])
  const foreign = names.filter((name) => !ours.has(name) && !name.startsWith(probePrefix))
  if (foreign.length > 0) throw new DriveFormatError('Foreign', `the directory is not empty and not Moraine's: it holds ${quote(foreign)}`)
  if (names.includes(metadataDirectory)) await requireMisplaced(drive)
  if (!names.includes(blobsDirectory)) return
  const made = new Set(blobDirectories)
  for (const name of await drive.list(blobsDirectory)) {
    const path = `${blobsDirectory}/${name}`
    if (!made.has(path) || (await drive.list(path)).length > 0) {
      throw new DriveFormatError('Foreign', `there is no ${recordPath}, but ${path} is not empty`)
    }
  }
}

function quote(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name)).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}

/** Cut off while it was written for the first time: nothing, zeros, or a beginning without its end. */
function isTorn(stored: Buffer): boolean {
  const text = stored.toString('latin1').replace(/\0+$/, '')
  if (text.length === stored.length && text.endsWith('}\n')) return false
  return text.length < opening.length ? opening.startsWith(text) : text.startsWith(opening)
}

function checksumOf(body: Readonly<Record<string, unknown>>): string {
  return xxh64(JSON.stringify(body)).toString(16).padStart(16, '0')
}

export function randomId(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A drive's own record is short: anything longer is not read. */
const maxRecordBytes = 64 * 1024

export async function readAll(drive: Drive, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(await drive.sizeOf(path), maxRecordBytes))
  const file = await drive.open(path)
  try {
    return bytes.subarray(0, await file.read(bytes, 0))
  } finally {
    await file.close()
  }
}

async function createIfMissing(drive: Drive, path: string): Promise<void> {
  await drive.createDirectory(path).catch(ignoring('Exists'))
}

function ignoring(code: DriveError['code']): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof DriveError && error.code === code)) throw error
  }
}
