import type { Transaction } from './metadata/transact.ts'
import type { Extent, TransactedPut } from './shared-parts.ts'
import type { UsageChange, UsageCounting } from './usage/usage.ts'

/**
 * Engine: the object store as a library. No HTTP, XML, signatures, policies or Iceberg in here.
 *
 * Every mutation has one commit point: the engine stages bytes first (invisible), then makes one
 * metadata commit that checks the conditions, publishes the version, records what became garbage
 * and appends the event to the outbox. A promise that resolves means: durable and visible.
 * Errors are `EngineError` with a closed code.
 */
export interface Engine extends UsageCounting {
  createBucket(input: CreateBucket): Promise<Bucket>
  /** `NoSuchBucket` when there is none. */
  headBucket(bucket: string): Promise<Bucket>
  /** `BucketNotEmpty` while it has a version, a delete marker or an upload under way. */
  deleteBucket(bucket: string): Promise<void>
  /** In name order, `limit` at most, names greater than `after`. */
  listBuckets(page: { readonly prefix?: string; readonly after?: string; readonly limit: number }): Promise<Bucket[]>
  setVersioning(bucket: string, versioning: 'Enabled' | 'Suspended'): Promise<void>
  /** A bucket's configuration documents (tagging, CORS, policy…), opaque to the engine, by name. */
  getBucketDocument(bucket: string, name: string): Promise<Buffer | undefined>
  putBucketDocument(bucket: string, name: string, document: Uint8Array): Promise<void>
  deleteBucketDocument(bucket: string, name: string): Promise<void>

  /**
   * Stores `body` as the key's newest version. `finish` is called once the body has been consumed
   * and returns its ETag and checksums; when it (or the body) throws, nothing is stored.
   */
  putObject(input: PutObject): Promise<PutResult>
  /** The version's record and a way to read it. `versionId` absent: the current version. */
  getObject(input: GetObject): Promise<ObjectReader>
  /** As `getObject`, without a way to the bytes: for HEAD. */
  headObject(input: GetObject): Promise<ObjectHead>
  /** Deletes the current version (or adds a delete marker), or one version for good. */
  deleteObject(input: DeleteObject): Promise<DeleteResult>
  /**
   * A new version made of another's bytes, in one commit and without moving them.
   * `attributes` absent: the source's.
   */
  copyObject(input: CopyObject): Promise<PutResult & { readonly source: ObjectVersion }>
  /**
   * Appends to the current version in one commit (`offsetBytes` must equal its size, else
   * `InvalidWriteOffset`; 0 with no object creates it). A new version where versioning is enabled.
   */
  appendObject(input: AppendObject): Promise<PutResult>
  /** Moves the current version to another key of the bucket in one commit, bytes untouched. */
  renameObject(input: RenameObject): Promise<PutResult>
  /** Replaces a version's tags in place. */
  putTags(input: ObjectId & { readonly tags: Tags }): Promise<ObjectVersion>
  /** Changes a version's attributes in place; `amend` is pure and may run again. Errors as `putTags`. */
  amendAttributes(input: ObjectId & { readonly amend: (version: ObjectVersion) => Attributes }): Promise<ObjectVersion>

  createUpload(input: CreateUpload): Promise<Upload>
  putPart(input: PutPart): Promise<Part>
  /** A part made of a range of an object. */
  copyPart(input: CopyPart): Promise<Part>
  /**
   * Links the named parts into a version in one commit; no bytes move. Upload rows outlive
   * completion: repeating a completed request (the same parts) returns the same answer.
   */
  completeUpload(input: CompleteUpload): Promise<PutResult>
  /** `NoSuchUpload` when it is gone or completed. */
  abortUpload(upload: UploadId): Promise<void>
  getUpload(upload: UploadId): Promise<Upload>
  listParts(input: UploadId & { readonly after: number; readonly limit: number }): Promise<{ parts: Part[]; truncated: boolean }>
  listUploads(input: ListUploads): Promise<UploadListing>

