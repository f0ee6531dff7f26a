import type { Versioning } from '../engine.ts'
import type { HeadRecord, VersionRecord } from '../records/version-record.ts'

/**
 * What S3's versioning does to the versions of one key, as pure plans over values:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
 *
 * A key has at most one null version. A bucket that is `Unversioned` or `Suspended` writes the null
 * version and replaces the one before, wherever it sits; one that is `Enabled` adds a version.
 * A delete without a version id removes the object (`Unversioned`), or adds a delete marker, which
 * is the null version when `Suspended`. Deleting the latest version promotes the next.
 */
export interface WritePlan {
  /** Whether the new version has an id of its own or is the null version. */
  readonly versionId: 'own' | 'null'
  /** The new version's order stamp. */
  readonly order: number
  /** What happens to the latest version so far. */
  readonly before: 'none' | 'replaced' | 'demoted'
  /** The null version in the history that the new version replaces. */
  readonly replacedOrder: number | undefined
  readonly nullOrder: number | undefined
  readonly hasHistory: boolean
}

/** A new latest version, object or delete marker alike. */
export function planWrite(head: HeadRecord | undefined, versioning: Versioning, nowMs: number): WritePlan {
  const order = nextOrder(head, nowMs)
  const versionId = versioning === 'Enabled' ? 'own' : 'null'
  if (head === undefined) {
    return { versionId, order, before: 'none', replacedOrder: undefined, nullOrder: undefined, hasHistory: false }
  }
  const headIsNull = head.version.versionId === 'null'
  if (versionId === 'null' && headIsNull) {
    return { versionId, order, before: 'replaced', replacedOrder: undefined, nullOrder: undefined, hasHistory: head.hasHistory }
  }
  if (versionId === 'null') {
    return { versionId, order, before: 'demoted', replacedOrder: head.nullOrder, nullOrder: undefined, hasHistory: true }
  }
  const nullOrder = headIsNull ? head.version.order : head.nullOrder
  return { versionId, order, before: 'demoted', replacedOrder: undefined, nullOrder, hasHistory: true }
}

/** What a delete without a version id does. */
export type CurrentDeletePlan =
  | { readonly kind: 'nothing' }
  /** The latest version goes for good. Never with a history: that takes versioning. */
  | { readonly kind: 'remove'; readonly version: VersionRecord }
  | { readonly kind: 'addMarker'; readonly write: WritePlan }

export function planDeleteCurrent(head: HeadRecord | undefined, versioning: Versioning, nowMs: number): CurrentDeletePlan {
  if (versioning !== 'Unversioned') return { kind: 'addMarker', write: planWrite(head, versioning, nowMs) }
  return head === undefined ? { kind: 'nothing' } : { kind: 'remove', version: head.version }
}

/** Where a version of a key is. */
export type VersionPlace = { readonly kind: 'head' } | { readonly kind: 'history'; readonly order: number } | { readonly kind: 'nowhere' }

/** `order` is the stamp that the id holds; undefined for `null` and for what is not an id of ours. */
export function placeOf(head: HeadRecord | undefined, versionId: string, order: number | undefined): VersionPlace {
  if (head === undefined) return { kind: 'nowhere' }
  if (head.version.versionId === versionId) return { kind: 'head' }
  const at = versionId === 'null' ? head.nullOrder : order
  return at === undefined || !head.hasHistory ? { kind: 'nowhere' } : { kind: 'history', order: at }
}

/** The head after its version was deleted: the newest noncurrent one is promoted. */
export function planPromotion(head: HeadRecord, newest: VersionRecord | undefined, moreHistory: boolean): HeadRecord | undefined {
  if (newest === undefined) return undefined
  const nullOrder = newest.versionId === 'null' ? undefined : head.nullOrder
  return { version: newest, nullOrder, hasHistory: moreHistory, pins: 0 }
}

/** The head after a noncurrent version was deleted. */
export function planHistoryDelete(head: HeadRecord, deletedOrder: number, moreHistory: boolean): HeadRecord {
  const nullOrder = head.nullOrder === deletedOrder ? undefined : head.nullOrder
  return { ...head, nullOrder, hasHistory: moreHistory }
}

/** Microseconds that grow with each version, whatever the clock does. */
export function nextOrder(head: HeadRecord | undefined, nowMs: number): number {
  const now = Math.floor(nowMs * 1000)
  return head === undefined ? now : Math.max(now, head.version.order + 1)
}
