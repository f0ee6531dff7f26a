import { describe, expect, test } from 'vitest'
import { CatalogError } from '../errors.ts'
import { JsonShapeError } from '../json/decode.ts'
import type { Json } from '../json/json.ts'
import { parseJson } from '../json/parse.ts'
import { decodeTableMetadata, type FormatVersion, type TableMetadata } from '../spec/table-metadata.ts'
import { stringifyTableMetadata } from '../spec/table-text.ts'
import { applyUpdates, createFromUpdates, expiredMetadataFiles } from './apply-updates.ts'
import { baseTable } from './table-fixture.ts'
import { decodeTableUpdate, tableUpdateActions } from './updates.ts'

const nowMs = 1_700_000_010_000
const metadataLocation = 's3://lake/db/events/metadata/00001-b.metadata.json'

function apply(updates: readonly Json[], base: TableMetadata = baseTable()): TableMetadata {
  return applyUpdates({ metadata: base, metadataLocation }, updates.map((update) => decodeTableUpdate(update, 'update')), nowMs)
}

function codeOf(updates: readonly Json[], base?: TableMetadata): string {
  try {
    apply(updates, base)
    return 'none'
  } catch (error) {
    if (error instanceof JsonShapeError) return 'shape'
    return error instanceof CatalogError ? error.code : String(error)
  }
}

const field = (id: number, name: string, type: Json = 'string', more: Record<string, Json> = {}): Json => ({ id, name, required: false, type, ...more })
const schema = (fields: readonly Json[]): Json => ({ type: 'struct', 'schema-id': 0, fields })
const snapshot = (id: number, sequenceNumber: number, more: Record<string, Json> = {}): Json => ({
  'snapshot-id': id,
  'parent-snapshot-id': 11,
  'sequence-number': sequenceNumber,
  'timestamp-ms': nowMs - 5,
  'manifest-list': `s3://lake/m${id}.avro`,
  summary: { operation: 'append' },
  ...more,
})
const addSnapshot = (id: number, sequenceNumber: number, more: Record<string, Json> = {}): Json => ({ action: 'add-snapshot', snapshot: snapshot(id, sequenceNumber, more) })
const setMain = (id: number): Json => ({ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id })
const statistics = (id: number): Json => ({ 'snapshot-id': id, 'statistics-path': 's3://lake/x', 'file-size-in-bytes': 1, 'file-footer-size-in-bytes': 1, 'blob-metadata': [] })
const key = (id: string): Json => ({ 'key-id': id, 'encrypted-key-metadata': 'AAAA' })

