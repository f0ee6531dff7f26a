import type { CatalogErrorCode } from '../errors.ts'

/** One of the specification's operations as its clients see it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE'
  readonly path: string
  /** It takes an `Idempotency-Key`. */
  readonly idempotent: boolean
  readonly successStatus: 200 | 204
  /** The request body's schema in the specification. */
  readonly request?: string
  /** What it answers besides the errors that every operation has. */
  readonly errors: readonly CatalogErrorCode[]
}

const namespaces = '/v1/{prefix}/namespaces'
const namespace = `${namespaces}/{namespace}`
const table = `${namespace}/tables/{table}`
const view = `${namespace}/views/{view}`

const noNamespace = ['NoSuchNamespace'] as const
const noTable = ['NoSuchTable', 'NoSuchNamespace'] as const
const noView = ['NoSuchView', 'NoSuchNamespace'] as const

function read(path: string, errors: readonly CatalogErrorCode[]): Endpoint {
  return { method: 'GET', path, idempotent: false, successStatus: 200, errors }
}

function exists(path: string, errors: readonly CatalogErrorCode[]): Endpoint {
  return { method: 'HEAD', path, idempotent: false, successStatus: 204, errors }
}

function drop(path: string, errors: readonly CatalogErrorCode[]): Endpoint {
  return { method: 'DELETE', path, idempotent: true, successStatus: 204, errors }
}

function post(path: string, request: string | undefined, successStatus: 200 | 204, errors: readonly CatalogErrorCode[], idempotent = true): Endpoint {
  return { method: 'POST', path, idempotent, successStatus, errors, ...(request !== undefined && { request }) }
}

/** All 35 operations of the Iceberg REST catalog specification, by operationId. */
export const endpoints = {
  getConfig: read('/v1/config', ['NoSuchWarehouse']),
  getToken: post('/v1/oauth/tokens', 'OAuthTokenRequest', 200, [], false),
  listNamespaces: read(namespaces, noNamespace),
  createNamespace: post(namespaces, 'CreateNamespaceRequest', 200, ['AlreadyExists']),
  loadNamespaceMetadata: read(namespace, noNamespace),
  namespaceExists: exists(namespace, noNamespace),
  dropNamespace: drop(namespace, ['NoSuchNamespace', 'NamespaceNotEmpty']),
  updateProperties: post(`${namespace}/properties`, 'UpdateNamespacePropertiesRequest', 200, ['NoSuchNamespace', 'UnprocessableEntity']),
  listTables: read(`${namespace}/tables`, noNamespace),
  createTable: post(`${namespace}/tables`, 'CreateTableRequest', 200, ['NoSuchNamespace', 'AlreadyExists']),
  listFunctions: read(`${namespace}/functions`, noNamespace),
  loadFunction: read(`${namespace}/functions/{function}`, ['NoSuchFunction', 'NoSuchNamespace']),
  planTableScan: post(`${table}/plan`, 'PlanTableScanRequest', 200, [...noTable, 'UnsupportedOperation']),
  fetchPlanningResult: read(`${table}/plan/{plan-id}`, [...noTable, 'NoSuchPlanId']),
  cancelPlanning: drop(`${table}/plan/{plan-id}`, [...noTable, 'NoSuchPlanId']),
  fetchScanTasks: post(`${table}/tasks`, 'FetchScanTasksRequest', 200, [...noTable, 'NoSuchPlanTask']),
  registerTable: post(`${namespace}/register`, 'RegisterTableRequest', 200, ['NoSuchNamespace', 'AlreadyExists']),
  loadTable: read(table, noTable),
  updateTable: post(table, 'CommitTableRequest', 200, ['NoSuchTable', 'CommitFailed', 'CommitStateUnknown']),
  dropTable: drop(table, noTable),
  tableExists: exists(table, noTable),
  unregisterTable: post(`${table}/unregister`, undefined, 200, noTable),
  loadCredentials: read(`${table}/credentials`, noTable),
  signRequest: post(`${table}/sign`, 'RemoteSignRequest', 200, [], false),
  renameTable: post('/v1/{prefix}/tables/rename', 'RenameTableRequest', 204, [...noTable, 'AlreadyExists', 'UnsupportedOperation']),
  reportMetrics: post(`${table}/metrics`, 'ReportMetricsRequest', 204, noTable, false),
  commitTransaction: post('/v1/{prefix}/transactions/commit', 'CommitTransactionRequest', 204, ['NoSuchTable', 'CommitFailed', 'CommitStateUnknown']),
  listViews: read(`${namespace}/views`, noNamespace),
  createView: post(`${namespace}/views`, 'CreateViewRequest', 200, ['NoSuchNamespace', 'AlreadyExists'], false),
  loadView: read(view, noView),
  replaceView: post(view, 'CommitViewRequest', 200, ['NoSuchView', 'CommitFailed', 'CommitStateUnknown']),
  dropView: drop(view, noView),
  viewExists: exists(view, noView),
  renameView: post('/v1/{prefix}/views/rename', 'RenameTableRequest', 204, [...noView, 'AlreadyExists', 'UnsupportedOperation']),
  registerView: post(`${namespace}/register-view`, 'RegisterViewRequest', 200, ['NoSuchNamespace', 'AlreadyExists']),
} as const satisfies Record<string, Endpoint>

export type OperationId = keyof typeof endpoints

/** As `GET /v1/config` names an endpoint. */
export function endpointName({ method, path }: Endpoint): string {
  return `${method} ${path}`
}
