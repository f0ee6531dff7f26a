import type { Clock } from '../../base/clock.ts'
import { isFull } from './is-full.ts'
import type { MetadataDrive } from './metadata-places.ts'
import { MetadataError } from './metadata-store.ts'
import { inspectMember, openMember } from './open-member.ts'
import { placeOf, takeDrives } from './open-metadata.ts'
import { walkCopy } from './walk-copy.ts'

export type CopyTrial = { readonly kind: 'none' | 'whole' } | { readonly kind: 'damaged'; readonly message: string }

/**
 * Does with one copy of the metadata what a start of the whole server may do with it, and nothing that changes what it says:
 * goes back to its checkpoint, applies its own journal, writes a transaction, and proves every table. Damage may end the
 * process. Only while no other process has any copy open; throws what the drive throws.
 */
export async function tryCopy({ drive, clock }: { readonly drive: MetadataDrive; readonly clock: Clock }): Promise<CopyTrial> {
  if (!placeOf(drive, {}).source.exists()) return { kind: 'none' }
  const { locks } = await takeDrives([drive], clock, () => {})
  try {
    if (!(await bringUpAlone(drive))) return { kind: 'none' }
  } catch (error) {
    if (error instanceof MetadataError && !isFull(error)) return { kind: 'damaged', message: error.message }
    throw error
  } finally {
    for (const lock of locks) lock.release()
  }
  const message = await walkCopy({ directory: drive.directory, from: 0, bytesPerSecond: Infinity, clock })
  return message === undefined ? { kind: 'whole' } : { kind: 'damaged', message }
}

/** Whether there is a copy. */
async function bringUpAlone(drive: MetadataDrive): Promise<boolean> {
  const place = placeOf(drive, {})
  const inspected = await inspectMember(place, true)
  if (inspected === undefined) return false
  const member = await openMember(place, inspected, inspected.records, 'afterPowerLoss')
  try {
    // The pages that are free are listed in pages of their own, which only a writer reads.
    await member.index.write((transaction) => {
      transaction.setPosition(member.index.position)
      return Promise.resolve()
    })
    await member.checkpoint()
  } finally {
    await member.close()
  }
  return true
}
