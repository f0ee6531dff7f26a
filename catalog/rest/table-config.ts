import type { CatalogContext } from '../context.ts'
import { unitSeparator, type TableIdentifier } from '../spec/identifier.ts'
import { endpointName, endpoints } from './endpoints.ts'
import type { OperationInput } from './operation.ts'
import { wantsDelegation } from './vended-credentials.ts'

/**
 * The `config` of a loaded table. A client that asks for remote signing
 * (`X-Iceberg-Access-Delegation`) is told where; the others use credentials of their own.
 */
export function tableConfig(
  { warehouse, fileIoProperties, headers }: Pick<OperationInput, 'warehouse' | 'fileIoProperties' | 'headers'>, { namespace, name }: TableIdentifier, context: CatalogContext,
): Record<string, string> {
  const canSign = context.endpoints.some((endpoint) => endpointName(endpoint) === endpointName(endpoints.signRequest))
  if (!canSign || !wantsDelegation(headers, 'remote-signing')) return { ...fileIoProperties }
  const segments = ['v1', warehouse.name, 'namespaces', namespace.join(unitSeparator), 'tables', name, 'sign']
  const endpoint = segments.map(encodeURIComponent).join('/')
  return { ...fileIoProperties, 's3.remote-signing-enabled': 'true', 's3.signer.endpoint': endpoint, 'signer.endpoint': endpoint }
}
