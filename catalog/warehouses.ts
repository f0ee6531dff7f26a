import { dayMs } from '../base/units.ts'
import type { CatalogContext } from './context.ts'
import { badRequest, CatalogError } from './errors.ts'
import type { Int64 } from './json/json.ts'
import { rangeOf, warehouseKey } from './rows/keys.ts'
import { decodeRow, encodeRow, readWarehouse, type RowReader, type Warehouse } from './rows/rows.ts'

export type NewWarehouse = Omit<Warehouse, 'createdAtMs'>

/** More are not listed. */
export const maxWarehouses = 10_000

/** Names stand in URLs as they are. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** The first segments of paths that are no warehouse's. */
const reservedNames = ['config', 'oauth', 'warehouses']

export async function ensureWarehouse(context: CatalogContext, requested: NewWarehouse): Promise<Warehouse> {
  const warehouse = checkNewWarehouse(requested)
  return context.store.transact(async (tx) => {
    const existing = await readWarehouse(tx, warehouse.name)
    if (existing !== undefined) {
      if (existing.bucket === warehouse.bucket && existing.prefix === warehouse.prefix) return existing
      throw badRequest(`Warehouse ${warehouse.name} already exists in another place`)
    }
    const row: Warehouse = { ...warehouse, createdAtMs: context.clock.nowMs() }
    tx.put(warehouseKey(warehouse.name), encodeRow(row))
    tx.emit({ type: 'iceberg:CreateWarehouse', subject: warehouse.name, detail: { warehouse: warehouse.name, bucket: warehouse.bucket } })
    return row
  })
}

export function checkNewWarehouse(warehouse: NewWarehouse): NewWarehouse {
  if (!namePattern.test(warehouse.name) || reservedNames.includes(warehouse.name)) throw badRequest(`Invalid warehouse name: ${warehouse.name}`)
  const { prefix, ...rest } = warehouse
  const trimmed = prefix?.replaceAll(/^\/+|\/+$/g, '')
  return trimmed === undefined || trimmed === '' ? rest : { ...rest, prefix: trimmed }
}

const maxUndropMs = 10 * 365 * dayMs

/** How long drops stay restorable; undefined when they do not. */
export function undropMsOf(requested: Int64 | undefined): number | undefined {
  if (requested === undefined || requested === 0) return undefined
  if (typeof requested !== 'number' || requested < 0 || requested > maxUndropMs) throw badRequest(`Invalid undrop-ms: ${requested}`)
  return requested
}

/** The warehouse that a request names; where it names none, the only one there is. */
export async function resolveWarehouse(reader: RowReader, name: string | undefined): Promise<Warehouse> {
  if (name !== undefined && name !== '') {
    const warehouse = namePattern.test(name) ? await readWarehouse(reader, name) : undefined
    if (warehouse === undefined) throw new CatalogError('NoSuchWarehouse', `Warehouse does not exist: ${name}`)
    return warehouse
  }
  const [only, second] = await listWarehouses(reader, 2)
  if (only === undefined || second !== undefined) throw badRequest('Missing query parameter: warehouse')
  return only
}

export async function listWarehouses(reader: RowReader, limit: number): Promise<Warehouse[]> {
  const rows = await reader.list({ ...rangeOf(Buffer.from('w')), limit })
  return rows.map(({ value }) => decodeRow<Warehouse>(value))
}
