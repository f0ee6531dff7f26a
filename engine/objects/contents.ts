import { BlobError, type BlobRef, type Redundancy } from '../blobs/blob-store.ts'
import { EngineError } from '../engine.ts'
import { contentRow, dueRow, type Held, referenceRow, setRow } from '../keys.ts'
import { MetadataError } from '../metadata/metadata-store.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { Content, SegmentContent } from '../records/content.ts'
import { setFormat } from '../records/set-record.ts'
import { type EngineContext, newContentId, StaleReadError } from './context.ts'

/** Bytes that have arrived and that nobody can see yet. */
export type Staged =
  | { readonly kind: 'empty'; readonly sizeBytes: 0 }
  | { readonly kind: 'inline'; readonly sizeBytes: number; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly sizeBytes: number; readonly blob: BlobRef }

/** The value of a reference row: in use, or dropped and due for collection. */
export const referenceInUse: Buffer = Buffer.of(1)
export const referenceDropped: Buffer = Buffer.of(0)

/**
 * Takes in a body: in memory up to `inlineBytes`, beyond that as a blob at the body's own pace.
 * `beforeBlob` runs once a blob is needed, before it is written; it names the storage class.
 */
export async function stage(
  context: EngineContext,
  body: AsyncIterable<Uint8Array>,
  inlineBytes: number,
  beforeBlob?: () => Promise<string | undefined>,
): Promise<Staged> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  const iterator = body[Symbol.asyncIterator]()
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    chunks.push(next.value)
    sizeBytes += next.value.length
    if (sizeBytes > inlineBytes) {
      const blob = await stageBlob(context, chunks, iterator, beforeBlob)
      return { kind: 'blob', sizeBytes: blob.sizeBytes, blob }
    }
  }
  return stageBytes(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))
}

export function stageBytes(bytes: Uint8Array): Staged {
  return bytes.length === 0 ? { kind: 'empty', sizeBytes: 0 } : { kind: 'inline', sizeBytes: bytes.length, bytes }
}