  /** Current versions in UTF-8 byte order; delete markers hide their keys. */
  listObjects(input: ListObjects): Promise<ObjectListing>
  listVersions(input: ListVersions): Promise<VersionListing>

  /**
   * Events in commit order after `cursor` (`undefined`: from the oldest kept). `cursor` in the answer
   * is the last event's, to be saved once it has been dealt with. `missedEvents`: the outbox was
   * trimmed past `cursor`, so events that this consumer never saw are gone for good.
   */
  readOutbox(input: { readonly cursor: string | undefined; readonly limit: number }): Promise<OutboxPage>
  saveCursor(consumer: string, cursor: string): Promise<void>
  loadCursor(consumer: string): Promise<string | undefined>

  /**
   * Background work, one bounded round each; idempotent, safe to run on any worker at any time.
   * `collectGarbage` deletes blobs that no row refers to once the grace period has passed;
   * `trimOutbox` drops events that every consumer has passed or that are over the bound.
   */
  collectGarbage(): Promise<{ deletedBlobs: number }>
  /** Finds blobs that a crash left behind: a full walk of the blob store against the references. */
  sweepOrphans(): Promise<{ deletedBlobs: number }>
  trimOutbox(): Promise<{ deletedEvents: number }>

  /**
   * For the adapters that join other rows with objects in one commit (the Iceberg catalog, IAM):
   * runs `body` over one optimistic transaction. Keys of theirs live under `extensionPrefix`.
   */
  transact<T>(body: (tx: EngineTransaction) => Promise<T>): Promise<T>
  readonly extensions: ExtensionReader
  close(): Promise<void>
}

/** Rows that are not the engine's own. `key` is relative: the engine adds its extension prefix. */
export interface ExtensionReader {
  get(key: Uint8Array): Promise<Buffer | undefined>
  list(range: { readonly start: Uint8Array; readonly end: Uint8Array; readonly limit: number; readonly reverse?: boolean }): Promise<{ key: Buffer; value: Buffer }[]>
}

export interface EngineTransaction {
  /** Extension rows: as `Transaction`, under the extension prefix. */
  readonly extensions: Pick<Transaction, 'get' | 'put' | 'delete' | 'requireEmpty'> & ExtensionReader
  /** The current version of a key, checked: the commit fails if it changes. */
  headObject(id: { readonly bucket: string; readonly key: string }): Promise<ObjectVersion | undefined>
  /** What the current version of a key is made of, checked as `headObject` is; `NoSuchKey`. */
  extentsOf(id: { readonly bucket: string; readonly key: string }): Promise<readonly Extent[]>
  /** Publishes bytes as the newest version of a key together with everything else in the commit. */
  putObject(input: TransactedPut): Promise<ObjectVersion>
  /**
   * One holder more of the key's current version: while it has one, every write and delete of it is
   * `Pinned`, whoever asks; its tags and the key's older versions stay free. `NoSuchKey`.
   */
  pinObject(id: { readonly bucket: string; readonly key: string }): Promise<ObjectVersion>
  /** One holder less; nothing when it has none, or there is no such object. */
  unpinObject(id: { readonly bucket: string; readonly key: string }): Promise<void>
  /** `Pinned`. */
  deleteObject(id: { readonly bucket: string; readonly key: string }): Promise<void>
  /** Appends an event of the adapter's own to the outbox. */
  emit(event: { readonly type: string; readonly subject: string; readonly detail: unknown }): void
}

// ---- buckets

export interface Bucket {
  readonly name: string
  /** 16 hex digits; another bucket of the same name later has another id. */
  readonly bucketId: string
  /** The owner's 64-hex canonical user id. */
  readonly ownerId: string
  readonly region: string
  readonly createdAtMs: number
  readonly versioning: Versioning
  /** Changes with every change of the bucket's documents: what is made of them can be kept under it. 0: it never had any. */
  readonly documentsRevision: number
}

/** A bucket that was never versioned cannot be told from AWS's "no status". */
export type Versioning = 'Unversioned' | 'Enabled' | 'Suspended'