/** Every update: what it does to the fixture (some members of the result). */
const effects: readonly { readonly updates: readonly Json[]; readonly version?: FormatVersion; readonly result: Record<string, unknown> }[] = [
  { updates: [{ action: 'upgrade-format-version', 'format-version': 3 }], result: { 'format-version': 3, 'next-row-id': 0 } },
  { updates: [{ action: 'add-schema', schema: schema([field(4, 'x')]) }], result: { 'last-column-id': 4, 'current-schema-id': 0 } },
  {
    updates: [{ action: 'add-schema', schema: schema([field(2, 'at', 'timestamptz'), field(5, 'x')]) }, { action: 'set-current-schema', 'schema-id': -1 }],
    result: { 'last-column-id': 5, 'current-schema-id': 1 },
  },
  {
    updates: [{ action: 'add-spec', spec: { fields: [{ 'source-id': 1, name: 'id_bucket', transform: 'bucket[4]' }] } }, { action: 'set-default-spec', 'spec-id': -1 }],
    result: {
      'default-spec-id': 1,
      'last-partition-id': 1001,
      'partition-specs': [expect.anything(), { 'spec-id': 1, fields: [{ 'source-id': 1, 'field-id': 1001, name: 'id_bucket', transform: 'bucket[4]' }] }],
    },
  },
  {
    updates: [
      { action: 'add-sort-order', 'sort-order': { 'order-id': 7, fields: [{ 'source-id': 1, transform: 'identity', direction: 'asc', 'null-order': 'nulls-first' }] } },
      { action: 'set-default-sort-order', 'sort-order-id': -1 },
    ],
    result: { 'default-sort-order-id': 1 },
  },
  { updates: [addSnapshot(12, 4)], result: { 'last-sequence-number': 4, 'current-snapshot-id': 11, 'last-updated-ms': nowMs - 5 } },
  {
    updates: [addSnapshot(12, 4), setMain(12)],
    result: { 'current-snapshot-id': 12, 'snapshot-log': [expect.anything(), expect.anything(), { 'timestamp-ms': nowMs - 5, 'snapshot-id': 12 }] },
  },
  { updates: [{ action: 'remove-snapshots', 'snapshot-ids': [10] }], result: { 'snapshot-log': [{ 'timestamp-ms': 1_700_000_002_000, 'snapshot-id': 11 }] } },
  { updates: [{ action: 'remove-snapshot-ref', 'ref-name': 'main' }], result: { 'current-snapshot-id': undefined } },
  { updates: [{ action: 'set-location', location: 's3://lake/moved/' }], result: { location: 's3://lake/moved' } },
  { updates: [{ action: 'set-properties', updates: { a: 'b' } }], result: { properties: { owner: 'ada', 'write.format.default': 'parquet', a: 'b' } } },
  { updates: [{ action: 'remove-properties', removals: ['owner', 'none'] }], result: { properties: { 'write.format.default': 'parquet' } } },
  { updates: [{ action: 'set-statistics', statistics: statistics(11) }], result: { statistics: [statistics(11)] } },
  { updates: [{ action: 'remove-statistics', 'snapshot-id': 11 }], result: { statistics: [] } },
  {
    updates: [{ action: 'set-partition-statistics', 'partition-statistics': { 'snapshot-id': 11, 'statistics-path': 's3://lake/p', 'file-size-in-bytes': 3 } }],
    result: { 'partition-statistics': [{ 'snapshot-id': 11, 'statistics-path': 's3://lake/p', 'file-size-in-bytes': 3 }] },
  },
  {
    updates: [
      { action: 'set-partition-statistics', 'partition-statistics': { 'snapshot-id': 11, 'statistics-path': 's3://lake/p', 'file-size-in-bytes': 3 } },
      { action: 'remove-partition-statistics', 'snapshot-id': 11 },
    ],
    result: { 'partition-statistics': [] },
  },
  { updates: [{ action: 'add-spec', spec: { fields: [] } }, { action: 'set-default-spec', 'spec-id': 1 }, { action: 'remove-partition-specs', 'spec-ids': [0] }], result: { 'partition-specs': [{ 'spec-id': 1, fields: [] }] } },
  { updates: [{ action: 'add-schema', schema: schema([field(4, 'x')]) }, { action: 'remove-schemas', 'schema-ids': [1] }], result: { 'last-column-id': 4, schemas: [expect.anything()] } },
  { version: 3, updates: [{ action: 'add-encryption-key', 'encryption-key': key('k1') }], result: { 'encryption-keys': [key('k1')] } },
  { version: 3, updates: [{ action: 'add-encryption-key', 'encryption-key': key('k1') }, { action: 'remove-encryption-key', 'key-id': 'k1' }], result: { 'encryption-keys': [] } },
  { version: 3, updates: [addSnapshot(12, 4, { 'first-row-id': 100, 'added-rows': 25 })], result: { 'next-row-id': 125 } },
  { updates: [{ action: 'assign-uuid', uuid: 'b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3' }, { action: 'set-properties', updates: { a: 'b' } }], result: { 'table-uuid': 'b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3' } },
]

