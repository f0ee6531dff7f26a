import { boolean, object, optional, record, string, withDefault } from '../../json/decode.ts'
import { parseJson } from '../../json/parse.ts'
import { newUuid } from '../../ids.ts'
import { newLocation } from '../../locations.ts'
import { checkIdentifier } from '../../spec/identifier.ts'
import { newTableMetadata } from '../../spec/new-table-metadata.ts'
import { decodePartitionSpec } from '../../spec/partition-spec.ts'
import { decodeSchema } from '../../spec/schema.ts'
import { decodeSortOrder } from '../../spec/sort-order.ts'
import { stringifyTableMetadata } from '../../spec/table-text.ts'
import { emitChange, publishTable, requireFreeName, requireNamespace } from '../../tables.ts'
import { decodeBody, namespaceOf, type Mutation } from '../operation.ts'

const decodeRequest = object({
  name: string,
  location: optional(string),
  schema: decodeSchema,
  'partition-spec': optional(decodePartitionSpec),
  'write-order': optional(decodeSortOrder),
  'stage-create': withDefault(boolean, false),
  properties: withDefault(record(string), {}),
})

/**
 * POST namespaces/{namespace}/tables. With `stage-create` nothing is written: the metadata that the
 * table would have is returned without a location, and a commit that asserts the creation follows.
 * Errors: NoSuchNamespace, AlreadyExists, Validation, BadRequest (a location outside the warehouse).
 */
export const createTable: Mutation = {
  kind: 'mutation',
  prepare(input, context) {
    const { warehouse } = input
    const request = decodeBody(decodeRequest, input)
    const identifier = { namespace: namespaceOf(input), name: request.name }
    checkIdentifier(identifier)
    const uuid = newUuid(context.random)
    return async (tx) => {
      const namespace = await requireNamespace(tx, warehouse, identifier.namespace)
      await requireFreeName(tx, warehouse, identifier, 'Table')
      const location = newLocation(warehouse, identifier, namespace.properties, request.location, uuid)
      const metadata = newTableMetadata({
        uuid,
        location,
        schema: request.schema,
        spec: request['partition-spec'],
        writeOrder: request['write-order'],
        properties: request.properties,
        nowMs: context.clock.nowMs(),
      })
      if (request['stage-create']) {
        return { kind: 'staged', identifier, location, metadata: parseJson(stringifyTableMetadata(metadata)), isNew: true }
      }
      const metadataLocation = await publishTable(tx, context, warehouse, identifier, metadata, undefined)
      emitChange(tx, 'CreateTable', warehouse, [...identifier.namespace, identifier.name], { uuid, metadataLocation })
      return { kind: 'table', identifier, metadataLocation, form: 'load', isNew: true }
    }
  },
}