export interface CreateBucket {
  readonly bucket: string
  readonly ownerId: string
  readonly region: string
  readonly versioning?: 'Enabled' | 'Suspended'
  /** Configuration documents that exist from the first moment, by name. */
  readonly documents?: Readonly<Record<string, Uint8Array>>
  /** `TooManyBuckets` when its owner has so many already. */
  readonly mostBuckets?: number
}

// ---- objects and versions

export interface ObjectId {
  readonly bucket: string
  readonly key: string
  /** Absent: the current version. `null`: the null version. */
  readonly versionId?: string
}

/** One version of a key: an object or a delete marker. */
export type Version = ObjectVersion | DeleteMarker

export interface ObjectVersion extends VersionHead {
  readonly kind: 'object'
  readonly sizeBytes: number
  /** Without quotes: hex MD5, or hex MD5 of MD5s with `-N`. */
  readonly etag: string
  readonly checksums: readonly Checksum[]
  readonly attributes: Attributes
  readonly tags: Tags
  /** Sizes and checksums of the parts of a multipart object are read with `ObjectReader.parts`. */
  readonly partsCount: number | undefined
}

export interface DeleteMarker extends VersionHead {
  readonly kind: 'deleteMarker'
}

export interface VersionHead {
  readonly key: string
  /** `null` for the null version, else 32 lower-case letters and digits that sort newest first. */
  readonly versionId: string
  readonly lastModifiedMs: number
  readonly ownerId: string
}

/** What a client set and gets back: the engine stores it and never interprets it. */
export interface Attributes {
  /** Header name in lower case (`content-type`, `cache-control`, …) to value. */
  readonly headers: Readonly<Record<string, string>>
  /** `x-amz-meta-` names in lower case, without the prefix. */
  readonly userMetadata: Readonly<Record<string, string>>
  readonly storageClass: string
}

export type Tags = Readonly<Record<string, string>>

export interface Checksum {
  /** As AWS spells it: CRC32, CRC32C, CRC64NVME, SHA1, SHA256, … */
  readonly algorithm: string
  readonly type: 'FULL_OBJECT' | 'COMPOSITE'
  /** Base64; COMPOSITE values carry their `-N`. */
  readonly value: string
}

export interface WriteConditions {
  /** ETags without quotes, or `*`. No object: `NoSuchKey`; no match: `PreconditionFailed`. */
  readonly ifMatch?: readonly string[]
  /** ETags without quotes, or `*`: `PreconditionFailed` on a match. */
  readonly ifNoneMatch?: readonly string[]
  readonly ifMatchSizeBytes?: number
  readonly ifMatchLastModifiedMs?: number
}

export interface Digest {
  readonly etag: string
  readonly checksums: readonly Checksum[]
}

export interface PutObject {
  readonly bucket: string
  readonly key: string
  readonly body: AsyncIterable<Uint8Array>
  readonly finish: (sizeBytes: number) => Digest | Promise<Digest>
  readonly attributes: Attributes
  readonly tags?: Tags
  readonly conditions?: WriteConditions
  readonly ownerId: string
}

export interface AppendObject extends Omit<PutObject, 'finish'> {
  readonly offsetBytes: number
  /** Pure: the whole object's ETag and checksums from the version before and the appended bytes. */
  readonly finish: (before: ObjectVersion | undefined, appendedBytes: number) => Digest
}

export interface RenameObject {
  readonly bucket: string
  readonly sourceKey: string
  readonly key: string
  readonly sourceConditions?: WriteConditions
  readonly conditions?: WriteConditions
  /** Evaluated on the source and on what the destination's key holds; throw to refuse. */
  readonly admit?: (source: ObjectVersion, destination: ObjectVersion | undefined) => void
  /** Repeating a rename under the same token answers as the first did; another rename under it is `IdempotencyParameterMismatch`. */
  readonly clientToken?: string
  readonly ownerId: string
}

export interface PutResult {
  readonly version: ObjectVersion
  /** The bucket's state at the commit: a version id is shown to clients unless `Unversioned`. */
  readonly versioning: Versioning
}

export type GetObject = ObjectId

