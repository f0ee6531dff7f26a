import { completedRow, dueRange, type DueWork, layoutRange, parseDueRow, partRange, referenceRange, referenceRow } from '../keys.ts'
import { layoutFormat, partFormat } from '../records/part-record.ts'
import { noteUsage } from '../outbox/append-event.ts'
import { drop } from './contents.ts'
import { commit, type EngineContext, StaleReadError } from './context.ts'
import { provenUnused } from './prove-unused.ts'

/** One proof serves so many times the bound of a round. */
const roundsAtOnce = 10
/** After a proof it takes so many times as long before there is another. */
const proofRestFactor = 50

/** By engine, the monotonic time before which nothing is proven. */
const restUntilMs = new WeakMap<EngineContext, number>()

/**
 * The collector: work that fell due, oldest first, one bounded round. Each piece is idempotent and
 * its due row goes last, so a crash repeats it and loses nothing.
 *
 * A blob or layout goes with its last reference row, once it is proven that this is the last: see
 * `provenUnused`. The proof reads all references, so releases wait for each other and share one, and it is
 * made only so often that it takes 2 % of the time. Throws `Corrupt` where the references are not whole.
 */
export async function collectGarbage(context: EngineContext): Promise<{ deletedBlobs: number }> {
  const { clock, settings } = context
  const mayProve = clock.monotonicMs() >= (restUntilMs.get(context) ?? -Infinity)
  const released: Release[] = []
  const { start, end } = dueRange(Math.floor(clock.nowMs()))
  let after: Uint8Array = start
  for (let round = 0; round < roundsAtOnce; round++) {
    const rows = await context.metadata.list({ start: after, end, limit: settings.roundLimit })
    for (const { key, value } of rows) {
      const work = parseDueRow(key)
      if (work.kind !== 'release') await collect(context, key, work, value)
      else if (mayProve && (await isLast(context, key, work))) released.push({ ...work, row: key })
    }
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < settings.roundLimit) break
    after = Buffer.concat([last.key, Buffer.of(0)])
  }
  return { deletedBlobs: await collectReleased(context, released) }
}

type Release = Extract<DueWork, { readonly kind: 'release' }> & { readonly row: Buffer }

async function collect(context: EngineContext, row: Buffer, work: Exclude<DueWork, { readonly kind: 'release' }>, value: Buffer): Promise<void> {
  switch (work.kind) {
    case 'upload':
      return collectUpload(context, row, work.uploadId, value.toString('hex'))
    case 'completed':
      await commit(context, async (tx) => {
        tx.delete(completedRow(work.uploadId))
        tx.delete(row)
      })
  }
}

/** Where another holder is left, this one's reference goes, and nothing else. */
function isLast(context: EngineContext, row: Buffer, { held, contentId }: Extract<DueWork, { readonly kind: 'release' }>): Promise<boolean> {
  const reference = referenceRow(held, contentId)
  return commit(context, async (tx) => {
    const rows = await tx.list({ ...referenceRange(held), limit: 2 })
    const other = rows.find(({ key }) => !key.equals(reference))
    if (other === undefined) return true
    // The other holder is checked: of two that are collected at once, one is the last.
    if ((await tx.get(other.key)) === undefined) throw new StaleReadError()
    tx.delete(reference)
    tx.delete(row)
    return false
  })
}

/** The number of blobs deleted. */
async function collectReleased(context: EngineContext, released: readonly Release[]): Promise<number> {
  if (released.length === 0) return 0
  const { clock } = context
  const startedMs = clock.monotonicMs()
  const unused = await provenUnused(context, released).finally(() => {
    const nowMs = clock.monotonicMs()
    restUntilMs.set(context, nowMs + proofRestFactor * (nowMs - startedMs))
  })
  let deletedBlobs = 0
  for (const { held, contentId, row } of unused) {
    if (held.kind === 'blob') await context.blobs.delete(held.blobId)
    else await dropLayout(context, held.layoutId)
    await commit(context, async (tx) => {
      tx.delete(referenceRow(held, contentId))
      tx.delete(row)
    })
    if (held.kind === 'blob') deletedBlobs++
  }
  return deletedBlobs
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
async function collectUpload(context: EngineContext, row: Buffer, uploadId: string, bucketId: string): Promise<void> {
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
    if (parts.length < partsPerCommit) return
  }
}
