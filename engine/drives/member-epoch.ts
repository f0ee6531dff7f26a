import { xxh64 } from '@node-rs/xxhash'
import { readAll } from './drive-format.ts'
import { type Drive, DriveError } from './drive.ts'

/**
 * Which drives are current, `epoch.json` in the metadata directory of a drive: replaced whole, never changed. An epoch holds once it is on
 * a write quorum of each set; drives that meet every write quorum therefore know the newest.
 */
export interface MemberEpoch {
  readonly epoch: number
  /** Ids of the drives that keep the metadata, and had every acknowledged commit when the epoch began. */
  readonly members: readonly string[]
  /** The first of this set of drives, to which the metadata were moved from another. */
  readonly moved?: true
}

export const epochPath = 'epoch.json'
const newEpochPath = 'epoch.json.new'

/** `drive` is that directory. Undefined when it has none, or one that cannot be read: another drive knows. */
export async function readEpoch(drive: Drive): Promise<MemberEpoch | undefined> {
  try {
    return decodeEpoch((await readAll(drive, epochPath)).toString('utf8'))
  } catch (error) {
    if (error instanceof DriveError) return undefined
    throw error
  }
}

export async function writeEpoch(drive: Drive, epoch: MemberEpoch): Promise<void> {
  await drive.remove(newEpochPath).catch(() => undefined)
  const file = await drive.create(newEpochPath)
  try {
    await file.write(Buffer.from(encodeEpoch(epoch)), 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await drive.rename(newEpochPath, epochPath)
  await drive.syncDirectory('')
}

export function encodeEpoch({ epoch, members, moved }: MemberEpoch): string {
  const body: MemberEpoch = { epoch, members, ...(moved === true ? { moved } : {}) }
  return `${JSON.stringify({ ...body, checksum: checksumOf(body) })}\n`
}

export function decodeEpoch(text: string): MemberEpoch | undefined {
  try {
    const { epoch, members, moved, checksum } = JSON.parse(text) as { readonly epoch: unknown; readonly members: unknown; readonly moved: unknown; readonly checksum: unknown }
    if (typeof epoch !== 'number' || !Array.isArray(members) || !members.every((id) => typeof id === 'string')) return undefined
    const body: MemberEpoch = { epoch, members, ...(moved === true ? { moved } : {}) }
    return checksum === checksumOf(body) ? body : undefined
  } catch {
    return undefined
  }
}

export function newestEpoch(epochs: readonly (MemberEpoch | undefined)[]): MemberEpoch | undefined {
  return epochs.reduce((newest, other) => (newest === undefined || (other !== undefined && other.epoch > newest.epoch) ? other : newest), undefined)
}

function checksumOf(body: MemberEpoch): string {
  return xxh64(JSON.stringify(body)).toString(16).padStart(16, '0')
}