/** What must be refused, and how. */
const refusals: readonly (readonly [string, readonly Json[], string, FormatVersion?])[] = [
  ['another uuid', [{ action: 'assign-uuid', uuid: 'c2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3' }], 'Validation'],
  ['a downgrade', [{ action: 'upgrade-format-version', 'format-version': 1 }], 'Validation'],
  ['version 4', [{ action: 'upgrade-format-version', 'format-version': 4 }], 'Validation'],
  ['a type of version 3 in version 2', [{ action: 'add-schema', schema: schema([field(4, 'v', 'variant')]) }], 'Validation'],
  ['a default of version 3 in version 2', [{ action: 'add-schema', schema: schema([field(4, 'v', 'string', { 'initial-default': 'x' })]) }], 'Validation'],
  ['an unknown schema', [{ action: 'set-current-schema', 'schema-id': 9 }], 'Validation'],
  ['no schema was added', [{ action: 'set-current-schema', 'schema-id': -1 }], 'Validation'],
  ['the current schema removed', [{ action: 'remove-schemas', 'schema-ids': [0] }], 'Validation'],
  ['two fields with one id', [{ action: 'add-schema', schema: schema([field(4, 'a'), field(4, 'b')]) }], 'Validation'],
  ['a spec without its column', [{ action: 'add-spec', spec: { fields: [{ 'source-id': 77, name: 'x', transform: 'identity' }] } }], 'Validation'],
  ['a transform that the type does not have', [{ action: 'add-spec', spec: { fields: [{ 'source-id': 3, name: 'x', transform: 'day' }] } }], 'Validation'],
  ['an unknown spec', [{ action: 'set-default-spec', 'spec-id': 5 }], 'Validation'],
  ['the default spec removed', [{ action: 'remove-partition-specs', 'spec-ids': [0] }], 'Validation'],
  ['an unknown sort order', [{ action: 'set-default-sort-order', 'sort-order-id': 5 }], 'Validation'],
  ['a snapshot twice', [addSnapshot(11, 4)], 'Validation'],
  ['a stale sequence number', [addSnapshot(12, 3)], 'CommitFailed'],
  ['a stale first-row-id', [addSnapshot(12, 4, { 'first-row-id': 99, 'added-rows': 1 })], 'CommitFailed', 3],
  ['no first-row-id in version 3', [addSnapshot(12, 4)], 'Validation', 3],
  ['a ref to nothing', [{ action: 'set-snapshot-ref', 'ref-name': 'x', type: 'tag', 'snapshot-id': 77 }], 'Validation'],
  ['main as a tag', [{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'tag', 'snapshot-id': 10 }], 'Validation'],
  ['a tag that keeps snapshots', [{ action: 'set-snapshot-ref', 'ref-name': 'x', type: 'tag', 'snapshot-id': 10, 'min-snapshots-to-keep': 1 }], 'Validation'],
  ['an encryption key in version 2', [{ action: 'add-encryption-key', 'encryption-key': key('k') }], 'Validation'],
  ['an unknown update', [{ action: 'enable-flight' }], 'BadRequest'],
  ['a sort order without its column', [{ action: 'add-sort-order', 'sort-order': { 'order-id': 1, fields: [{ 'source-id': 77, transform: 'identity', direction: 'asc', 'null-order': 'nulls-first' }] } }], 'Validation'],
  ['snapshot ids that are none', [{ action: 'remove-snapshots', 'snapshot-ids': ['11'] }], 'shape'],
  ['a ref without a name', [{ action: 'remove-snapshot-ref' }], 'shape'],
  ['a location that is none', [{ action: 'set-location', location: null }], 'shape'],
  ['properties that are no text', [{ action: 'set-properties', updates: { a: 1 } }], 'shape'],
  ['removals that are no list', [{ action: 'remove-properties', removals: 'owner' }], 'shape'],
  ['statistics under another snapshot', [{ action: 'set-statistics', 'snapshot-id': 10, statistics: statistics(11) }], 'BadRequest'],
  ['statistics of an id that is none', [{ action: 'remove-statistics', 'snapshot-id': 1.5 }], 'shape'],
  ['partition statistics without a path', [{ action: 'set-partition-statistics', 'partition-statistics': { 'snapshot-id': 11, 'file-size-in-bytes': 3 } }], 'shape'],
  ['partition statistics of a number that is too large', [{ action: 'remove-partition-statistics', 'snapshot-id': 2n ** 63n }], 'shape'],
  ['an encryption key without an id', [{ action: 'remove-encryption-key' }], 'shape'],
]