/** Bytes in hand as a body. */
export async function* bytesAsBody(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function stageBlob(
  context: EngineContext,
  begun: Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  beforeBlob: (() => Promise<string | undefined>) | undefined,
): Promise<BlobRef> {
  try {
    const storageClass = await beforeBlob?.()
    const redundancy: Redundancy = storageClass === 'REDUCED_REDUNDANCY' ? 'reduced' : 'standard'
    return await context.blobs.write(continued(begun, rest), redundancy)
  } catch (error) {
    // A store that refuses before it reads leaves the body standing.
    await rest.return?.()
    throw error
  }
}

async function* continued(begun: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (let chunk = begun.shift(); chunk !== undefined; chunk = begun.shift()) yield chunk
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/** Runs `use` on what was staged; when it fails without a commit, the staged blob is removed. */
export async function withStaged<T>(context: EngineContext, staged: Staged, use: (staged: Staged) => Promise<T>): Promise<T> {
  try {
    return await use(staged)
  } catch (error) {
    if (staged.kind === 'blob' && !mayBeCommitted(error)) await discardBlob(context, staged.blob.blobId)
    throw error
  }
}

/** With an unknown outcome a commit may refer to staged blobs; the sweep of orphans decides later. */
export function mayBeCommitted(error: unknown): boolean {
  return error instanceof MetadataError && error.code === 'OutcomeUnknown'
}

/** Removes a blob that no row refers to. What cannot be removed now is left to the sweep of orphans. */
export async function discardBlob(context: EngineContext, blobId: string): Promise<void> {
  await context.blobs.delete(blobId).catch(() => undefined)
}

/** Adds staged bytes to the commit; the returned content refers to them. `Unwritable` when their set of drives takes nothing any more. */
export async function attach(context: EngineContext, tx: Transaction, staged: Staged): Promise<SegmentContent> {
  if (staged.kind === 'empty') return { kind: 'empty' }
  const contentId = newContentId(context)
  if (staged.kind === 'inline') {
    tx.put(contentRow(contentId), staged.bytes)
    return { kind: 'inline', contentId }
  }
  await requireOpenSet(tx, staged.blob)
  return holdBlob(tx, contentId, staged.blob)
}

/** Checked in the commit: nothing comes to a set once everything was moved off it. */
export async function requireOpenSet(tx: Transaction, { layout, blobId }: BlobRef): Promise<void> {
  const row = await tx.get(setRow(layout.kind === 'stripes' ? layout.set : 0))
  if (row === undefined || setFormat.decode(row).state === 'draining') return
  throw new BlobError('Unwritable', `blob ${blobId} was written to a set of drives that is given up`)
}

/** Another use of the same bytes, for a copy; `content` must belong to a row that the transaction checks. */
export async function share(context: EngineContext, tx: Transaction, content: Content): Promise<Content> {
  return content.kind === 'segments' ? holdLayout(context, tx, content.layoutId) : shareSegment(context, tx, content)
}

/** A use of a layout: a new one, or one that a checked row holds on to. */
export function holdLayout(context: EngineContext, tx: Transaction, layoutId: string): Content {
  const contentId = newContentId(context)
  tx.put(referenceRow({ kind: 'layout', layoutId }, contentId), referenceInUse)
  return { kind: 'segments', contentId, layoutId }
}

/** A use of a part of a layout, which a checked row holds on to, or which the transaction makes. */
export function holdSlice(context: EngineContext, tx: Transaction, { layoutId, offset }: { readonly layoutId: string; readonly offset: number }): SegmentContent {
  const contentId = newContentId(context)
  tx.put(referenceRow({ kind: 'layout', layoutId }, contentId), referenceInUse)
  return { kind: 'slice', contentId, layoutId, offset }
}

export async function shareSegment(context: EngineContext, tx: Transaction, content: SegmentContent): Promise<SegmentContent> {
  if (content.kind === 'empty') return content
  const contentId = newContentId(context)
  if (content.kind === 'blob') return holdBlob(tx, contentId, content.blob)
  if (content.kind === 'slice') return holdSlice(context, tx, content)
  tx.put(contentRow(contentId), await inlineBytesOf(tx, content.contentId))
  return { kind: 'inline', contentId }
}

/** The bytes of an inline content whose holder the transaction has read. */
export async function inlineBytesOf(tx: Transaction, contentId: string): Promise<Buffer> {
  const row = await tx.peek(contentRow(contentId))
  // Inline bytes go in the commit that drops their holder: this transaction could not have committed.
  if (row === undefined) throw new StaleReadError()
  return row.value
}

/** A use of a blob: the first one, or one beside another that a checked row has. */
export function holdBlob(tx: Transaction, contentId: string, blob: BlobRef): Extract<SegmentContent, { readonly kind: 'blob' }> {
  tx.put(referenceRow({ kind: 'blob', blobId: blob.blobId }, contentId), referenceInUse)
  return { kind: 'blob', contentId, blob }
}

/** Drops one use of bytes: inline ones at once, blobs and layouts through the collector when nobody else holds them. */
export function drop(context: EngineContext, tx: Transaction, content: Content, graceMs = context.settings.garbageGraceMs): void {
  const dueMs = Math.floor(context.clock.nowMs()) + graceMs
  switch (content.kind) {
    case 'empty':
      return
    case 'inline':
      tx.delete(contentRow(content.contentId))
      return
    case 'blob':
      return release(tx, { kind: 'blob', blobId: content.blob.blobId }, content.contentId, dueMs)
    case 'segments':
    case 'slice':
      return release(tx, { kind: 'layout', layoutId: content.layoutId }, content.contentId, dueMs)
  }
}

function release(tx: Transaction, held: Held, contentId: string, dueMs: number): void {
  tx.put(referenceRow(held, contentId), referenceDropped)
  tx.put(dueRow(dueMs, { kind: 'release', held, contentId }), Buffer.alloc(0))
}

export function corruptContent(contentId: string): EngineError {
  return new EngineError('Corrupt', 'the bytes of an object are gone', { contentId })
}

