import type { CatalogContext } from './context.ts'
import { badRequest, CatalogError } from './errors.ts'
import { rangeOf, warehouseKey } from './rows/keys.ts'
import { decodeRow, encodeRow, readWarehouse, type RowReader, type Warehouse } from './rows/rows.ts'

export type NewWarehouse = Omit<Warehouse, 'createdAtMs'>

/** Names stand in URLs as they are. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

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
  if (!namePattern.test(warehouse.name)) throw badRequest(`Invalid warehouse name: ${warehouse.name}`)
  const { prefix, ...rest } = warehouse
  const trimmed = prefix?.replaceAll(/^\/+|\/+$/g, '')
  return trimmed === undefined || trimmed === '' ? rest : { ...rest, prefix: trimmed }
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
