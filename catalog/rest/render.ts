import { assert, unreachable } from '../../base/assert.ts'
import type { CatalogContext } from '../context.ts'
import { CatalogError } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { stringifyJson } from '../json/stringify.ts'
import { readTableMetadata, readViewMetadata } from '../metadata-cache.ts'
import { readTable, type Warehouse } from '../rows/rows.ts'
import { stringifyTableMetadata, type TableMetadata } from '../spec/table-metadata.ts'
import { stringifyViewMetadata } from '../spec/view-metadata.ts'
import { planningResult } from '../scan/scan-plans.ts'
import type { Endpoint } from './endpoints.ts'
import { tableETag } from './etag.ts'
import { tableConfig } from './table-config.ts'
import type { OperationInput, Outcome } from './operation.ts'

export interface CatalogResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body: string | undefined
  /** The `type` of an error body, for logs. */
  readonly errorType?: string | undefined
}

export type RenderInput = Pick<OperationInput, 'warehouse' | 'fileIoProperties' | 'headers'>

/** The response to what an operation did. */
export async function render(outcome: Outcome, endpoint: Endpoint, context: CatalogContext, input: RenderInput): Promise<CatalogResponse> {
  switch (outcome.kind) {
    case 'empty':
      return { status: 204, headers: {}, body: undefined }
    case 'notModified':
      return { status: 304, headers: {}, body: undefined }
    case 'json':
      return { status: endpoint.successStatus, headers: outcome.headers ?? {}, body: stringifyJson(outcome.body) }
    case 'table':
      return renderTable(outcome, context, input)
    case 'plan': {
      const result = await planningResult(context, input.warehouse, outcome.identifier, outcome.planId)
      return { status: 200, headers: {}, body: stringifyJson({ 'plan-id': outcome.planId, ...result }) }
    }
    case 'view': {
      const metadata = stringifyViewMetadata(await readViewMetadata(context, outcome.metadataLocation))
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
  const { location, metadata } = await readOutcome(outcome, context, input.warehouse)
  const mode = outcome.mode ?? 'all'
  const extra: Record<string, Json> = outcome.form === 'load' ? { config: tableConfig(input, outcome.identifier, context) } : {}
  return {
    status: 200,
    headers: outcome.form === 'unregister' ? {} : { etag: tableETag(location, mode) },
    body: members({ 'metadata-location': location }, stringifyTableMetadata(metadata, mode), extra),
  }
}

/** A repeated request may come so late that its metadata file is gone: then the table's present state answers it. */
async function readOutcome(
  { identifier, metadataLocation }: Extract<Outcome, { kind: 'table' }>, context: CatalogContext, warehouse: Warehouse,
): Promise<{ location: string; metadata: TableMetadata }> {
  try {
    return { location: metadataLocation, metadata: await readTableMetadata(context, metadataLocation) }
  } catch (error) {
    if (!(error instanceof CatalogError) || error.code !== 'NotFound') throw error
    const row = await readTable(context.store, warehouse.name, identifier)
    if (row === undefined || row.metadataLocation === metadataLocation) throw error
    return { location: row.metadataLocation, metadata: await readTableMetadata(context, row.metadataLocation) }
  }
}

/** An object of small members and one that is text already. */
function members(before: Readonly<Record<string, Json>>, metadata: string, after: Readonly<Record<string, Json>>): string {
  const tail = stringifyJson(after)
  return `${stringifyJson(before).slice(0, -1)},"metadata":${metadata}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`
}
