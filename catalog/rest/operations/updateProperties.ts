import { CatalogError } from '../../errors.ts'
import { array, object, record, string, withDefault } from '../../json/decode.ts'
import { namespaceKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { emitChange, requireNamespace } from '../../tables.ts'
import { decodeBody, namespaceOf, type Mutation } from '../operation.ts'

const decodeRequest = object({ removals: withDefault(array(string), []), updates: withDefault(record(string), {}) })

/** POST namespaces/{namespace}/properties. Errors: NoSuchNamespace, UnprocessableEntity (a key in both lists). */
export const updateProperties: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const namespace = namespaceOf(input)
    const request = decodeBody(decodeRequest, input)
    const removals = [...new Set(request.removals)]
    const both = removals.filter((name) => Object.hasOwn(request.updates, name))
    if (both.length > 0) throw new CatalogError('UnprocessableEntity', `Invalid namespace update, cannot simultaneously set and remove keys: ${both.join(', ')}`)
    return async (tx) => {
      const row = await requireNamespace(tx, warehouse, namespace)
      const properties: Record<string, string> = Object.assign(Object.create(null), row.properties, request.updates)
      const removed = removals.filter((name) => Object.hasOwn(row.properties, name))
      for (const name of removed) delete properties[name]
      tx.put(namespaceKey(warehouse.name, namespace), encodeRow({ ...row, properties }))
      emitChange(tx, 'UpdateNamespaceProperties', warehouse, namespace)
      const missing = removals.filter((name) => !removed.includes(name))
      return { kind: 'json', body: { updated: Object.keys(request.updates), removed, missing } }
    }
  },
}
