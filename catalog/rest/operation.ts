import { badRequest } from '../errors.ts'
import { JsonShapeError, type Decoder } from '../json/decode.ts'
import type { Json } from '../json/json.ts'
import type { CatalogTransaction } from '../catalog-store.ts'
import type { Caller, CatalogContext } from '../context.ts'
import type { Warehouse, MetadataFile } from '../rows/rows.ts'
import type { CommitRequest } from './commits-together.ts'
import type { RequestRights } from './request-rights.ts'
import { checkIdentifier, parseNamespaceText, type Namespace, type TableIdentifier } from '../spec/identifier.ts'
import type { SnapshotMode } from '../spec/table-metadata.ts'

/** One request, its path, query and body already taken apart. */
export interface OperationInput {
  readonly warehouse: Warehouse
  /** Path parameters, decoded: `namespace`, `table`, `view`, … */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Json | undefined
  readonly caller: Caller
  readonly fileIoProperties: FileIoProperties
  /** Whether the caller may do `operationId` to something else than the request's own: what listings show. */
  readonly sees: RequestRights['sees']
}

/**
 * What clients need to reach the files: `s3.endpoint`, `s3.path-style-access`, `s3.region`,
 * `client.region`. Sent with the configuration and with every table; no secrets.
 */
export type FileIoProperties = Readonly<Record<string, string>>

/**
 * What an operation did, small enough to be kept as an idempotency record: tables and views are
 * named by their metadata file and rendered afterwards. `isNew`: by this very request, not by one that it repeats.
 */
export type Outcome =
  | { readonly kind: 'empty' }
  | { readonly kind: 'notModified' }
  | { readonly kind: 'json'; readonly body: Json; readonly headers?: Readonly<Record<string, string>> }
  | (MetadataFile & { readonly kind: 'table'; readonly identifier: TableIdentifier; readonly form: TableForm; readonly mode?: SnapshotMode; readonly isNew?: true })
  /** A table that a commit is to create: where its first files go; configuration and credentials are made anew for each answer. */
  | { readonly kind: 'staged'; readonly identifier: TableIdentifier; readonly location: string; readonly metadata: Json; readonly isNew?: true }
  | { readonly kind: 'plan'; readonly identifier: TableIdentifier; readonly planId: string }
  | (MetadataFile & { readonly kind: 'view'; readonly identifier: TableIdentifier })

/** `LoadTableResult`, `CommitTableResponse` or `UnregisterTableResult`. */
export type TableForm = 'load' | 'commit' | 'unregister'

/** Reads only. */
export interface Query {
  readonly kind: 'query'
  run(input: OperationInput, context: CatalogContext): Promise<Outcome>
}

/**
 * Changes the catalog in one transaction. `prepare` reads the request; what it returns runs within
 * the transaction, again on every attempt, and must therefore be repeatable.
 */
export interface Mutation {
  readonly kind: 'mutation'
  /** Names of what the operation changes and others change at the same time: those with one in common run one after the other. */
  turnsOf?(input: OperationInput): readonly string[]
  prepare(input: OperationInput, context: CatalogContext): (tx: CatalogTransaction) => Promise<Outcome>
  /** Of a commit to one table that is there: several of them may share a transaction. Throws `BadRequest`. */
  commitOf?(input: OperationInput): Pick<CommitRequest, 'identifier' | 'commit'> | undefined
}

export type Operation = Query | Mutation

export function namespaceOf(input: OperationInput): Namespace {
  return parseNamespaceText(input.path['namespace'] ?? '')
}

export function tableOf(input: OperationInput): TableIdentifier {
  return identifierOf(input, 'table')
}

export function viewOf(input: OperationInput): TableIdentifier {
  return identifierOf(input, 'view')
}

export function identifierOf(input: OperationInput, member: 'table' | 'view' | 'function'): TableIdentifier {
  const identifier = { namespace: namespaceOf(input), name: input.path[member] ?? '' }
  checkIdentifier(identifier)
  return identifier
}

/** The request's body through its decoder; `BadRequest` when it has another shape. */
export function decodeBody<T>(decode: Decoder<T>, input: OperationInput): T {
  if (input.body === undefined) throw badRequest('Malformed request: the body is missing')
  return decodeRequest(decode, input.body)
}

export function decodeRequest<T>(decode: Decoder<T>, body: Json): T {
  try {
    return decode(body, '')
  } catch (error) {
    if (error instanceof JsonShapeError) throw badRequest(error.message)
    throw error
  }
}

/** `true` and `false` in a query, in any case. */
export function booleanQuery(input: OperationInput, name: string): boolean {
  const value = input.query[name]?.toLowerCase()
  if (value === undefined || value === 'false' || value === '') return false
  if (value === 'true') return true
  throw badRequest(`Invalid ${name}: ${value}`)
}
