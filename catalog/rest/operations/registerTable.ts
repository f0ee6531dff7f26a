import { CatalogError } from '../../errors.ts'
import { boolean, object, string, withDefault } from '../../json/decode.ts'
import { checkLocation } from '../../locations.ts'
import { readTableMetadata } from '../../metadata-cache.ts'
import { readTable, readView } from '../../rows/rows.ts'
import { checkIdentifier, identifierText } from '../../spec/identifier.ts'
import { emitChange, putTablePointer, requireFreeName, requireNamespace } from '../../tables.ts'
import { decodeBody, namespaceOf, type Mutation } from '../operation.ts'

const decodeRequest = object({ name: string, 'metadata-location': string, overwrite: withDefault(boolean, false) })

/**
 * POST namespaces/{namespace}/register: a table made of a metadata file that is already there.
 * With `overwrite` an existing table points to it from then on. Errors: NoSuchNamespace,
 * AlreadyExists, NotFound (no such file), Validation (not table metadata), BadRequest (outside the warehouse).
 */
export const registerTable: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const request = decodeBody(decodeRequest, input)
    const identifier = { namespace: namespaceOf(input), name: request.name }
    checkIdentifier(identifier)
    const metadataLocation = checkLocation(warehouse, request['metadata-location'])
    return async (tx) => {
      await requireNamespace(tx, warehouse, identifier.namespace)
      const existing = await readTable(tx, warehouse.name, identifier)
      if (existing === undefined || !request.overwrite) await requireFreeName(tx, warehouse, identifier, 'Table')
      else if ((await readView(tx, warehouse.name, identifier)) !== undefined) {
        throw new CatalogError('AlreadyExists', `View with same name already exists: ${identifierText(identifier)}`)
      }
      await tx.pinFile(metadataLocation)
      context.cache.forget(metadataLocation)
      const metadata = await readTableMetadata(context, metadataLocation)
      checkLocation(warehouse, metadata.location)
      if (existing !== undefined) await tx.unpinFile(existing.metadataLocation)
      putTablePointer(tx, context, warehouse, identifier, metadata, metadataLocation, existing)
      emitChange(tx, 'RegisterTable', warehouse, [...identifier.namespace, identifier.name], { uuid: metadata['table-uuid'], metadataLocation })
      return { kind: 'table', identifier, metadataLocation, form: 'load' }
    }
  },
}
