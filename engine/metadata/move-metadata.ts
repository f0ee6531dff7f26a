import type { Clock } from '../../base/clock.ts'
import { DriveError } from '../drives/drive.ts'
import { DriveFormatError } from '../drives/drive-format.ts'
import { writeEpoch } from '../drives/member-epoch.ts'
import type { Member } from './member.ts'
import { MetadataError } from './metadata-store.ts'
import { copyMember } from './open-member.ts'
import { beginEpoch, openMembers } from './open-members.ts'
import type { MetadataPlaces } from './metadata-places.ts'
import { placeOf, takeDrives } from './open-metadata.ts'

export interface MoveMetadataInput {
  readonly from: MetadataPlaces
  readonly to: MetadataPlaces
  readonly clock: Clock
}

/**
 * Moves the metadata to another set of drives, while nobody reads or commits. Whole copies first; then, as the commit point,
 * an epoch that a write quorum of the other set is told of: from there on a start takes that set, and before it this one,
 * which has changed in nothing. Resolves with why it could not be done, and then nothing has happened; throws when the epoch
 * was told to some only: nothing may be committed then before another start has found out which set it is.
 */
export async function moveMetadata({ from, to, clock }: MoveMetadataInput): Promise<string | undefined> {
  const donors = await takeDrives(from.drives, clock, () => {})
  const targets = await takeDrives(to.drives, clock, () => {}).catch((error: unknown) => ({ usable: [], locks: [], error }))
  const open: Member[] = []
  try {
    if (targets.usable.length < to.drives.length) return 'not every drive of the other set can be used'
    const copied = await copyAll(donors.usable.map((drive) => placeOf(drive, {})), { from, to, clock }, open)
    if (typeof copied === 'string') return copied
    const { copies, epoch } = copied
    const next = { epoch: epoch + 1, members: copies.map(({ id }) => id), moved: true } as const
    for (const drive of targets.usable) await writeEpoch(placeOf(drive, {}).drive, next)
    await beginEpoch(copies, next.epoch)
    return undefined
  } finally {
    await Promise.allSettled(open.map((member) => member.close()))
    for (const lock of [...donors.locks, ...targets.locks]) lock.release()
  }
}

async function copyAll(places: Parameters<typeof openMembers>[0]['places'], { from, to }: MoveMetadataInput, open: Member[]): Promise<string | { readonly copies: Member[]; readonly epoch: number }> {
  try {
    const { members, epoch, readOnly } = await openMembers({ places, drives: from.setDrives, writeQuorum: from.writeQuorum, copies: from.copies })
    open.push(...members)
    const [donor] = members
    if (donor === undefined || epoch === undefined) return readOnly ?? 'the metadata cannot be written'
    const copies: Member[] = []
    for (const drive of to.drives.slice(0, to.copies)) {
      const copy = await copyMember(placeOf(drive, {}), donor)
      copies.push(copy)
      open.push(copy)
    }
    return { copies, epoch: epoch.epoch }
  } catch (error) {
    if (error instanceof DriveError || error instanceof MetadataError || error instanceof DriveFormatError || (error instanceof Error && 'syscall' in error)) return error.message
    throw error
  }
}
