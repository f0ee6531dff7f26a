import { EngineError } from '../engine.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { Content, SegmentContent } from '../records/content.ts'
import type { ObjectRecord } from '../records/version-record.ts'
import type { Extent, NewPart, SharedBytes } from '../shared-parts.ts'
import { attach, holdLayout, holdSlice, type Staged } from './contents.ts'
import { type EngineContext, newContentId } from './context.ts'
import { extend, segmentOf } from './extend-layout.ts'
import { knownExtents, rememberExtents } from './known-extents.ts'
import { readExtents } from './layout.ts'
import { planLayout } from './plan-layout.ts'

export interface LinkedParts {
  readonly content: Content
  readonly sizeBytes: number
  readonly extents: readonly Extent[]
}

type Segment = { readonly sizeBytes: number; readonly content: SegmentContent } | SharedBytes

/**
 * An object made of parts, in the commit: a layout of its own bytes and of slices of shared layouts.
 * `holder` is a version that the transaction has read and that has what is shared: `InvalidPart`
 * otherwise. As a copy does, it makes sure that shared bytes cannot go meanwhile.
 */
export async function linkParts(
  context: EngineContext,
  tx: Transaction,
  parts: readonly NewPart[],
  holder: ObjectRecord | undefined,
  stageBytes: (bytes: Uint8Array) => Promise<Staged>,
): Promise<LinkedParts> {
  await requireHeld(context, tx, parts, holder)
  const segments: Segment[] = []
  const grown = new Set<string>()
  for (const part of parts) {
    const before = segments.at(-1)
    if (part.kind === 'shared') {
      if (part.sizeBytes > 0) addSlice(segments, part)
      continue
    }
    if (part.bytes.length === 0) continue
    const content = await attach(context, tx, await stageBytes(part.bytes))
    if (part.kind === 'own') segments.push({ sizeBytes: part.bytes.length, content })
    else addSlice(segments, await addShareable(context, tx, before, { sizeBytes: part.bytes.length, content }, grown))
  }
  if (segments.length === 0) return { content: { kind: 'empty' }, sizeBytes: 0, extents: [] }
  const records = segments.map((segment, index) => {
    const content = 'content' in segment ? segment.content : holdSlice(context, tx, { layoutId: segment.sharedId, offset: segment.offset })
    return { ...segmentOf(context, segment.sizeBytes, content), partNumber: index + 1 }
  })
  const layoutId = newContentId(context)
  for (const { key, value } of planLayout(layoutId, records)) tx.put(key, value)
  const sizeBytes = records.reduce((sum, record) => sum + record.sizeBytes, 0)
  const extents = segments.map(extentOf)
  // Should the commit fail, nobody has this layout.
  rememberExtents(context.metadata, layoutId, sizeBytes, extents)
  return { content: holdLayout(context, tx, layoutId), sizeBytes, extents }
}

function extentOf(segment: Segment): Extent {
  return 'content' in segment ? { sizeBytes: segment.sizeBytes } : { sizeBytes: segment.sizeBytes, shared: { sharedId: segment.sharedId, offset: segment.offset } }
}

/** Every shared part lies within one that the holder has. */
async function requireHeld(context: EngineContext, tx: Transaction, parts: readonly NewPart[], holder: ObjectRecord | undefined): Promise<void> {
  const shared = parts.filter((part) => part.kind === 'shared')
  if (shared.length === 0) return
  const held = holder === undefined ? [] : await extentsOf(context, tx, holder)
  for (const { sharedId, offset, sizeBytes } of shared) {
    const isHeld = held.some((extent) => {
      if (extent.shared?.sharedId !== sharedId) return false
      return extent.shared.offset <= offset && offset + sizeBytes <= extent.shared.offset + extent.sizeBytes
    })
    if (!isHeld) throw new EngineError('InvalidPart', 'the object that shared bytes are taken from does not have them', { sharedId })
  }
}

async function extentsOf({ metadata }: EngineContext, tx: Transaction, { content, sizeBytes }: ObjectRecord): Promise<readonly Extent[]> {
  const known = content.kind === 'segments' ? knownExtents(metadata, content.layoutId, sizeBytes) : undefined
  if (known !== undefined) return known
  const extents = await readExtents(tx, { content, sizeBytes })
  if (content.kind === 'segments') rememberExtents(metadata, content.layoutId, sizeBytes, extents)
  return extents
}

/** Slices that follow each other in one layout are one. */
function addSlice(segments: Segment[], { sharedId, offset, sizeBytes }: SharedBytes): void {
  const last = segments.at(-1)
  if (last !== undefined && 'sharedId' in last && last.sharedId === sharedId && last.offset + last.sizeBytes === offset) {
    segments[segments.length - 1] = { sharedId, offset: last.offset, sizeBytes: last.sizeBytes + sizeBytes }
  } else segments.push({ sharedId, offset, sizeBytes })
}

/** Puts a segment to the end of the layout that the slice before it ends with, else into a layout of its own. */
async function addShareable(
  context: EngineContext,
  tx: Transaction,
  before: Segment | undefined,
  { sizeBytes, content }: { readonly sizeBytes: number; readonly content: SegmentContent },
  grown: Set<string>,
): Promise<SharedBytes> {
  const segment = segmentOf(context, sizeBytes, content)
  if (before !== undefined && 'sharedId' in before && !grown.has(before.sharedId)) {
    const { sharedId } = before
    const end = before.offset + before.sizeBytes
    grown.add(sharedId)
    if (await extend(tx, sharedId, end, segment)) return { sharedId, offset: end, sizeBytes }
  }
  const layoutId = newContentId(context)
  grown.add(layoutId)
  for (const { key, value } of planLayout(layoutId, [segment])) tx.put(key, value)
  return { sharedId: layoutId, offset: 0, sizeBytes }
}
