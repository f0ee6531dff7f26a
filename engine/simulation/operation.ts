import type { DeleteResult, Tags, WriteConditions } from '../engine.ts'

/** What a simulated client asks of the engine. */
export type Operation =
  | ({ readonly op: 'put'; readonly content: Piece; readonly conditions?: WriteConditions } & Place)
  | ({ readonly op: 'delete'; readonly versionId?: string; readonly conditions?: Pick<WriteConditions, 'ifMatch'> } & Place)
  | ({ readonly op: 'copy'; readonly source: Place & { readonly versionId?: string }; readonly conditions?: WriteConditions } & Place)
  | ({ readonly op: 'rename'; readonly sourceKey: string } & Place)
  | ({ readonly op: 'append'; readonly offsetBytes: number; readonly content: Piece } & Place)
  | ({ readonly op: 'tag'; readonly versionId?: string; readonly tags: Tags } & Place)
  | { readonly op: 'versioning'; readonly bucket: string; readonly status: 'Enabled' | 'Suspended' }
  | ({ readonly op: 'createUpload' } & Place)
  | ({ readonly op: 'putPart'; readonly uploadId: string; readonly partNumber: number; readonly content: Piece } & Place)
  | ({ readonly op: 'copyPart'; readonly uploadId: string; readonly partNumber: number; readonly source: KnownVersion } & Place)
  | ({ readonly op: 'complete'; readonly uploadId: string; readonly parts: readonly NamedPart[]; readonly conditions?: WriteConditions } & Place)
  | ({ readonly op: 'abort'; readonly uploadId: string } & Place)
  | { readonly op: 'transact'; readonly bucket: string; readonly objects: readonly { readonly key: string; readonly content: Piece }[] }
  /** A transaction's object made of parts: what `sourceKey` shares, between pieces of its own; `shareable` joins what is shared. */
  | ({ readonly op: 'compose'; readonly sourceKey: string; readonly first: Piece; readonly shareable: Piece; readonly last: Piece } & Place)
  | ({ readonly op: 'get'; readonly versionId?: string } & Place)
  /** The versions of one key: a listing shows each key as it was at one time. */
  | ({ readonly op: 'list' } & Place)
  | { readonly op: 'maintain'; readonly what: 'collectGarbage' | 'sweepOrphans' | 'trimOutbox' }

export interface Place {
  readonly bucket: string
  readonly key: string
}

/** A version that a client has made: what its id stands for never changes. */
export interface KnownVersion extends Place {
  readonly versionId: string
  readonly content: Piece
}

export interface NamedPart {
  readonly partNumber: number
  readonly etag: string
}

/** Bytes that tell where they came from. */
export interface Piece {
  readonly name: string
  readonly sizeBytes: number
}

export function bytesOfPiece({ name, sizeBytes }: Piece): Buffer {
  return Buffer.alloc(sizeBytes, `${name};`)
}

export function etagOfPiece({ name, sizeBytes }: Piece): string {
  return `${name}-${sizeBytes}`
}

/** What came of an operation, as far as a client can tell. */
export type Outcome =
  | { readonly kind: 'created'; readonly versionIds: readonly string[] }
  | { readonly kind: 'deleted'; readonly result: DeleteResult }
  | { readonly kind: 'begun'; readonly uploadId: string }
  | { readonly kind: 'part'; readonly etag: string }
  | { readonly kind: 'read'; readonly versionId: string; readonly etag: string; readonly bytes: Buffer }
  | { readonly kind: 'listed'; readonly versionIds: readonly string[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly code: string }

export function describeOutcome(outcome: Outcome): string {
  return JSON.stringify(outcome.kind === 'read' ? { ...outcome, bytes: `${outcome.bytes.length}:${outcome.bytes.toString('latin1', 0, 8)}` } : outcome)
}
