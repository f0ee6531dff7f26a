import { CatalogError } from '../../errors.ts'
import { object, optional } from '../../json/decode.ts'
import { tableKey, viewKey } from '../../rows/keys.ts'
import { encodeRow } from '../../rows/rows.ts'
import { decodeIdentifier } from '../../spec/identifier.ts'
import { droppedKey, readDropped } from '../../drops.ts'
import { emitChange, requireFreeName, requireNamespace } from '../../tables.ts'
import { decodeRequest as decodeJson, type Mutation } from '../../rest/operation.ts'

const decodeRequest = object({ destination: optional(decodeIdentifier) })

/**
 * POST dropped/{uuid}/undrop: the table or view is back, under its name or `destination`.
 * Errors: NoSuchTable (no such drop, or too late), NoSuchNamespace, AlreadyExists.
 */
export const undrop: Mutation = {
  kind: 'mutation',
  prepare(input) {
    const { warehouse } = input
    const uuid = input.path['uuid'] ?? ''
    const { destination } = decodeJson(decodeRequest, input.body ?? {})
    return async (tx) => {
      const dropped = await readDropped(tx, warehouse.name, uuid)
      if (dropped === undefined) throw new CatalogError('NoSuchTable', `Nothing that can be restored: ${uuid}`)
      const identifier = destination ?? dropped.identifier
      await requireNamespace(tx, warehouse, identifier.namespace)
      await requireFreeName(tx, warehouse, identifier, dropped.kind === 'table' ? 'Table' : 'View')
      const rowKey = dropped.kind === 'table' ? tableKey(warehouse.name, identifier) : viewKey(warehouse.name, identifier)
      tx.put(rowKey, encodeRow(dropped.pointer))
      tx.delete(droppedKey(warehouse.name, uuid))
      emitChange(tx, 'Undrop', warehouse, [...identifier.namespace, identifier.name], { uuid })
      return { kind: 'json', body: { kind: dropped.kind, identifier: { namespace: identifier.namespace, name: identifier.name } } }
    }
  },
}
