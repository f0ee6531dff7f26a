import { newViewMetadata } from '../../commit/apply-view-updates.ts'
import { object, optional, record, string, withDefault } from '../../json/decode.ts'
import { newUuid } from '../../ids.ts'
import { newLocation } from '../../locations.ts'
import { checkIdentifier } from '../../spec/identifier.ts'
import { decodeSchema } from '../../spec/schema.ts'
import { decodeViewVersion } from '../../spec/view-metadata.ts'
import { emitChange, publishView, requireFreeName, requireNamespace } from '../../tables.ts'
import { decodeBody, namespaceOf, type Mutation } from '../operation.ts'

const decodeRequest = object({
  name: string,
  location: optional(string),
  schema: decodeSchema,
  'view-version': decodeViewVersion,
  properties: withDefault(record(string), {}),
})

/** POST namespaces/{namespace}/views. Errors: NoSuchNamespace, AlreadyExists, Validation, BadRequest (a location outside the warehouse). */
export const createView: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const request = decodeBody(decodeRequest, input)
    const identifier = { namespace: namespaceOf(input), name: request.name }
    checkIdentifier(identifier)
    const uuid = newUuid(context.random)
    return async (tx) => {
      const namespace = await requireNamespace(tx, warehouse, identifier.namespace)
      await requireFreeName(tx, warehouse, identifier, 'View')
      const location = newLocation(warehouse, identifier, namespace.properties, request.location, uuid)
      const metadata = newViewMetadata({
        uuid,
        location,
        schema: request.schema,
        viewVersion: request['view-version'],
        properties: request.properties,
        nowMs: context.clock.nowMs(),
      })
      const metadataLocation = await publishView(tx, context, warehouse, identifier, metadata, undefined)
      emitChange(tx, 'CreateView', warehouse, [...identifier.namespace, identifier.name], { uuid, metadataLocation })
      return { kind: 'view', identifier, metadataLocation }
    }
  },
}
