import { checkLocation } from '../../locations.ts'
import { readViewMetadata } from '../../metadata-cache.ts'
import { emitChange, putViewPointer, requireFreeName, requireNamespace } from '../../tables.ts'
import type { Mutation } from '../operation.ts'
import { adoptMetadataFile, readRegistration } from '../registration.ts'

/** POST namespaces/{namespace}/register-view: a view made of a metadata file. Errors: NoSuchNamespace, AlreadyExists, NotFound, Validation. */
export const registerView: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const { identifier, metadataLocation } = readRegistration(input)
    return async (tx) => {
      await requireNamespace(tx, warehouse, identifier.namespace)
      await requireFreeName(tx, warehouse, identifier, 'View')
      const file = await adoptMetadataFile(tx, context, metadataLocation)
      const metadata = await readViewMetadata(context, file)
      checkLocation(warehouse, metadata.location)
      putViewPointer(tx, context, warehouse, identifier, metadata, file, undefined)
      emitChange(tx, 'RegisterView', warehouse, [...identifier.namespace, identifier.name], { uuid: metadata['view-uuid'], metadataLocation })
      return { kind: 'view', identifier, ...file }
    }
  },
}
