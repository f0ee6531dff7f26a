import { badRequest, CatalogError } from '../errors.ts'
import { asObject, int32, int64, nullable, string, type Decoder } from '../json/decode.ts'
import type { Int64 } from '../json/json.ts'
import type { TableMetadata } from '../spec/table-metadata.ts'

/** What must hold of the table for a commit to apply. Specification: `TableRequirement`. */
export type TableRequirement =
  | { readonly type: 'assert-create' }
  | { readonly type: 'assert-table-uuid'; readonly uuid: string }
  | { readonly type: 'assert-ref-snapshot-id'; readonly ref: string; readonly snapshotId: Int64 | null }
  | { readonly type: 'assert-last-assigned-field-id'; readonly id: number }
  | { readonly type: 'assert-current-schema-id'; readonly id: number }
  | { readonly type: 'assert-last-assigned-partition-id'; readonly id: number }
  | { readonly type: 'assert-default-spec-id'; readonly id: number }
  | { readonly type: 'assert-default-sort-order-id'; readonly id: number }

/** The member that carries the id of the simple requirements. */
const idMembers = {
  'assert-last-assigned-field-id': 'last-assigned-field-id',
  'assert-current-schema-id': 'current-schema-id',
  'assert-last-assigned-partition-id': 'last-assigned-partition-id',
  'assert-default-spec-id': 'default-spec-id',
  'assert-default-sort-order-id': 'default-sort-order-id',
} as const

/** An unknown requirement is refused: it must never be taken as met. */
export const decodeRequirement: Decoder<TableRequirement> = (value, at) => {
  const source = asObject(value, at)
  const type = string(source['type'], `${at}.type`)
  switch (type) {
    case 'assert-create':
      return { type }
    case 'assert-table-uuid':
      return { type, uuid: string(source['uuid'], `${at}.uuid`) }
    case 'assert-ref-snapshot-id':
      return { type, ref: string(source['ref'], `${at}.ref`), snapshotId: nullable(int64)(source['snapshot-id'] ?? null, `${at}.snapshot-id`) }
    case 'assert-last-assigned-field-id':
    case 'assert-current-schema-id':
    case 'assert-last-assigned-partition-id':
    case 'assert-default-spec-id':
    case 'assert-default-sort-order-id':
      return { type, id: int32(source[idMembers[type]], `${at}.${idMembers[type]}`) }
    default:
      throw badRequest(`Cannot convert update requirement to json. Unrecognized type: ${type}`)
  }
}

/** `CommitFailed` unless every requirement holds; `base` is undefined where there is no table. */
export function checkRequirements(requirements: readonly TableRequirement[], base: TableMetadata | undefined): void {
  for (const requirement of requirements) checkRequirement(requirement, base)
}

function checkRequirement(requirement: TableRequirement, base: TableMetadata | undefined): void {
  if (requirement.type === 'assert-create') {
    if (base !== undefined) throw failed('table already exists')
    return
  }
  if (base === undefined) return
  switch (requirement.type) {
    case 'assert-table-uuid':
      if (requirement.uuid.toLowerCase() !== base['table-uuid'].toLowerCase()) {
        throw failed(`UUID does not match: expected ${base['table-uuid']} != ${requirement.uuid}`)
      }
      return
    case 'assert-ref-snapshot-id':
      checkRef(requirement.ref, requirement.snapshotId, base)
      return
    case 'assert-last-assigned-field-id':
      checkId('last assigned field id', requirement.id, base['last-column-id'])
      return
    case 'assert-current-schema-id':
      checkId('current schema', requirement.id, base['current-schema-id'])
      return
    case 'assert-last-assigned-partition-id':
      checkId('last assigned partition id', requirement.id, base['last-partition-id'])
      return
    case 'assert-default-spec-id':
      checkId('default partition spec', requirement.id, base['default-spec-id'])
      return
    case 'assert-default-sort-order-id':
      checkId('default sort order', requirement.id, base['default-sort-order-id'])
  }
}

function checkRef(name: string, snapshotId: Int64 | null, base: TableMetadata): void {
  const ref = Object.hasOwn(base.refs, name) ? base.refs[name] : undefined
  if (ref === undefined) {
    if (snapshotId !== null) throw failed(`branch or tag ${name} is missing, expected ${snapshotId}`)
    return
  }
  if (snapshotId === null) throw failed(`${ref.type} ${name} was created concurrently`)
  if (ref['snapshot-id'] !== snapshotId) throw failed(`${ref.type} ${name} has changed: expected id ${snapshotId} != ${ref['snapshot-id']}`)
}

function checkId(what: string, expected: number, actual: number): void {
  if (expected !== actual) throw failed(`${what} changed: expected id ${expected} != ${actual}`)
}

function failed(message: string): CatalogError {
  return new CatalogError('CommitFailed', `Requirement failed: ${message}`)
}
