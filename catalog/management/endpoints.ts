import type { Endpoint } from '../rest/endpoints.ts'

const namespace = '/v1/{prefix}/namespaces/{namespace}'

function endpoint(method: Endpoint['method'], path: string, successStatus: 200 | 204, request?: string): Endpoint {
  return { method, path, idempotent: false, query: [], headers: [], successStatus, errors: [], ...(request !== undefined && { request }) }
}

function pages(path: string): Endpoint {
  return { ...endpoint('GET', path, 200), query: ['pageToken', 'pageSize'] }
}

/**
 * What the specification has no operations for: warehouses, functions' definitions, restoring what
 * was dropped, protection, stored metrics, tags, resource policies. Not advertised: clients of the specification do not ask.
 */
export const managementEndpoints = {
  listWarehouses: endpoint('GET', '/v1/warehouses', 200),
  createWarehouse: endpoint('POST', '/v1/warehouses', 200, 'CreateWarehouseRequest'),
  loadWarehouse: endpoint('GET', '/v1/warehouses/{warehouse}', 200),
  updateWarehouse: endpoint('POST', '/v1/warehouses/{warehouse}', 200, 'UpdateWarehouseRequest'),
  dropWarehouse: endpoint('DELETE', '/v1/warehouses/{warehouse}', 204),
  storeFunction: endpoint('PUT', `${namespace}/functions/{function}`, 200, 'FunctionMetadata'),
  dropFunction: endpoint('DELETE', `${namespace}/functions/{function}`, 204),
  listMetrics: pages(`${namespace}/tables/{table}/metrics`),
  listDropped: pages('/v1/{prefix}/dropped'),
  undrop: endpoint('POST', '/v1/{prefix}/dropped/{uuid}/undrop', 200, 'UndropRequest'),
  setNamespaceProtection: endpoint('POST', `${namespace}/protection`, 204, 'SetProtectionRequest'),
  setTableProtection: endpoint('POST', `${namespace}/tables/{table}/protection`, 204, 'SetProtectionRequest'),
  setViewProtection: endpoint('POST', `${namespace}/views/{view}/protection`, 204, 'SetProtectionRequest'),
  listTableTags: endpoint('GET', `${namespace}/tables/{table}/tags`, 200),
  tagTable: endpoint('POST', `${namespace}/tables/{table}/tags`, 200, 'TagResourceRequest'),
  untagTable: { ...endpoint('DELETE', `${namespace}/tables/{table}/tags`, 204), query: ['tagKeys'] },
  getTablePolicy: endpoint('GET', `${namespace}/tables/{table}/policy`, 200),
  putTablePolicy: endpoint('PUT', `${namespace}/tables/{table}/policy`, 204, 'PutPolicyRequest'),
  deleteTablePolicy: endpoint('DELETE', `${namespace}/tables/{table}/policy`, 204),
  getWarehousePolicy: endpoint('GET', '/v1/warehouses/{warehouse}/policy', 200),
  putWarehousePolicy: endpoint('PUT', '/v1/warehouses/{warehouse}/policy', 204, 'PutPolicyRequest'),
  deleteWarehousePolicy: endpoint('DELETE', '/v1/warehouses/{warehouse}/policy', 204),
} as const satisfies Record<string, Endpoint>

export type ManagementOperationId = keyof typeof managementEndpoints
