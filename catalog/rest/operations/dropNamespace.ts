import type { CatalogTransaction } from '../../catalog-store.ts'
import type { CatalogContext } from '../../context.ts'
import { recordDrop } from '../../drops.ts'
import { badRequest, CatalogError } from '../../errors.ts'
import { childrenPrefix, nameOfKey, namespaceKey, rangeOf } from '../../rows/keys.ts'
import { decodeRow, type NamespaceRow, type PointerRow, type Warehouse } from '../../rows/rows.ts'
import { namespaceText, type Namespace } from '../../spec/identifier.ts'
import { emitChange, requireNamespace } from '../../tables.ts'
import { booleanQuery, namespaceOf, type Mutation, type OperationInput } from '../operation.ts'

/**
 * DELETE namespaces/{namespace}: it must hold nothing, unless `recursive` (our own parameter) asks
 * to drop all that it holds, in the same transaction: the caller needs the right to drop each of those
 * things, or none of them goes. Errors: NoSuchNamespace, NamespaceNotEmpty, Protected, Forbidden.
 */
export const dropNamespace: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse, sees } = input
    const namespace = namespaceOf(input)
    const recursive = booleanQuery(input, 'recursive')
    const purge = booleanQuery(input, 'purgeRequested')
    return async (tx) => {
      const row = await requireNamespace(tx, warehouse, namespace)
      requireUnprotected(row, namespace)
      if (recursive) await dropContents({ tx, context, warehouse, sees, purge, budget: { left: maxContents } }, namespace)
      else await requireNoContents(tx, warehouse, namespace)
      tx.delete(namespaceKey(warehouse.name, namespace))
      emitChange(tx, 'DropNamespace', warehouse, namespace, { recursive })
      return { kind: 'empty' }
    }
  },
}

const childKinds = ['n', 't', 'v', 'f'] as const

/** What drops one such thing alone. */
const childDrops = {
  n: { operationId: 'dropNamespace', kind: 'namespace' },
  t: { operationId: 'dropTable', kind: 'table' },
  v: { operationId: 'dropView', kind: 'view' },
  f: { operationId: 'dropFunction', kind: 'function' },
} as const

async function requireNoContents(tx: CatalogTransaction, warehouse: Warehouse, namespace: Namespace): Promise<void> {
  for (const kind of childKinds) {
    const range = rangeOf(childrenPrefix(kind, warehouse.name, namespace))
    if ((await tx.list({ ...range, limit: 1 })).length > 0) {
      throw new CatalogError('NamespaceNotEmpty', `Namespace is not empty: ${namespaceText(namespace)}`)
    }
    tx.requireEmpty(range)
  }
}

/** What one transaction may drop. */
const maxContents = 1000

interface RecursiveDrop {
  readonly tx: CatalogTransaction
  readonly context: CatalogContext
  readonly warehouse: Warehouse
  readonly sees: OperationInput['sees']
  readonly purge: boolean
  readonly budget: { left: number }
}

/** Each child is read with a check, and the ranges up to, between and after them must stay as they are: what was asked of its policy and tags holds. */
async function dropContents(drop: RecursiveDrop, namespace: Namespace): Promise<void> {
  const { tx, warehouse, budget } = drop
  for (const kind of childKinds) {
    const range = rangeOf(childrenPrefix(kind, warehouse.name, namespace))
    const rows = await tx.list({ ...range, limit: budget.left + 1 })
    budget.left -= rows.length
    if (budget.left < 0) throw badRequest(`A recursive drop may hold ${maxContents} things at most: ${namespaceText(namespace)}`)
    let start = range.start
    for (const { key } of rows) {
      tx.requireEmpty({ start, end: key })
      start = Buffer.concat([key, Buffer.from([0])])
      const value = await tx.get(key)
      if (value !== undefined) await dropChild(drop, kind, [...namespace, nameOfKey(key)], value)
      tx.delete(key)
    }
    tx.requireEmpty({ start, end: range.end })
  }
}

async function dropChild(drop: RecursiveDrop, kind: (typeof childKinds)[number], path: Namespace, value: Uint8Array): Promise<void> {
  const { tx, context, warehouse, purge } = drop
  await requireRight(drop, kind, path)
  if (kind === 'f') return
  if (kind === 'n') {
    requireUnprotected(decodeRow<NamespaceRow>(value), path)
    return dropContents(drop, path)
  }
  const pointer = decodeRow<PointerRow>(value)
  requireUnprotected(pointer, path)
  const identifier = { namespace: path.slice(0, -1), name: path.at(-1) ?? '' }
  await recordDrop(tx, context, warehouse, { kind: kind === 't' ? 'table' : 'view', identifier, pointer, purge: purge && kind === 't' })
}

/** Of a thing that the caller may not see its name is not told. */
async function requireRight({ sees }: RecursiveDrop, kind: (typeof childKinds)[number], path: Namespace): Promise<void> {
  const parent = path.slice(0, -1)
  const child = kind === 'n' ? { namespace: path, name: undefined } : { namespace: parent, name: path.at(-1) ?? '' }
  const { operationId, ...target } = childDrops[kind]
  if (!(await sees(operationId, { ...target, role: 'itself', ...child }))) {
    throw new CatalogError('Forbidden', `Not authorized to drop all that is in namespace ${namespaceText(parent)}`)
  }
}

function requireUnprotected(row: { readonly protected?: boolean }, path: Namespace): void {
  if (row.protected === true) throw new CatalogError('Protected', `It is protected: ${namespaceText(path)}`)
}
