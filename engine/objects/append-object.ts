import type { AppendObject, PutResult } from '../engine.ts'
import { EngineError } from '../engine.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { Content } from '../records/content.ts'
import type { PartRecord } from '../records/part-record.ts'
import { type ObjectRecord, toObjectVersion } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { attach, holdLayout, inlineBytesOf, share, shareSegment, type Staged, stage, withStaged } from './contents.ts'
import { commit, type EngineContext, newContentId, StaleReadError } from './context.ts'
import { extend, segmentOf } from './extend-layout.ts'
import { findBucket, loadKey, readBucket } from './key-state.ts'
import { segmentsFrom } from './layout.ts'
import { planLayout } from './plan-layout.ts'
import { publishNew } from './put-object.ts'

/**
 * PutObject with a write offset: the current version's bytes and the appended ones.
 * Commit point: one commit that checks that the object still ends at `offsetBytes`.
 *
 * Small objects are rewritten inline. Others become a layout of segments, shared blobs and all.
 */
export async function appendObject(context: EngineContext, input: AppendObject): Promise<PutResult> {
  const refuseEarly = async () => {
    await findBucket(context.metadata, input.bucket)
    return input.attributes.storageClass
  }
  const body = await stage(context, input.body, context.settings.inlineBytes, refuseEarly)
  return withStaged(context, body, (staged) =>
    commit(context, async (tx) => {
      const state = await loadKey(tx, await readBucket(tx, input.bucket), input.key)
      const before = state.head?.version.kind === 'object' ? state.head.version : undefined
      evaluateConditions('write', state.head?.version, input.conditions)
      const sizeBytes = before?.sizeBytes ?? 0
      if (input.offsetBytes !== sizeBytes) {
        throw new EngineError('InvalidWriteOffset', 'the object does not end there', { sizeBytes: String(sizeBytes) })
      }
      const { etag, checksums } = input.finish(before === undefined ? undefined : toObjectVersion(input.key, before), staged.sizeBytes)
      const content = before === undefined ? await attach(context, tx, staged) : await appendTo(context, tx, before, staged)
      const { attributes, tags } = before ?? { attributes: input.attributes, tags: input.tags ?? {} }
      const grown = { etag, checksums, attributes, tags, content, partsCount: undefined, ownerId: input.ownerId }
      return publishNew(context, tx, state, { ...grown, sizeBytes: sizeBytes + staged.sizeBytes }, 'ObjectCreated:Put')
    }),
  )
}

async function appendTo(context: EngineContext, tx: Transaction, before: ObjectRecord, staged: Staged): Promise<Content> {
  const { content, sizeBytes } = before
  if (content.kind === 'empty') return attach(context, tx, staged)
  if (staged.kind === 'empty') return share(context, tx, content)
  const fitsInline = sizeBytes + staged.sizeBytes <= context.settings.inlineBytes
  if (content.kind === 'inline' && staged.kind === 'inline' && fitsInline) {
    const bytes = Buffer.concat([await inlineBytesOf(tx, content.contentId), staged.bytes])
    return attach(context, tx, { kind: 'inline', sizeBytes: bytes.length, bytes })
  }
  const appended = segmentOf(context, staged.sizeBytes, await attach(context, tx, staged))
  if (content.kind === 'segments' && (await extend(tx, content.layoutId, sizeBytes, appended))) return share(context, tx, content)
  const segments = [...(await segmentsOf(context, tx, before)), appended]
  const layoutId = newContentId(context)
  for (const { key, value } of planLayout(layoutId, numbered(segments))) tx.put(key, value)
  return holdLayout(context, tx, layoutId)
}

/** The object's bytes as segments of a layout of its own. */
async function segmentsOf(context: EngineContext, tx: Transaction, { content, sizeBytes }: ObjectRecord): Promise<PartRecord[]> {
  if (content.kind !== 'segments') return [segmentOf(context, sizeBytes, await shareSegment(context, tx, content))]
  const segments: PartRecord[] = []
  for await (const { segment, offset } of segmentsFrom(checkedRows(tx), content.layoutId, 0)) {
    if (offset >= sizeBytes) break
    segments.push({ ...segment, content: await shareSegment(context, tx, segment.content) })
  }
  return segments
}

/** Rows that the commit checks: what their segments hold may be moved meanwhile. */
function checkedRows(tx: Transaction): Pick<Transaction, 'list'> {
  return {
    list: async (range) => {
      const rows = await tx.list(range)
      for (const { key, value } of rows) if ((await tx.get(key))?.equals(value) !== true) throw new StaleReadError()
      return rows
    },
  }
}

function numbered(segments: readonly PartRecord[]): PartRecord[] {
  return segments.map((segment, index) => ({ ...segment, partNumber: index + 1 }))
}
