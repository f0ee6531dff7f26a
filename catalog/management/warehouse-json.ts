import type { Access, Caller, CatalogContext } from '../context.ts'
import { noTags, noViews } from '../rest/request-rights.ts'
import { warehouseTarget } from '../rest/targets.ts'
import type { ServerInput } from './server-operation.ts'
import { CatalogError } from '../errors.ts'
import type { Json } from '../json/json.ts'
import type { Warehouse } from '../rows/rows.ts'

/** A warehouse as these operations show it. */
export function warehouseJson({ name, bucket, prefix, ownerAccountId, createdAtMs, undropMs }: Warehouse): Json {
  return { name, bucket, prefix, 'owner-account-id': ownerAccountId, 'created-at-ms': createdAtMs, 'undrop-ms': undropMs }
}

/** Whether the caller may do an operation to a warehouse. */
export async function mayUse({ authorize }: CatalogContext, operationId: string, caller: Caller, warehouse: Access['warehouse']): Promise<boolean> {
  return authorize({ caller, operationId, warehouse, targets: () => [warehouseTarget], entityOf: async () => undefined, changedTags: noTags, referencedBy: noViews, registerLocation: undefined, isWrite: false })
}

/** `Forbidden` unless the caller may do the operation. */
export async function requireUse(context: CatalogContext, { operationId, caller }: ServerInput, warehouse: Access['warehouse']): Promise<void> {
  if (!(await mayUse(context, operationId, caller, warehouse))) throw new CatalogError('Forbidden', 'Not authorized to make this request')
}
