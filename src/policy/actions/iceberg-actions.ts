/**
 * What each catalog request needs: the `s3tables:` action for each thing that it is about. Actions are those of AWS's S3 Tables
 * and AIStor. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3tables.html
 */
export interface CatalogTarget {
  readonly kind: 'warehouse' | 'namespace' | 'table' | 'view' | 'function'
  readonly role: 'itself' | 'created'
}

const nouns: Readonly<Record<CatalogTarget['kind'], string>> = { warehouse: 'Warehouse', namespace: 'Namespace', table: 'Table', view: 'View', function: 'Function' }

/** By operation; a request that makes something also needs what `created` says. */
const actions: Readonly<Record<string, (target: CatalogTarget) => readonly string[]>> = {
  getConfig: () => ['GetConfig'],
  listNamespaces: () => ['ListNamespaces'],
  createNamespace: () => ['CreateNamespace'],
  loadNamespaceMetadata: () => ['GetNamespace'],
  namespaceExists: () => ['GetNamespace'],
  dropNamespace: () => ['DeleteNamespace'],
  updateProperties: () => ['UpdateNamespaceProperties'],
  setNamespaceProtection: () => ['UpdateNamespaceProperties'],

  listTables: () => ['ListTables'],
  createTable: () => ['CreateTable'],
  registerTable: ({ role }) => (role === 'created' ? ['RegisterTable'] : ['UpdateTable']),
  loadTable: () => ['GetTable'],
  tableExists: () => ['GetTable'],
  updateTable: ({ role }) => (role === 'created' ? ['CreateTable'] : ['UpdateTable']),
  commitTransaction: ({ role }) => (role === 'created' ? ['CreateTable'] : ['UpdateTable']),
  dropTable: () => ['DeleteTable'],
  unregisterTable: () => ['DeleteTable'],
  renameTable: ({ role }) => (role === 'created' ? ['CreateTable'] : ['RenameTable']),
  setTableProtection: () => ['UpdateTable'],
  reportMetrics: () => ['TableMetrics'],
  listMetrics: () => ['TableMetrics'],
  loadCredentials: () => ['GetTableData'],
  planTableScan: () => ['GetTableData'],
  fetchPlanningResult: () => ['GetTableData'],
  cancelPlanning: () => ['GetTableData'],
  fetchScanTasks: () => ['GetTableData'],
  signRequest: () => ['GetTableData'],
  signWriteRequest: () => ['PutTableData'],

  listViews: () => ['ListViews'],
  createView: () => ['CreateView'],
  registerView: () => ['RegisterView'],
  loadView: () => ['GetView'],
  viewExists: () => ['GetView'],
  replaceView: () => ['UpdateView'],
  dropView: () => ['DeleteView'],
  renameView: ({ role }) => (role === 'created' ? ['CreateView'] : ['RenameView']),
  setViewProtection: () => ['UpdateView'],

  listFunctions: () => ['ListFunctions'],
  loadFunction: () => ['GetFunction'],
  storeFunction: () => ['CreateFunction', 'UpdateFunction'],
  dropFunction: () => ['DeleteFunction'],

  listWarehouses: () => ['ListWarehouses'],
  createWarehouse: () => ['CreateWarehouse'],
  loadWarehouse: () => ['GetWarehouse'],
  updateWarehouse: () => ['UpdateWarehouse'],
  dropWarehouse: () => ['DeleteWarehouse'],
  listTableTags: () => ['ListTagsForResource'],
  tagTable: () => ['TagResource'],
  untagTable: () => ['UntagResource'],
  getTablePolicy: () => ['GetTablePolicy'],
  putTablePolicy: () => ['PutTablePolicy'],
  deleteTablePolicy: () => ['DeleteTablePolicy'],
  getWarehousePolicy: () => ['GetWarehousePolicy'],
  putWarehousePolicy: () => ['PutWarehousePolicy'],
  deleteWarehousePolicy: () => ['DeleteWarehousePolicy'],
  // The listing itself is the warehouse's; its entries are what they were.
  listDropped: ({ kind }) => (kind === 'warehouse' ? ['ListTables'] : [`Get${nouns[kind]}`]),
  undrop: ({ role }) => (role === 'created' ? ['CreateTable'] : ['RestoreTable']),
}

export const catalogOperationsWithActions: ReadonlySet<string> = new Set(Object.keys(actions))

/** Every action of the table, for documents that are checked against it. */
export const catalogActions: ReadonlySet<string> = new Set(
  Object.values(actions).flatMap(row => (Object.keys(nouns) as CatalogTarget['kind'][]).flatMap(kind => (['itself', 'created'] as const).flatMap(role => row({ kind, role })))).map(action => `s3tables:${action}`),
)

/** The actions, each of which the caller needs on the target. Undefined: the operation has no row, and nobody may do it. */
export function catalogActionsOf(operationId: string, target: CatalogTarget): readonly string[] | undefined {
  const row = Object.hasOwn(actions, operationId) ? actions[operationId] : undefined
  return row?.(target).map(action => `s3tables:${action}`)
}

/** Where something is, by names. */
export interface CatalogPlace {
  readonly warehouse: string
  readonly namespace: readonly string[]
  readonly kind: CatalogTarget['kind']
  readonly name: string | undefined
  readonly uuid: string | undefined
}

/**
 * The ARNs of one thing, any of which a policy may name: a table or view by its uuid, as AIStor has it, and everything by its
 * names: `bucket/W/namespace/sales.eu/table/orders`. In names `.`, `/`, `:` and `%` are percent-encoded, so that no name reads as another.
 * What is made is also the warehouse's, as AWS has it for CreateTable.
 */
export function catalogArns({ warehouse, namespace, kind, name, uuid }: CatalogPlace, role: CatalogTarget['role']): readonly string[] {
  const whole = `arn:aws:s3tables:::bucket/${encoded(warehouse)}`
  if (kind === 'warehouse') return [whole]
  const within = `${whole}/namespace/${namespaceName(namespace)}`
  const byName = kind === 'namespace' ? within : namespace.length === 0 ? undefined : `${within}/${kind}/${encoded(name ?? '')}`
  const byId = uuid === undefined ? undefined : `${whole}/${kind}/${uuid}`
  return [byName, byId, role === 'created' ? whole : undefined].filter(arn => arn !== undefined)
}

export const namespaceName = (namespace: readonly string[]): string => namespace.map(encoded).join('.')

const encoded = (text: string): string => text.replaceAll(/[%./:]/g, percentEncoded)

const percentEncoded = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
