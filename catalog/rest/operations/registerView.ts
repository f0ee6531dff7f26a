import { object, string } from '../../json/decode.ts'
import { checkLocation } from '../../locations.ts'
import { readViewMetadata } from '../../metadata-cache.ts'
import { checkIdentifier } from '../../spec/identifier.ts'
import { emitChange, putViewPointer, requireFreeName, requireNamespace } from '../../tables.ts'
import { decodeBody, namespaceOf, type Mutation } from '../operation.ts'

const decodeRequest = object({ name: string, 'metadata-location': string })

/** POST namespaces/{namespace}/register-view: a view made of a metadata file. Errors: NoSuchNamespace, AlreadyExists, NotFound, Validation. */
export const registerView: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const request = decodeBody(decodeRequest, input)
    const identifier = { namespace: namespaceOf(input), name: request.name }
    checkIdentifier(identifier)
    const metadataLocation = checkLocation(warehouse, request['metadata-location'])
    return async (tx) => {
      await requireNamespace(tx, warehouse, identifier.namespace)
      await requireFreeName(tx, warehouse, identifier, 'View')
      await tx.pinFile(metadataLocation)
      context.cache.forget(metadataLocation)
      const metadata = await readViewMetadata(context, metadataLocation)
      checkLocation(warehouse, metadata.location)
      putViewPointer(tx, context, warehouse, identifier, metadata, metadataLocation, undefined)
      emitChange(tx, 'RegisterView', warehouse, [...identifier.namespace, identifier.name], { uuid: metadata['view-uuid'], metadataLocation })
      return { kind: 'view', identifier, metadataLocation }
    }
  },
}
