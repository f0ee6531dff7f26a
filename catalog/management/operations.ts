import type { Operation } from '../rest/operation.ts'
import type { ManagementOperationId } from './endpoints.ts'
import { createWarehouse } from './operations/createWarehouse.ts'
import { dropFunction } from './operations/dropFunction.ts'
import { dropWarehouse } from './operations/dropWarehouse.ts'
import { listDropped } from './operations/listDropped.ts'
import { listMetrics } from './operations/listMetrics.ts'
import { listWarehouses } from './operations/listWarehouses.ts'
import { loadWarehouse } from './operations/loadWarehouse.ts'
import { setNamespaceProtection } from './operations/setNamespaceProtection.ts'
import { setTableProtection } from './operations/setTableProtection.ts'
import { setViewProtection } from './operations/setViewProtection.ts'
import { storeFunction } from './operations/storeFunction.ts'
import { undrop } from './operations/undrop.ts'
import { updateWarehouse } from './operations/updateWarehouse.ts'
import { deleteTablePolicy } from './operations/deleteTablePolicy.ts'
import { deleteWarehousePolicy } from './operations/deleteWarehousePolicy.ts'
import { getTablePolicy } from './operations/getTablePolicy.ts'
import { getWarehousePolicy } from './operations/getWarehousePolicy.ts'
import { listTableTags } from './operations/listTableTags.ts'
import { putTablePolicy } from './operations/putTablePolicy.ts'
import { putWarehousePolicy } from './operations/putWarehousePolicy.ts'
import { tagTable } from './operations/tagTable.ts'
import { untagTable } from './operations/untagTable.ts'
import type { ServerOperation } from './server-operation.ts'

export const managementOperations: Readonly<Record<ManagementOperationId, Operation | ServerOperation>> = {
  createWarehouse,
  dropFunction,
  dropWarehouse,
  listDropped,
  listMetrics,
  listWarehouses,
  loadWarehouse,
  setNamespaceProtection,
  setTableProtection,
  setViewProtection,
  storeFunction,
  undrop,
  deleteTablePolicy,
  deleteWarehousePolicy,
  getTablePolicy,
  getWarehousePolicy,
  listTableTags,
  putTablePolicy,
  putWarehousePolicy,
  tagTable,
  untagTable,
  updateWarehouse,
}