describe('table updates', () => {
  test('every update has cases here in which it does something, and in which it is refused', () => {
    const actionsOf = (all: readonly (readonly Json[])[]): Set<string> => new Set(all.flatMap((updates) => updates.map((update) => (update as { action: string }).action)))
    expect([...actionsOf(effects.map(({ updates }) => updates))].sort()).toEqual([...tableUpdateActions].sort())
    expect(actionsOf(refusals.map(([, updates]) => updates)).isSupersetOf(new Set(tableUpdateActions))).toBe(true)
    expect(tableUpdateActions).toHaveLength(23)
  })

  test.each(effects.map((effect) => [effect.updates.map((update) => (update as { action: string }).action).join(' + '), effect] as const))('%s', (_, { updates, version, result }) => {
    const base = baseTable(version)
    const text = stringifyTableMetadata(base)
    const after = apply(updates, base)
    expect(after).toMatchObject(result)
    expect(after['metadata-log'].at(-1)).toEqual({ 'metadata-file': metadataLocation, 'timestamp-ms': 1_700_000_003_000 })
    expect(stringifyTableMetadata(base)).toBe(text)
    expect(decodeTableMetadata(parseJson(stringifyTableMetadata(after)), () => '')).toEqual(after)
  })

  test.each(refusals.map((refusal) => [refusal[0], refusal] as const))('%s is refused', (_, [, updates, code, version]) => {
    expect(codeOf(updates, baseTable(version))).toBe(code)
  })

  test('nothing to do is the same metadata', () => {
    const base = baseTable()
    expect(apply([{ action: 'set-properties', updates: { owner: 'ada' } }, { action: 'set-location', location: base.location }], base)).toBe(base)
  })

  test('a snapshot that was current only within the commit leaves no trace in the log', () => {
    const after = apply([addSnapshot(12, 4), setMain(12), addSnapshot(13, 5, { 'parent-snapshot-id': 12 }), setMain(13)])
    expect(after['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([10, 11, 13])
  })

  test('removing snapshots removes their statistics and refs', () => {
    const after = apply([{ action: 'remove-snapshots', 'snapshot-ids': [10, 9_123_456_789_012_345_678n] }])
    expect(Object.keys(after.refs)).toEqual(['main'])
    expect(apply([{ action: 'remove-snapshots', 'snapshot-ids': [10, 11] }, setMainTo(9_123_456_789_012_345_678n)]).statistics).toEqual([])
  })

  test('the encryption key of a table never changes', () => {
    const base = apply([{ action: 'set-properties', updates: { 'encryption.key-id': 'k1' } }])
    expect(codeOf([{ action: 'set-properties', updates: { 'encryption.key-id': 'k2' } }], base)).toBe('Validation')
    expect(codeOf([{ action: 'remove-properties', removals: ['encryption.key-id'] }], base)).toBe('Validation')
  })

  test('the metadata log is bounded, and what leaves it may be deleted', () => {
    let table = apply([{ action: 'set-properties', updates: { 'write.metadata.previous-versions-max': '2', 'write.metadata.delete-after-commit.enabled': 'true' } }])
    expect(table['metadata-log']).toHaveLength(2)
    const next = apply([{ action: 'set-properties', updates: { a: '1' } }], table)
    expect(next['metadata-log']).toHaveLength(2)
    expect(expiredMetadataFiles(table, next)).toEqual(['s3://lake/db/events/metadata/00000-a.metadata.json'])
    table = apply([{ action: 'remove-properties', removals: ['write.metadata.delete-after-commit.enabled'] }], next)
    expect(expiredMetadataFiles(next, table)).toEqual([])
  })

  test('a table is created from updates alone', () => {
    const created = createFromUpdates(
      [
        { action: 'assign-uuid', uuid: 'b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3' },
        { action: 'upgrade-format-version', 'format-version': 3 },
        { action: 'add-schema', schema: schema([field(1, 'v', 'variant')]) },
        { action: 'set-current-schema', 'schema-id': -1 },
      ].map((update) => decodeTableUpdate(update as Json, '')),
      { uuid: 'x', location: 's3://lake/t', nowMs },
    )
    expect(created).toMatchObject({ 'format-version': 3, location: 's3://lake/t', 'default-spec-id': 0, 'default-sort-order-id': 0, 'current-schema-id': 0 })
    expect(() => createFromUpdates([], { uuid: 'x', location: 's3://lake/t', nowMs })).toThrow(CatalogError)
  })
})

function setMainTo(id: bigint): Json {
  return { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }
}
