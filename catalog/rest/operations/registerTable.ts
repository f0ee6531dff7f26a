import { CatalogError } from '../../errors.ts'
import { requireNotPurged } from '../../drops.ts'
import { checkLocation } from '../../locations.ts'
import { readTableMetadata } from '../../metadata-cache.ts'
import { readTable, readView } from '../../rows/rows.ts'
import { identifierText } from '../../spec/identifier.ts'
import { emitChange, putTablePointer, requireFreeName, requireNamespace } from '../../tables.ts'
import type { Mutation } from '../operation.ts'
import { adoptMetadataFile, readRegistration } from '../registration.ts'

/**
 * POST namespaces/{namespace}/register: a table made of a metadata file that is already there.
 * With `overwrite` an existing table points to it from then on. Errors: NoSuchNamespace,
 * AlreadyExists, CommitFailed (its files are being purged), NotFound (no such file), Validation (not table metadata), BadRequest (outside the warehouse).
 */
export const registerTable: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const { identifier, metadataLocation, overwrite } = readRegistration(input)
    return async (tx) => {
      await requireNamespace(tx, warehouse, identifier.namespace)
      const existing = await readTable(tx, warehouse.name, identifier)
      if (existing === undefined || !overwrite) await requireFreeName(tx, warehouse, identifier, 'Table')
      else if ((await readView(tx, warehouse.name, identifier)) !== undefined) {
        throw new CatalogError('AlreadyExists', `View with same name already exists: ${identifierText(identifier)}`)
      }
      const file = await adoptMetadataFile(tx, context, metadataLocation)
      const metadata = await readTableMetadata(context, file)
      checkLocation(warehouse, metadata.location)
      await requireNotPurged(tx, warehouse, metadata['table-uuid'])
      if (existing !== undefined) await tx.unpinFile(existing.metadataLocation)
      putTablePointer(tx, context, warehouse, identifier, metadata, file, existing)
      emitChange(tx, 'RegisterTable', warehouse, [...identifier.namespace, identifier.name], { uuid: metadata['table-uuid'], metadataLocation })
      return { kind: 'table', identifier, ...file, form: 'load' }
    }
  },
}
