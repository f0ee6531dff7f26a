import { CatalogError } from '../../errors.ts'
import { object, record, string, withDefault } from '../../json/decode.ts'
import { namespaceKey } from '../../rows/keys.ts'
import { encodeRow, readNamespace, readWarehouse } from '../../rows/rows.ts'
import { decodeNamespace, namespaceText } from '../../spec/identifier.ts'
import { emitChange, requireNamespace } from '../../tables.ts'
import { decodeBody, type Mutation } from '../operation.ts'

const decodeRequest = object({ namespace: decodeNamespace, properties: withDefault(record(string), {}) })

/** POST namespaces. Its parent must exist. Errors: AlreadyExists, NoSuchNamespace. */
export const createNamespace: Mutation = {
  kind: 'mutation',
  prepare(input, { clock }) {
    const { namespace, properties } = decodeBody(decodeRequest, input)
    const { warehouse } = input
    return async (tx) => {
      if ((await readWarehouse(tx, warehouse.name)) === undefined) throw new CatalogError('NoSuchWarehouse', `Warehouse does not exist: ${warehouse.name}`)
      const parent = namespace.slice(0, -1)
      if (parent.length > 0) await requireNamespace(tx, warehouse, parent)
      if ((await readNamespace(tx, warehouse.name, namespace)) !== undefined) {
        throw new CatalogError('AlreadyExists', `Namespace already exists: ${namespaceText(namespace)}`)
      }
      tx.put(namespaceKey(warehouse.name, namespace), encodeRow({ properties, createdAtMs: clock.nowMs() }))
      emitChange(tx, 'CreateNamespace', warehouse, namespace)
      return { kind: 'json', body: { namespace, properties } }
    }
  },
}
