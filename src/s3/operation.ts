import type { Bucket, Engine, PutObject, Upload } from '../../engine/index.ts'
import type { ChecksumAlgorithm } from '../checksums/checksum.ts'
import type { Caller } from '../identity/caller.ts'
import type { Authorizer, PlacedNeed } from './authorize.ts'
import type { StorageAdmission, StorageQuota } from './storage-quota.ts'
import type { ObjectOwnership, PublicAccessBlock } from './bucket-access.ts'

/**
 * One S3 operation. `honours` names every member of its input schema that this operation acts on;
 * a request that carries another one is refused before `run` (see `refusals.ts`), so that nothing
 * a client asked for is silently dropped.
 */
export interface Operation<Input extends object, Output extends object> {
  readonly honours: readonly (keyof Input & string)[]
  /** What the request is about. What it needs there is in the table of `src/policy/actions`, and is required before `run`. */
  readonly scope: Scope
  /** `x-amz-checksum-*` headers are about the object that the request makes, not about the request's own body. */
  readonly checksumsOfObject?: true
  run(call: Call<Input>): Promise<Output & Transport>
}

/** What an answer says beside its schema's members. */
export interface Transport {
  /** Instead of the schema's status. */
  readonly $status?: number
  /** Headers that the schema has no member for. */
  readonly $headers?: Readonly<Record<string, string>>
}

/** `service`: no bucket is named; `bucket`: it must exist; `newBucket`: it need not exist. */
export type Scope = 'service' | 'bucket' | 'newBucket'

/** Everything one request brings to its operation. */
export interface Call<Input> {
  readonly input: Input
  readonly bucket: string
  readonly key: string
  readonly caller: Caller
  readonly service: S3Service
  /** The bucket's row as it was when the request was authorized; only under scope `bucket`. */
  readonly bucketRow: Bucket
  /** The request body with its digests, for operations whose payload is a stream. Once only. */
  readonly body: (options?: BodyOptions) => StreamedBody
  /** The Expires header as sent: AWS stores its text. */
  readonly rawExpires: string | undefined
  /** The response-expires parameter as sent. */
  readonly rawResponseExpires: string | undefined
  /** The If-Range header, which is no member of the schema. */
  readonly ifRange: string | undefined
  /** For what only the operation knows it needs (each entry of DeleteObjects, a source's tags). Throws AccessDenied. */
  readonly require: (needs: readonly PlacedNeed[]) => Promise<void>
  /** What the table says of another operation of this request's headers: the needs of one entry. */
  readonly needsOf: (operation: string, key: string, versionId: string | undefined) => readonly PlacedNeed[]
  /** The quota of the bucket's owner. Bodies are held to it by themselves; what is copied is for the operation. */
  readonly storage: StorageAdmission
  /** The absolute URL of an object, in the style of this request. */
  readonly urlOf: (key: string) => string
}

export interface BodyOptions {
  /** The upload whose checksum algorithm the body must have. */
  readonly partOf?: Upload
  /** Algorithms that are computed besides the body's own, and come after it in its digest. */
  readonly also?: readonly ChecksumAlgorithm[]
}

/** A payload that is hashed on its way: `finish` checks what the client claimed and returns what is stored. */
export interface StreamedBody {
  readonly source: AsyncIterable<Uint8Array>
  readonly finish: PutObject['finish']
  /** The decoded length when the client declared one. */
  readonly declaredBytes: number | undefined
}

export interface NewBucketDefaults {
  readonly ownership: ObjectOwnership
  readonly publicAccessBlock: PublicAccessBlock
}

/** What the server is, for all requests. */
export interface S3Service {
  readonly engine: Engine
  /** The region reported to clients: the configured one, else `us-east-1`. */
  readonly region: string
  /** No region is configured: buckets may be asked for in any. */
  readonly anyRegion: boolean
  readonly nowMs: () => number
  /** Owner elements: AWS shows the canonical id. */
  readonly ownerOf: (ownerId: string) => { readonly ID: string; readonly DisplayName?: string }
  readonly authorizer: Authorizer
  readonly storageQuota: StorageQuota
  /** The 12-digit account id of a canonical user id; undefined: no such account. */
  readonly accountIdOf: (ownerId: string) => Promise<string | undefined>
  /** What a new bucket has that asks for nothing else. */
  readonly newBucketDefaults: NewBucketDefaults
}