/**
 * A latest version that is a delete marker is `NoSuchKey` with `detail.deleteMarker` `true` and its
 * `versionId`; a delete marker that was asked for by its id is `IsDeleteMarker`.
 */
export interface ObjectHead {
  readonly version: ObjectVersion
  readonly versioning: Versioning
  /** All parts of a multipart object, in order; empty for one that is not. */
  parts(): Promise<readonly Part[]>
  /** What is the object's own and what it shares with others, in order. */
  extents(): Promise<readonly Extent[]>
}

export interface ObjectReader extends ObjectHead {
  /** All bytes of this version where they are at hand, verified: what `read` would yield. */
  readonly bytes?: Buffer
  /**
   * The bytes `offset … offset + length - 1` of this version, verified; within the object (`InvalidRange`).
   * A yielded buffer is the consumer's until it asks for the next one: then it is filled again.
   */
  read(range: { readonly offset: number; readonly length: number }): AsyncIterable<Buffer>
}

export interface DeleteObject extends ObjectId {
  /** `ifMatch` and its two companions; a missing key is `NoSuchKey`, a delete marker on top `PreconditionFailed`. */
  readonly conditions?: Omit<WriteConditions, 'ifNoneMatch'>
  readonly ownerId: string
}

/** What a delete did. Deleting what is not there succeeds, as in S3. */
export type DeleteResult =
  | { readonly did: 'nothing' }
  /** The object is gone for good; `versionId` when the bucket has ever been versioned. */
  | { readonly did: 'deletedVersion'; readonly versionId: string | undefined }
  | { readonly did: 'deletedMarker'; readonly versionId: string }
  | { readonly did: 'createdMarker'; readonly versionId: string }

export interface CopyObject {
  readonly source: ObjectId
  /** Evaluated on the source's version before anything else; throw to refuse. */
  readonly admit?: (source: ObjectVersion) => void
  readonly bucket: string
  readonly key: string
  /** Absent: the source's, through `amend` when that is given. */
  readonly attributes?: Attributes
  readonly amend?: (source: Attributes) => Attributes
  /** Absent: the source's. */
  readonly checksums?: readonly Checksum[]
  readonly tags?: Tags
  readonly conditions?: WriteConditions
  readonly ownerId: string
}

// ---- multipart uploads

export interface UploadId {
  readonly bucket: string
  readonly key: string
  readonly uploadId: string
}

export interface CreateUpload {
  readonly bucket: string
  readonly key: string
  readonly attributes: Attributes
  readonly tags?: Tags
  readonly checksum?: { readonly algorithm: string; readonly type: 'FULL_OBJECT' | 'COMPOSITE' }
  readonly ownerId: string
}

export interface Upload extends UploadId {
  readonly initiatedMs: number
  readonly ownerId: string
  readonly attributes: Attributes
  readonly tags: Tags
  readonly checksum: { readonly algorithm: string; readonly type: 'FULL_OBJECT' | 'COMPOSITE' } | undefined
}

export interface PutPart extends UploadId {
  readonly partNumber: number
  readonly body: AsyncIterable<Uint8Array>
  readonly finish: (sizeBytes: number) => Digest | Promise<Digest>
}

export interface CopyPart extends UploadId {
  readonly partNumber: number
  readonly source: ObjectId
  readonly range?: { readonly offset: number; readonly length: number }
  readonly admit?: (source: ObjectVersion) => void
  /** Bytes of the range pass through here, to compute the part's digest. */
  readonly digest: () => { update(bytes: Uint8Array): void; finish(sizeBytes: number): Digest | Promise<Digest> }
}

export interface Part {
  readonly partNumber: number
  readonly sizeBytes: number
  readonly etag: string
  readonly checksums: readonly Checksum[]
  readonly lastModifiedMs: number
}

export interface CompleteUpload extends UploadId {
  /** In the order given; `InvalidPartOrder` unless ascending, `InvalidPart` on a wrong ETag or number. */
  readonly parts: readonly { readonly partNumber: number; readonly etag: string; readonly checksums?: readonly { algorithm: string; value: string }[] }[]
  /** Pure: the object's ETag and checksums from its parts'. It may throw to refuse (BadDigest). */
  readonly combine: (parts: readonly Part[], upload: Upload) => Digest
  readonly minimumPartBytes: number
  readonly expectedSizeBytes?: number
  readonly conditions?: WriteConditions
  readonly ownerId: string
}

