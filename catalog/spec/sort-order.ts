import { validationError } from '../errors.ts'
import { array, int32, object, oneOf, type Decoder } from '../json/decode.ts'
import { stringifyJson } from '../json/stringify.ts'
import { fieldsById, type Schema } from './schema.ts'
import { canTransform, decodeTransform, type Transform } from './transform.ts'

/** https://iceberg.apache.org/spec/#sort-orders */
export interface SortOrder {
  readonly 'order-id': number
  readonly fields: readonly SortField[]
}

export interface SortField {
  readonly transform: Transform
  readonly 'source-id': number
  readonly direction: 'asc' | 'desc'
  readonly 'null-order': 'nulls-first' | 'nulls-last'
}

export const unsorted: SortOrder = { 'order-id': 0, fields: [] }

export const decodeSortOrder: Decoder<SortOrder> = object({
  'order-id': int32,
  fields: array(
    object({
      transform: decodeTransform,
      'source-id': int32,
      direction: oneOf('asc', 'desc'),
      'null-order': oneOf('nulls-first', 'nulls-last'),
    }),
  ),
})

export function checkSortOrder(order: SortOrder, schema: Schema): void {
  const columns = fieldsById(schema)
  if (order['order-id'] === 0 && order.fields.length > 0) throw validationError('Sort order ID 0 is reserved for unsorted order')
  for (const field of order.fields) {
    const source = columns.get(field['source-id'])
    if (source === undefined) throw validationError(`Cannot find source column for sort field: ${field.transform}(${field['source-id']})`)
    if (!canTransform(field.transform, source.type)) {
      throw validationError(`Invalid source type ${JSON.stringify(source.type)} for transform: ${field.transform}`)
    }
  }
}

/** Equal but for the order id. */
export function sameOrder(left: SortOrder, right: SortOrder): boolean {
  return stringifyJson(left.fields as never) === stringifyJson(right.fields as never)
}
