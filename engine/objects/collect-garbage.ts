import { completedRow, dueRange, type DueWork, type Held, layoutRange, parseDueRow, partRange, referenceRange, referenceRow } from '../keys.ts'
import { layoutFormat, partFormat } from '../records/part-record.ts'
import { noteUsage } from '../outbox/append-event.ts'
import { drop } from './contents.ts'
import { commit, type EngineContext, StaleReadError } from './context.ts'

/**
 * The collector: work that fell due, oldest first, one bounded round. Each piece is idempotent and
 * its due row goes last, so a crash repeats it and loses nothing.
 *
 * A blob or layout goes with its last reference row, in use or dropped. A new one is only ever
 * added beside one in use, under a check of the row that uses it; with none in use none can come.
 */
export async function collectGarbage(context: EngineContext): Promise<{ deletedBlobs: number }> {
  const rows = await context.metadata.list({ ...dueRange(Math.floor(context.clock.nowMs())), limit: context.settings.roundLimit })
  let deletedBlobs = 0
  for (const { key, value } of rows) deletedBlobs += await collect(context, key, parseDueRow(key), value)
  return { deletedBlobs }
}

/** The number of blobs deleted. */
async function collect(context: EngineContext, row: Buffer, work: DueWork, value: Buffer): Promise<number> {
  switch (work.kind) {
    case 'release':
      return collectReleased(context, row, work.held, work.contentId)
    case 'upload':
      return collectUpload(context, row, work.uploadId, value.toString('hex'))
    case 'completed':
      await commit(context, async (tx) => {
        tx.delete(completedRow(work.uploadId))
        tx.delete(row)
      })
      return 0
  }
}

async function collectReleased(context: EngineContext, row: Buffer, held: Held, contentId: string): Promise<number> {
  const reference = referenceRow(held, contentId)
  const isLast = await commit(context, async (tx) => {
    const rows = await tx.list({ ...referenceRange(held), limit: 2 })
    const other = rows.find(({ key }) => !key.equals(reference))
    if (other === undefined) return true
    // The other holder is checked: of two that are collected at once, one is the last.
    if ((await tx.get(other.key)) === undefined) throw new StaleReadError()
    tx.delete(reference)
    tx.delete(row)
    return false
  })
  if (!isLast) return 0
  if (held.kind === 'blob') await context.blobs.delete(held.blobId)
  else await dropLayout(context, held.layoutId)
  await commit(context, async (tx) => {
    tx.delete(reference)
    tx.delete(row)
  })
  return held.kind === 'blob' ? 1 : 0
}

/** A layout's segments are dropped with it, row by row, their grace period being over with its own. */
async function dropLayout(context: EngineContext, layoutId: string): Promise<void> {
  for (;;) {
    const [row] = await context.metadata.list({ ...layoutRange(layoutId), limit: 1 })
    if (row === undefined) return
    await commit(context, async (tx) => {
      const stored = await tx.get(row.key)
      if (stored === undefined) return
      for (const { content } of layoutFormat.decode(stored)) drop(context, tx, content, 0)
      tx.delete(row.key)
    })
  }
}

const partsPerCommit = 128

/**
 * The parts that an upload left when it was aborted or completed; none can come once its row is gone. `bucketId` is empty
 * in rows of before bytes were counted.
 */
async function collectUpload(context: EngineContext, row: Buffer, uploadId: string, bucketId: string): Promise<number> {
  for (;;) {
    const parts = await context.metadata.list({ ...partRange(uploadId), limit: partsPerCommit })
    await commit(context, async (tx) => {
      for (const { key } of parts) {
        const stored = await tx.get(key)
        if (stored === undefined) continue
        const { content, sizeBytes } = partFormat.decode(stored)
        drop(context, tx, content, 0)
        if (bucketId !== '') noteUsage(tx, { bucketId, name: bucketId }, -sizeBytes, 0)
        tx.delete(key)
      }
      if (parts.length < partsPerCommit) tx.delete(row)
    })
    if (parts.length < partsPerCommit) return 0
  }
}
