import type { CatalogErrorCode } from '../errors.ts'

/** One of the specification's operations as its clients see it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE'
  readonly path: string
  /** It takes an `Idempotency-Key`: here every mutation does, also where the specification does not say so. */
  readonly idempotent: boolean
  /** The query's parameters. Others are refused: what is not understood must not be left out. */
  readonly query: readonly string[]
  /** Beyond the specification. */
  readonly ownQuery?: readonly string[]
  /** Headers that change what it does, in lower case, but for `Idempotency-Key`. */
  readonly headers: readonly string[]
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

const plain = { query: [], headers: [] } as const
const pages = ['pageToken', 'pageSize'] as const

function read(path: string, errors: readonly CatalogErrorCode[]): Endpoint {
  return { method: 'GET', path, idempotent: false, successStatus: 200, errors, ...plain }
}

function exists(path: string, errors: readonly CatalogErrorCode[]): Endpoint {
  return { method: 'HEAD', path, idempotent: false, successStatus: 204, errors, ...plain }
}

function drop(path: string, errors: readonly CatalogErrorCode[]): Endpoint {
  return { method: 'DELETE', path, idempotent: true, successStatus: 204, errors, ...plain }
}

function post(path: string, request: string | undefined, successStatus: 200 | 204, errors: readonly CatalogErrorCode[], idempotent = true): Endpoint {
  return { method: 'POST', path, idempotent, successStatus, errors, ...plain, ...(request !== undefined && { request }) }
}

function asking(endpoint: Endpoint, query: readonly string[], ownQuery: readonly string[] = []): Endpoint {
  return { ...endpoint, query, ...(ownQuery.length > 0 && { ownQuery }) }
}

function delegating(endpoint: Endpoint, ...headers: readonly string[]): Endpoint {
  return { ...endpoint, headers: ['x-iceberg-access-delegation', ...headers] }
}

/** All 35 operations of the Iceberg REST catalog specification, by operationId. */
export const endpoints = {
  getConfig: asking(read('/v1/config', ['NoSuchWarehouse']), ['warehouse']),
  getToken: post('/v1/oauth/tokens', 'OAuthTokenRequest', 200, [], false),
  listNamespaces: asking(read(namespaces, noNamespace), [...pages, 'parent']),
  createNamespace: post(namespaces, 'CreateNamespaceRequest', 200, ['AlreadyExists']),
  loadNamespaceMetadata: read(namespace, noNamespace),
  namespaceExists: exists(namespace, noNamespace),
  dropNamespace: asking(drop(namespace, ['NoSuchNamespace', 'NamespaceNotEmpty']), [], ['recursive', 'purgeRequested']),
  updateProperties: post(`${namespace}/properties`, 'UpdateNamespacePropertiesRequest', 200, ['NoSuchNamespace', 'UnprocessableEntity']),
  listTables: asking(read(`${namespace}/tables`, noNamespace), pages),
  createTable: delegating(post(`${namespace}/tables`, 'CreateTableRequest', 200, ['NoSuchNamespace', 'AlreadyExists'])),
  listFunctions: asking(read(`${namespace}/functions`, noNamespace), pages),
  loadFunction: read(`${namespace}/functions/{function}`, ['NoSuchFunction', 'NoSuchNamespace']),
  planTableScan: delegating(post(`${table}/plan`, 'PlanTableScanRequest', 200, [...noTable, 'UnsupportedOperation'])),
  fetchPlanningResult: delegating(read(`${table}/plan/{plan-id}`, [...noTable, 'NoSuchPlanId'])),
  cancelPlanning: delegating(drop(`${table}/plan/{plan-id}`, [...noTable, 'NoSuchPlanId'])),
  fetchScanTasks: post(`${table}/tasks`, 'FetchScanTasksRequest', 200, [...noTable, 'NoSuchPlanTask']),
  registerTable: delegating(post(`${namespace}/register`, 'RegisterTableRequest', 200, ['NoSuchNamespace', 'AlreadyExists', 'CommitFailed'])),
  loadTable: asking(delegating(read(table, noTable), 'if-none-match'), ['snapshots', 'referenced-by']),
  updateTable: post(table, 'CommitTableRequest', 200, ['NoSuchTable', 'CommitFailed', 'CommitStateUnknown']),
  dropTable: asking(drop(table, noTable), ['purgeRequested']),
  tableExists: exists(table, noTable),
  unregisterTable: post(`${table}/unregister`, undefined, 200, noTable),
  loadCredentials: asking(read(`${table}/credentials`, noTable), ['planId', 'referenced-by']),
  signRequest: post(`${table}/sign`, 'RemoteSignRequest', 200, [], false),
  renameTable: post('/v1/{prefix}/tables/rename', 'RenameTableRequest', 204, [...noTable, 'AlreadyExists', 'UnsupportedOperation']),
  reportMetrics: post(`${table}/metrics`, 'ReportMetricsRequest', 204, noTable, false),
  commitTransaction: post('/v1/{prefix}/transactions/commit', 'CommitTransactionRequest', 204, ['NoSuchTable', 'CommitFailed', 'CommitStateUnknown']),
  listViews: asking(read(`${namespace}/views`, noNamespace), pages),
  createView: post(`${namespace}/views`, 'CreateViewRequest', 200, ['NoSuchNamespace', 'AlreadyExists'], false),
  loadView: asking(read(view, noView), ['referenced-by']),
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
