import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { ArchiveIndexes } from './archive/archive-index.ts'
import type { SharedTexts } from './archive/shared-texts.ts'
import type { CatalogStore } from './catalog-store.ts'
import type { MetadataCache } from './metadata-cache.ts'
import type { TableLocations } from './table-locations.ts'
import type { Turns } from './turns.ts'
import type { CommitsTogether } from './rest/commits-together.ts'
import type { Endpoint } from './rest/endpoints.ts'
import type { Warehouse } from './rows/rows.ts'
import type { Namespace, TableIdentifier } from './spec/identifier.ts'

/** What every operation of one catalog shares. */
export interface CatalogContext {
  readonly store: CatalogStore
  readonly clock: Clock
  readonly random: Random
  readonly settings: CatalogSettings
  readonly authorize: Authorize
  readonly cache: MetadataCache
  readonly archiveIndexes: ArchiveIndexes
  readonly sharedTexts: SharedTexts
  readonly turns: Turns
  readonly commits: CommitsTogether
  readonly buckets: Buckets
  readonly signer: RequestSigner
  readonly checkPolicy: CheckPolicy
  readonly locations: TableLocations
  /** Makes credentials for the files of the request's caller; undefined: none are vended. */
  readonly vend: VendCredentials | undefined
  /** The operations that work: what the configuration advertises. */
  readonly endpoints: readonly Endpoint[]
}

/** The files of one table. */
export interface TableFiles {
  readonly bucket: string
  /** Ends in a slash, and is not one alone. */
  readonly prefix: string
  readonly access: 'read' | 'write'
}

export interface VendedCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAtMs: number
}

/** Short-lived credentials for exactly these files. Undefined: this caller gets none. */
export type VendCredentials = (files: TableFiles) => Promise<VendedCredentials | undefined>

/** What making a warehouse needs of the object store. */
export interface Buckets {
  /** The bucket is there and the caller's, or is created for it; `Forbidden` when it is another's. */
  ensureBucket(bucket: string, caller: Caller): Promise<void>
}

/** A storage request that a client wants signed. Specification: `RemoteSignRequest`. */
export interface SigningRequest {
  readonly region: string
  readonly uri: string
  readonly method: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** Of requests that name their objects in the body. */
  readonly body: string | undefined
}

export interface RequestSigner {
  /** Signs with the caller's own rights; `Forbidden` unless every object that the request is for is allowed. */
  sign(request: SigningRequest, isAllowed: (bucket: string, key: string) => boolean): Promise<{ readonly uri: string; readonly headers: Readonly<Record<string, readonly string[]>> }>
}

export interface CatalogSettings {
  /** How long a request may be repeated under its idempotency key. */
  readonly idempotencyLifetimeMs: number
  /** So much text of a table's newest snapshots is written again by each commit, at most; half of that of its log. */
  readonly ownListBytes?: number
}

/** Who asks. */
export interface Caller {
  /** 12 digits. */
  readonly accountId: string
  /** Who it is whatever the key: a session that is renewed has the same. Idempotency keys are scoped to it. */
  readonly principalId: string
  readonly isRoot: boolean
}

/** What a caller wants to do, named by the operation of the REST specification. */
export interface Access {
  readonly caller: Caller
  readonly operationId: string
  /** Of a warehouse that is to be made, what it will be. */
  readonly warehouse: Pick<Warehouse, 'name' | 'bucket' | 'ownerAccountId' | 'policy'>
  /** Everything that it reads, changes or makes; the caller must be allowed all of it. Throws `BadRequest`. */
  readonly targets: () => readonly Target[]
  /** What is kept of a table or view. Undefined: it is neither, or not there. */
  readonly entityOf: (target: Target) => Promise<Entity | undefined>
  /** The tags that the request sets or takes away. */
  readonly changedTags: () => ChangedTags | undefined
  /** The views through which the entity is reached, as far as they can be believed. */
  readonly referencedBy: () => Promise<readonly TableIdentifier[]>
  /** The metadata file that is registered. */
  readonly registerLocation: string | undefined
  /** The storage request that is to be signed is not a read. */
  readonly isWrite: boolean
}

export interface Entity {
  readonly uuid: string
  readonly tags?: Readonly<Record<string, string>>
  /** A resource policy as it was put. */
  readonly policy?: string
}

export interface ChangedTags {
  readonly names: readonly string[]
  /** Absent: they are taken away. */
  readonly values?: Readonly<Record<string, string>>
}

/** What a resource policy is put on: a warehouse, or a table in it. */
export interface PolicyPlace {
  readonly warehouse: string
  readonly table?: TableIdentifier & { readonly uuid: string }
}

/** Throws `BadRequest` unless the text is a policy that can be about the place. */
export type CheckPolicy = (text: string, place: PolicyPlace) => void

export interface Target {
  readonly kind: 'warehouse' | 'namespace' | 'table' | 'view' | 'function'
  /** `created`: the request makes it. */
  readonly role: 'itself' | 'created'
  /** Empty for a warehouse, and where only the uuid is known. */
  readonly namespace: Namespace
  readonly name: string | undefined
  readonly uuid?: string
}

export type Authorize = (access: Access) => boolean | Promise<boolean>

/** Without policies: a warehouse belongs to its owner account and to root. */
export const ownerOnly: Authorize = ({ caller, warehouse }) => caller.isRoot || caller.accountId === warehouse.ownerAccountId
