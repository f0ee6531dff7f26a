import type { CatalogContext } from '../context.ts'
import { CatalogError, errorBody } from '../errors.ts'
import type { Json } from '../json/json.ts'
import { key } from '../rows/keys.ts'
import { decodeRow, type RowReader, type Warehouse } from '../rows/rows.ts'
import type { TableIdentifier } from '../spec/identifier.ts'
import type { TableMetadata } from '../spec/table-metadata.ts'
import { requireTable } from '../tables.ts'
import { toCatalogError } from '../to-catalog-error.ts'
import type { ManifestFiles } from './manifests.ts'
import { planManifests, readTasks } from './plan.ts'
import { readScanMetadata } from './scan-metadata.ts'
import { decodeScanRequest, understand, type Scan } from './scan-request.ts'

/** A plan as it is kept: the request, its snapshot named. Its tasks are read from the manifests each time. */
export interface PlanRow {
  readonly tableUuid: string
  readonly request: Json
  readonly createdAtMs: number
}

/** A scan over more data manifests (or snapshots) than this is handed out as plan tasks, this many each. */
const partsPerTask = 16

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

/**
 * Specification: `CompletedPlanningResult` or `FailedPlanningResult`. It is never `submitted`: to
 * answer, one manifest list is read at most, or the lists of `partsPerTask` snapshots; all that takes
 * longer is handed out as plan tasks, which the client fetches as many at a time as it likes.
 */
export async function planningResult(context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, planId: string): Promise<{ readonly [name: string]: Json }> {
  const row = await requirePlan(context.store, warehouse, identifier, planId, 'NoSuchPlanId')
  try {
    const opened = await open(context, warehouse, identifier, row)
    const count = Math.ceil(await partsOf(opened) / partsPerTask)
    if (count <= 1) return { status: 'completed', ...(await tasksOf(opened, 0)) }
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
  const opened = await open(context, warehouse, identifier, row)
  const index = Number(match?.[2])
  if (index * partsPerTask >= (await partsOf(opened))) throw new CatalogError('NoSuchPlanTask', `There is no such plan task: ${planTask}`)
  return tasksOf(opened, index)
}

interface OpenedPlan {
  readonly files: ManifestFiles
  readonly metadata: TableMetadata
  readonly scan: Scan
}

async function open(context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, row: PlanRow): Promise<OpenedPlan> {
  const request = decodeScanRequest(row.request, '')
  const metadata = await readScanMetadata(context, await requireTable(context.store, warehouse, identifier), request)
  return { files: { store: context.store, within: warehouse }, metadata, scan: understand(request, metadata) }
}

/** What a plan is divided by: a long incremental scan by its snapshots, any other by its data manifests. */
async function partsOf({ files, metadata, scan }: OpenedPlan): Promise<number> {
  return isLong(scan) ? scan.snapshots.snapshots.length : (await planManifests(files, metadata, scan)).data.length
}

async function tasksOf({ files, metadata, scan }: OpenedPlan, index: number): Promise<{ readonly [name: string]: Json }> {
  const [from, to] = [index * partsPerTask, (index + 1) * partsPerTask]
  if (isLong(scan)) {
    const part: Scan = { ...scan, snapshots: { ...scan.snapshots, snapshots: scan.snapshots.snapshots.slice(from, to) } }
    return readTasks(files, metadata, part, await planManifests(files, metadata, part))
  }
  const manifests = await planManifests(files, metadata, scan)
  return readTasks(files, metadata, scan, { ...manifests, data: manifests.data.slice(from, to) })
}

type IncrementalScan = Scan & { readonly snapshots: Extract<Scan['snapshots'], { kind: 'incremental' }> }

function isLong(scan: Scan): scan is IncrementalScan {
  return scan.snapshots.kind === 'incremental' && scan.snapshots.snapshots.length > partsPerTask
}
