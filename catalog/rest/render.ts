import { assert, unreachable } from '../../base/assert.ts'
import { KiB } from '../../base/units.ts'
import { archivedLogText } from '../archive/metadata-log.ts'
import type { FilePart } from '../catalog-store.ts'
import type { CatalogContext } from '../context.ts'
import { CatalogError } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { stringifyJson } from '../json/stringify.ts'
import { readTableFile, readTableMetadata, readViewMetadata, type CachedTable } from '../metadata-cache.ts'
import { readTable, type Warehouse, type MetadataFile } from '../rows/rows.ts'
import { hasReferenced, stringifyTableMetadata } from '../spec/table-text.ts'
import { stringifyViewMetadata } from '../spec/view-metadata.ts'
import { planningResult } from '../scan/scan-plans.ts'
import type { Endpoint } from './endpoints.ts'
import { tableETag } from './etag.ts'
import { tableConfig } from './table-config.ts'
import { planCredentials, storageCredentials, vendCredentials, wantsDelegation, type VendedTable } from './vended-credentials.ts'
import type { OperationInput, Outcome } from './operation.ts'

export interface CatalogResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text; its UTF-8 bytes in pieces; and where it may be long, at the reader's pace. */
  readonly body: string | readonly Uint8Array[] | AsyncIterable<Uint8Array> | undefined
  /** The `type` of an error body, for logs. */
  readonly errorType?: string | undefined
}

export type RenderInput = Pick<OperationInput, 'warehouse' | 'fileIoProperties' | 'headers' | 'sees'>

/** The response to what an operation did. */
export async function render(outcome: Outcome, endpoint: Endpoint, context: CatalogContext, input: RenderInput): Promise<CatalogResponse> {
  switch (outcome.kind) {
    case 'empty':
      return { status: 204, headers: {}, body: undefined }
    case 'notModified':
      return { status: 304, headers: {}, body: undefined }
    case 'json':
      return { status: endpoint.successStatus, headers: outcome.headers ?? {}, body: stringifyJson(outcome.body) }
    case 'staged': {
      const files = await filesOf(context, input, { identifier: outcome.identifier, location: outcome.location, need: needOf(outcome) })
      return { status: 200, headers: {}, body: stringifyJson({ metadata: outcome.metadata, ...files }) }
    }
    case 'table':
      return renderTable(outcome, context, input)
    case 'plan': {
      const result = await planningResult(context, input.warehouse, outcome.identifier, outcome.planId)
      const credentials = await planCredentials(context, input, outcome.identifier)
      return { status: 200, headers: {}, body: stringifyJson({ 'plan-id': outcome.planId, ...result, ...credentials }) }
    }
    case 'view': {
      const metadata = stringifyViewMetadata(await readViewMetadata(context, outcome))
      return { status: 200, headers: {}, body: members({ 'metadata-location': outcome.metadataLocation }, metadata, {}) }
    }
    default:
      return unreachable(outcome)
  }
}

/** The response of an operation that concerns no one warehouse. */
export function renderServer(outcome: Outcome, endpoint: Endpoint): CatalogResponse {
  if (outcome.kind === 'json') return { status: endpoint.successStatus, headers: {}, body: stringifyJson(outcome.body) }
  assert(outcome.kind === 'empty', 'such an operation answers with a body of its own or none')
  return { status: 204, headers: {}, body: undefined }
}

async function renderTable(outcome: Extract<Outcome, { kind: 'table' }>, context: CatalogContext, input: RenderInput): Promise<CatalogResponse> {
  const { file, table } = await readOutcome(outcome, context, input.warehouse)
  const { metadataLocation: location } = file
  const { metadata } = table
  const mode = outcome.mode ?? 'all'
  const before = { 'metadata-location': location }
  const after = outcome.form === 'load' ? await filesOf(context, input, { identifier: outcome.identifier, location: metadata.location, need: needOf(outcome) }) : {}
  const headers: Record<string, string> = outcome.form === 'unregister' ? {} : { etag: tableETag(file, mode) }
  if (mode === 'all' && table.parts !== undefined) return { status: 200, headers, body: await bodyOfParts(context, location, table.parts, membersAround(before, after)) }
  const known = metadata.archived === undefined || hasReferenced(metadata) ? metadata : await readTableMetadata(context, file)
  const archivedFiles = await archivedLogText(context, location, known)
  return { status: 200, headers, body: members(before, stringifyTableMetadata(known, mode, archivedFiles), after) }
}

const needOf = ({ isNew }: { readonly isNew?: true }): VendedTable['need'] => (isNew === true ? 'created' : 'whatever is allowed')

/** `config` and `storage-credentials`. Clients read credentials in either: in `config` those of before storage credentials. */
async function filesOf(context: CatalogContext, input: RenderInput, table: VendedTable): Promise<Readonly<Record<string, Json>>> {
  const credentials = wantsDelegation(input.headers, 'vended-credentials') ? await vendCredentials(context, input, table) : []
  const config = { ...tableConfig(input, table.identifier, context), ...credentials[0]?.config }
  return { config, ...storageCredentials(credentials) }
}

/** Of longer files nobody has all in memory. */
const maxAssembledBytes = 512 * KiB

/** A response with the file's bytes as they are. */
async function bodyOfParts(
  context: CatalogContext, location: string, parts: readonly FilePart[], around: readonly [start: string, end: string],
): Promise<NonNullable<CatalogResponse['body']>> {
  const sizeBytes = parts.reduce((sum, part) => sum + (part.kind === 'own' ? part.bytes.length : part.sizeBytes), 0)
  if (sizeBytes > maxAssembledBytes) return streamed(context, location, around)
  const [start, end] = around
  const pieces: Uint8Array[] = [Buffer.from(start, 'utf8')]
  let fileOffset = 0
  for (const part of parts) {
    if (part.kind === 'own') pieces.push(part.bytes)
    else pieces.push(...(await context.sharedTexts.read(context.store, location, { ...part, fileOffset })))
    fileOffset += part.kind === 'own' ? part.bytes.length : part.sizeBytes
  }
  pieces.push(Buffer.from(end, 'utf8'))
  return pieces
}

async function* streamed({ store }: CatalogContext, location: string, [start, end]: readonly [start: string, end: string]): AsyncGenerator<Uint8Array> {
  yield Buffer.from(start, 'utf8')
  yield* store.readRange(location)
  yield Buffer.from(end, 'utf8')
}

/** A repeated request may come so late that its metadata file is gone: then the table's present state answers it. */
async function readOutcome(
  outcome: Extract<Outcome, { kind: 'table' }>, context: CatalogContext, warehouse: Warehouse,
): Promise<{ file: MetadataFile; table: CachedTable }> {
  try {
    return { file: outcome, table: await readTableFile(context, outcome) }
  } catch (error) {
    if (!(error instanceof CatalogError) || error.code !== 'NotFound') throw error
    const row = await readTable(context.store, warehouse.name, outcome.identifier)
    if (row === undefined || row.metadataLocation === outcome.metadataLocation) throw error
    return { file: row, table: await readTableFile(context, row) }
  }
}

/** An object of small members and one that is text already. */
function members(before: Readonly<Record<string, Json>>, metadata: string, after: Readonly<Record<string, Json>>): string {
  const [start, end] = membersAround(before, after)
  return `${start}${metadata}${end}`
}

function membersAround(before: Readonly<Record<string, Json>>, after: Readonly<Record<string, Json>>): readonly [start: string, end: string] {
  const tail = stringifyJson(after)
  return [`${stringifyJson(before).slice(0, -1)},"metadata":`, tail === '{}' ? '}' : `,${tail.slice(1)}`]
}
