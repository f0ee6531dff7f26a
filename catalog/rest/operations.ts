import type { OperationId } from './endpoints.ts'
import type { Operation } from './operation.ts'
import { commitTransaction } from './operations/commitTransaction.ts'
import { createNamespace } from './operations/createNamespace.ts'
import { createTable } from './operations/createTable.ts'
import { dropNamespace } from './operations/dropNamespace.ts'
import { dropTable } from './operations/dropTable.ts'
import { getConfig } from './operations/getConfig.ts'
import { listNamespaces } from './operations/listNamespaces.ts'
import { listTables } from './operations/listTables.ts'
import { loadNamespaceMetadata } from './operations/loadNamespaceMetadata.ts'
import { loadTable } from './operations/loadTable.ts'
import { namespaceExists } from './operations/namespaceExists.ts'
import { registerTable } from './operations/registerTable.ts'
import { renameTable } from './operations/renameTable.ts'
import { tableExists } from './operations/tableExists.ts'
import { unregisterTable } from './operations/unregisterTable.ts'
import { updateProperties } from './operations/updateProperties.ts'
import { updateTable } from './operations/updateTable.ts'

/** The operations that exist. Only these are routed and advertised. (`getToken` belongs to the HTTP adapter.) */
export const operations = {
  getConfig,
  listNamespaces,
  createNamespace,
  loadNamespaceMetadata,
  namespaceExists,
  dropNamespace,
  updateProperties,
  listTables,
  createTable,
  registerTable,
  loadTable,
  updateTable,
  dropTable,
  tableExists,
  unregisterTable,
  renameTable,
  commitTransaction,
} satisfies Partial<Record<OperationId, Operation>>

export type ServedOperationId = keyof typeof operations