// ---- listings

export interface ListObjects {
  readonly bucket: string
  readonly prefix?: string
  /** One or more characters; keys that share what comes up to it (after the prefix) are one common prefix. */
  readonly delimiter?: string
  /** Keys (and common prefixes) strictly greater than this. */
  readonly after?: string
  readonly limit: number
}

export interface ObjectListing {
  /** Objects and common prefixes merged in byte order; together at most `limit`. */
  readonly entries: readonly (ObjectVersion | CommonPrefix)[]
  readonly truncated: boolean
}

export interface CommonPrefix {
  readonly kind: 'commonPrefix'
  readonly prefix: string
}

export interface ListVersions {
  readonly bucket: string
  readonly prefix?: string
  readonly delimiter?: string
  readonly keyMarker?: string
  /** With `keyMarker` only: versions of that key older than this one, then the keys after it. */
  readonly versionIdMarker?: string
  readonly limit: number
}

export interface VersionListing {
  readonly entries: readonly ((Version & { readonly isLatest: boolean }) | CommonPrefix)[]
  readonly truncated: boolean
}

export interface ListUploads {
  readonly bucket: string
  readonly prefix?: string
  readonly delimiter?: string
  readonly keyMarker?: string
  readonly uploadIdMarker?: string
  readonly limit: number
}

export interface UploadListing {
  readonly entries: readonly (({ readonly kind: 'upload' } & Upload) | CommonPrefix)[]
  readonly truncated: boolean
}

// ---- events

export interface OutboxEvent {
  /** `ObjectCreated:Put`, `ObjectCreated:Copy`, `ObjectRemoved:Delete`, `BucketCreated`, `iceberg:…` */
  readonly type: string
  readonly atMs: number
  /** `bucket/key` or an adapter's own name for what changed. */
  readonly subject: string
  readonly detail: unknown
  /** What its commit changed of what is stored. Absent: nothing. */
  readonly usage?: readonly UsageChange[]
}

export interface OutboxPage {
  readonly events: readonly OutboxEvent[]
  readonly cursor: string | undefined
  readonly missedEvents: boolean
}

// ---- errors

export type EngineErrorCode =
  | 'NoSuchBucket'
  | 'BucketAlreadyExists'
  | 'BucketNotEmpty'
  | 'TooManyBuckets'
  | 'NoSuchKey'
  | 'NoSuchVersion'
  /** The version asked for is a delete marker. */
  | 'IsDeleteMarker'
  | 'NoSuchUpload'
  | 'InvalidPart'
  | 'InvalidPartOrder'
  | 'EntityTooSmall'
  /** `expectedSizeBytes` differs from what the parts add up to. */
  | 'SizeMismatch'
  | 'PreconditionFailed'
  /** The current version has a holder (`EngineTransaction.pinObject`): it cannot be replaced or deleted. */
  | 'Pinned'
  | 'InvalidRange'
  | 'InvalidWriteOffset'
  /** A client token that was given with another request before. */
  | 'IdempotencyParameterMismatch'
  /** Too many writers on one key; nothing changed; try again. */
  | 'Contention'
  | 'StorageFull'
  /** Fewer drives can be written than a write needs; nothing changed; try again. */
  | 'Unwritable'
  /** Fewer drives can be read than the bytes need; try again. */
  | 'Unreadable'
  /** Stored bytes fail their checksum, or are gone. */
  | 'Corrupt'
  /** The commit may or may not have happened. */
  | 'OutcomeUnknown'
  | 'Io'

export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly code: EngineErrorCode
  /** What the protocol's error body names: the key's delete marker, the part number, … */
  readonly detail: Readonly<Record<string, string>>

  constructor(code: EngineErrorCode, message: string, detail: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.detail = detail
  }
}
