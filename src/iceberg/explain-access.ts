import type { Catalog, ServedOperationId } from '../../catalog/index.ts'
import { explainingDecider, NoSuchResource, type Explain } from '../policy/explaining-decider.ts'
import { authorizeBy, type CatalogRights } from './authorize.ts'

/** A request that is about the resource, and is never carried out: its rights are asked for, and refused. */
interface Probe {
  readonly operationId: ServedOperationId
  readonly path: Readonly<Record<string, string>>
}

const unitSeparator = '\u001f'

/** Explains decisions on warehouses and what is in them, by the policies and tags that a request meets. */
export function explainCatalog({ catalog, ...rights }: Omit<CatalogRights, 'decider'> & { readonly catalog: Catalog }): Explain {
  return async question => {
    const { principal, resource, nowMs } = question
    if (!resource.startsWith('arn:aws:s3tables:')) return undefined
    const probe = isEncoded(resource) ? probeOf(resource) : undefined
    if (probe === undefined) throw new NoSuchResource('name it as in arn:aws:s3tables:::bucket/WAREHOUSE/namespace/NAMESPACE/table/TABLE')
    const { decider, last } = explainingDecider(question)
    const authorize = authorizeBy({ principal, nowMs, sourceIp: undefined, isSecure: true, userAgent: undefined, referer: undefined }, { ...rights, decider })
    const { status } = await catalog.run({
      ...probe,
      caller: { accountId: principal.accountId, principalId: principal.userId, isRoot: false },
      query: {},
      headers: {},
      body: undefined,
      fileIoProperties: {},
      authorize: async (access) => {
        await authorize(access)
        return false
      },
    })
    const explanation = last()
    if (explanation === undefined) throw new NoSuchResource(`there is no such warehouse, or the name is malformed (${status})`)
    return explanation
  }
}

/** Whether every percent sign begins an escape that can be read. */
function isEncoded(text: string): boolean {
  try {
    return decodeURIComponent(text) !== ''
  } catch {
    return false
  }
}

function probeOf(resource: string): Probe | undefined {
  const [, warehouse = '', namespace, kind, name] = /^arn:aws:s3tables:[^:]*:[^:]*:bucket\/([^/]+)(?:\/namespace\/([^/]+)(?:\/(table|view|function)\/([^/]+))?)?$/.exec(resource) ?? []
  if (warehouse === '') return undefined
  const prefix = decodeURIComponent(warehouse)
  if (namespace === undefined) return { operationId: 'loadWarehouse', path: { warehouse: prefix } }
  const path = { prefix, namespace: namespace.split('.').map(decodeURIComponent).join(unitSeparator) }
  if (kind === undefined || name === undefined) return { operationId: 'loadNamespaceMetadata', path }
  const operations = { table: 'loadTable', view: 'loadView', function: 'loadFunction' } as const
  return { operationId: operations[kind as keyof typeof operations], path: { ...path, [kind]: decodeURIComponent(name) } }
}
