import type { Attributes, Checksum, WriteConditions } from './engine.ts'

/**
 * What a transaction publishes can be made of parts: bytes of the object's own, and bytes that it
 * shares with other objects. Shared bytes never change, are stored once, and stay as long as one
 * object holds on to them. So a large object of which a little changes can be published again, under
 * the same or another key, at the cost of the change.
 *
 * A `sharedId` names a sequence of shared bytes. Sequences only grow: a shareable part that follows
 * the shared bytes at the end of a sequence is put there, any other begins a sequence.
 */
export interface SharedBytes {
  readonly sharedId: string
  readonly offset: number
  readonly sizeBytes: number
}

export type NewPart =
  | { readonly kind: 'own'; readonly bytes: Uint8Array }
  /** Stored so that later objects can share them. */
  | { readonly kind: 'shareable'; readonly bytes: Uint8Array }
  /** Bytes that the current version of `sharedBy` holds. */
  | ({ readonly kind: 'shared' } & SharedBytes)

export interface NewParts {
  /** In order. */
  readonly parts: readonly NewPart[]
  /** The object that holds what is shared; `InvalidPart` unless it does when the transaction commits. */
  readonly sharedBy?: { readonly bucket: string; readonly key: string }
  /** Told, before the commit, what the object is made of. */
  readonly onLinked?: (extents: readonly Extent[]) => void
}

/** A run of an object's bytes. */
export interface Extent {
  readonly sizeBytes: number
  /** Absent: bytes of the object's own. */
  readonly shared?: Omit<SharedBytes, 'sizeBytes'>
}

/** An object that a transaction publishes. */
export interface TransactedPut {
  readonly bucket: string
  readonly key: string
  readonly bytes: Uint8Array | NewParts
  readonly etag: string
  readonly checksums: readonly Checksum[]
  readonly attributes: Attributes
  readonly conditions?: WriteConditions
  /** Absent: the bucket's owner. */
  readonly ownerId?: string
  /** As `pinObject`, from the first moment. */
  readonly pinned?: boolean
}
