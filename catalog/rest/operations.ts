import type { OperationId } from './endpoints.ts'
import type { Operation } from './operation.ts'
import { cancelPlanning } from './operations/cancelPlanning.ts'
import { commitTransaction } from './operations/commitTransaction.ts'
import { createNamespace } from './operations/createNamespace.ts'
import { createTable } from './operations/createTable.ts'
import { createView } from './operations/createView.ts'
import { dropNamespace } from './operations/dropNamespace.ts'
import { dropTable } from './operations/dropTable.ts'
import { dropView } from './operations/dropView.ts'
import { fetchPlanningResult } from './operations/fetchPlanningResult.ts'
import { fetchScanTasks } from './operations/fetchScanTasks.ts'
import { getConfig } from './operations/getConfig.ts'
import { listFunctions } from './operations/listFunctions.ts'
import { listNamespaces } from './operations/listNamespaces.ts'
import { listTables } from './operations/listTables.ts'
import { listViews } from './operations/listViews.ts'
import { loadCredentials } from './operations/loadCredentials.ts'
import { loadFunction } from './operations/loadFunction.ts'
import { loadNamespaceMetadata } from './operations/loadNamespaceMetadata.ts'
import { loadTable } from './operations/loadTable.ts'
import { loadView } from './operations/loadView.ts'
import { namespaceExists } from './operations/namespaceExists.ts'
import { planTableScan } from './operations/planTableScan.ts'
import { registerTable } from './operations/registerTable.ts'
import { registerView } from './operations/registerView.ts'
import { renameTable } from './operations/renameTable.ts'
import { renameView } from './operations/renameView.ts'
import { replaceView } from './operations/replaceView.ts'
import { reportMetrics } from './operations/reportMetrics.ts'
import { signRequest } from './operations/signRequest.ts'
import { tableExists } from './operations/tableExists.ts'
import { unregisterTable } from './operations/unregisterTable.ts'
import { updateProperties } from './operations/updateProperties.ts'
import { updateTable } from './operations/updateTable.ts'
import { viewExists } from './operations/viewExists.ts'

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
  listFunctions,
  loadFunction,
  planTableScan,
  fetchPlanningResult,
  cancelPlanning,
  fetchScanTasks,
  registerTable,
  loadTable,
  loadCredentials,
  updateTable,
  dropTable,
  tableExists,
  unregisterTable,
  renameTable,
  signRequest,
  reportMetrics,
  commitTransaction,
  listViews,
  createView,
  loadView,
  replaceView,
  dropView,
  viewExists,
  renameView,
  registerView,
} satisfies Partial<Record<OperationId, Operation>>

export type SpecifiedOperationId = keyof typeof operations
