import type { BlobRef } from '../blobs/blob-store.ts'
import { referenceRange, tables, movedRow, versionSuffixBytes } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import { discardBlob, drop, holdBlob, mayBeCommitted, referenceInUse, requireOpenSet } from '../objects/contents.ts'
import { commit, type EngineContext, newContentId } from '../objects/context.ts'
import { movedFormat } from '../records/moved-record.ts'
import type { BlobCopier } from './blob-copier.ts'
import { type BlobUse, withOtherContent } from './blob-uses.ts'

/** `shared`: its bytes had been moved for another use. `gone`: the row does not have it any more. */
export type MoveOutcome = 'moved' | 'shared' | 'gone'

const holdersLooked = 100

/**
 * Moves one use of a blob to a set: the bytes first, as a new blob; then, as the commit point, one commit that checks that
 * the row still has the use, gives it the new blob, and drops the old one, which readers find for the grace period.
 * Uses that shared a blob share the new one. Throws what `copyTo` and commits throw; then nothing has changed.
 */
export async function moveUse(context: EngineContext, copier: BlobCopier, use: BlobUse, set: number): Promise<MoveOutcome> {
  const known = await context.metadata.get(movedRow(use.blob.blobId))
  if (known !== undefined) {
    const outcome = await commit(context, (tx) => follow(context, tx, use, movedFormat.decode(known.value)))
    if (outcome !== 'nowhere') return outcome
  }
  const copied = await copier.copyTo(use.blob, set)
  try {
    const isMoved = await commit(context, async (tx) => {
      await requireOpenSet(tx, copied)
      if (!(await repoint(context, tx, use, copied))) return false
      if (await isShared(tx, use)) tx.put(movedRow(use.blob.blobId), movedFormat.encode(copied))
      return true
    })
    if (!isMoved) await discardBlob(context, copied.blobId)
    return isMoved ? 'moved' : 'gone'
  } catch (error) {
    if (!mayBeCommitted(error)) await discardBlob(context, copied.blobId)
    throw error
  }
}

/** To the blob that another use of the same bytes was given, if that is in use: its reference is checked, so it cannot go meanwhile. */
async function follow(context: EngineContext, tx: Transaction, use: BlobUse, moved: BlobRef): Promise<'shared' | 'gone' | 'nowhere'> {
  const holders = await tx.list({ ...referenceRange({ kind: 'blob', blobId: moved.blobId }), limit: holdersLooked })
  const holder = holders.find(({ value }) => value.equals(referenceInUse))
  if (holder === undefined || (await tx.get(holder.key))?.equals(referenceInUse) !== true) return 'nowhere'
  await requireOpenSet(tx, moved)
  return (await repoint(context, tx, use, moved)) ? 'shared' : 'gone'
}

async function isShared(tx: Transaction, { blob, contentId }: BlobUse): Promise<boolean> {
  const holders = await tx.list({ ...referenceRange({ kind: 'blob', blobId: blob.blobId }), limit: holdersLooked })
  return holders.some(({ key, value }) => value.equals(referenceInUse) && !key.toString('hex').endsWith(contentId))
}

async function repoint(context: EngineContext, tx: Transaction, { row, contentId, blob }: BlobUse, to: BlobRef): Promise<boolean> {
  const value = await tx.get(row)
  const content = { kind: 'blob', contentId: newContentId(context), blob: to } as const
  const next = value === undefined ? undefined : withOtherContent(row, value, contentId, content)
  if (next === undefined || (row[0] === tables.version && !(await touchHead(tx, row)))) return false
  holdBlob(tx, content.contentId, to)
  tx.put(row, next)
  drop(context, tx, { kind: 'blob', contentId, blob })
  return true
}

/** Every change of a key's versions writes its head row: whoever has read that, has read the history. */
async function touchHead(tx: Transaction, versionRow: Buffer): Promise<boolean> {
  const stem = versionRow.subarray(1, versionRow.length - versionSuffixBytes)
  for (const table of [tables.object, tables.marker]) {
    const row = Buffer.concat([Buffer.of(table), stem])
    const head = await tx.get(row)
    if (head === undefined) continue
    tx.put(row, head)
    return true
  }
  return false
}
