import type { CatalogContext } from '../context.ts'
import { CatalogError, errorBody } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { readTableMetadata } from '../metadata-cache.ts'
import { key } from '../rows/keys.ts'
import { decodeRow, type RowReader, type Warehouse } from '../rows/rows.ts'
import type { TableIdentifier } from '../spec/identifier.ts'
import { requireTable } from '../tables.ts'
import { toCatalogError } from '../to-catalog-error.ts'
import { planManifests, readTasks } from './plan.ts'
import { decodeScanRequest, understand } from './scan-request.ts'

/** A plan as it is kept: the request, its snapshot named. Its tasks are read from the manifests each time. */
export interface PlanRow {
  readonly tableUuid: string
  readonly request: Json
  readonly createdAtMs: number
}

/** A scan over more data manifests than this is handed out as plan tasks, this many manifests each. */
const manifestsPerTask = 16

export function planKey(warehouse: string, planId: string): Buffer {
  return key('p', warehouse, planId)
}

/** The plan, when there is such a plan of this table; `missing` names the error otherwise. */
export async function requirePlan(
  reader: RowReader, warehouse: Warehouse, identifier: TableIdentifier, planId: string, missing: 'NoSuchPlanId' | 'NoSuchPlanTask',
): Promise<PlanRow> {
  const { uuid } = await requireTable(reader, warehouse, identifier)
  const bytes = await reader.get(planKey(warehouse.name, planId))
  const row = bytes === undefined ? undefined : decodeRow<PlanRow>(bytes)
  if (row === undefined || row.tableUuid !== uuid) throw new CatalogError(missing, `There is no such plan: ${planId}`)
  return row
}

/** Specification: `CompletedPlanningResult` or `FailedPlanningResult`. */
export async function planningResult(context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, planId: string): Promise<{ readonly [name: string]: Json }> {
  const row = await requirePlan(context.store, warehouse, identifier, planId, 'NoSuchPlanId')
  try {
    const { metadata, scan, manifests } = await open(context, warehouse, identifier, row)
    if (manifests.data.length <= manifestsPerTask) return { status: 'completed', ...(await readTasks(context.store, metadata, scan, manifests)) }
    const count = Math.ceil(manifests.data.length / manifestsPerTask)
    return { status: 'completed', 'plan-tasks': Array.from({ length: count }, (_, index) => `${planId}.${index}`) }
  } catch (error) {
    const known = toCatalogError(error)
    if (known.status >= 500) throw error
    return { status: 'failed', error: { ...errorBody(known).error } }
  }
}

/** Specification: `FetchScanTasksResult`. `NoSuchPlanTask` for what is none of ours, or too old. */
export async function planTaskResult(context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, planTask: string): Promise<Json> {
  const match = /^([0-9a-f-]{36})\.(\d{1,6})$/.exec(planTask)
  const row = await requirePlan(context.store, warehouse, identifier, match?.[1] ?? '', 'NoSuchPlanTask')
  const { metadata, scan, manifests } = await open(context, warehouse, identifier, row)
  const from = Number(match?.[2]) * manifestsPerTask
  if (from >= manifests.data.length) throw new CatalogError('NoSuchPlanTask', `There is no such plan task: ${planTask}`)
  return readTasks(context.store, metadata, scan, { ...manifests, data: manifests.data.slice(from, from + manifestsPerTask) })
}

async function open(context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, row: PlanRow) {
  const { metadataLocation } = await requireTable(context.store, warehouse, identifier)
  const metadata = await readTableMetadata(context, metadataLocation)
  const scan = understand(decodeScanRequest(row.request, ''), metadata)
  return { metadata, scan, manifests: await planManifests(context.store, metadata, scan) }
}
