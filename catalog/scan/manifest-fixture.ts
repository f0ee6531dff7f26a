import avro from 'avsc'
import type { Int64 } from '../json/json.ts'

/** For tests: manifests and manifest lists of a table partitioned by one string, as Iceberg writers make them. */

export interface FixtureFile {
  readonly path: string
  readonly partition: string | null
  readonly content?: 0 | 1 | 2
  readonly status?: 0 | 1 | 2
  readonly sequenceNumber?: number
  readonly snapshotId?: Int64
  readonly equalityIds?: readonly number[]
  readonly referencedDataFile?: string
  /** Set for a deletion vector. */
  readonly contentOffset?: number
  /** 1 when absent. */
  readonly recordCount?: number
}

export interface FixtureManifest {
  readonly path: string
  readonly content?: 0 | 1
  readonly sequenceNumber: number
  readonly snapshotId: Int64
}

const optional = (type: string): unknown => ['null', type]

const entrySchema = {
  type: 'record',
  name: 'manifest_entry',
  fields: [
    { name: 'status', type: 'int', 'field-id': 0 },
    { name: 'snapshot_id', type: optional('long'), 'field-id': 1 },
    { name: 'sequence_number', type: optional('long'), 'field-id': 3 },
    {
      name: 'data_file',
      'field-id': 2,
      type: {
        type: 'record',
        name: 'r2',
        fields: [
          { name: 'content', type: 'int', 'field-id': 134 },
          { name: 'file_path', type: 'string', 'field-id': 100 },
          { name: 'file_format', type: 'string', 'field-id': 101 },
          { name: 'partition', 'field-id': 102, type: { type: 'record', name: 'r102', fields: [{ name: 'name', type: optional('string'), 'field-id': 1000 }] } },
          { name: 'record_count', type: 'long', 'field-id': 103 },
          { name: 'file_size_in_bytes', type: 'long', 'field-id': 104 },
          { name: 'equality_ids', type: ['null', { type: 'array', items: 'int' }], 'field-id': 135 },
          { name: 'referenced_data_file', type: optional('string'), 'field-id': 143 },
          { name: 'content_offset', type: optional('long'), 'field-id': 144 },
        ],
      },
    },
  ],
}

const listSchema = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    { name: 'manifest_path', type: 'string', 'field-id': 500 },
    { name: 'manifest_length', type: 'long', 'field-id': 501 },
    { name: 'partition_spec_id', type: 'int', 'field-id': 502 },
    { name: 'content', type: 'int', 'field-id': 517 },
    { name: 'sequence_number', type: 'long', 'field-id': 515 },
    { name: 'added_snapshot_id', type: 'long', 'field-id': 503 },
  ],
}

export function manifestBytes(files: readonly FixtureFile[]): Buffer {
  return container(entrySchema, files.map((file) => ({
    status: file.status ?? 1,
    snapshot_id: file.snapshotId ?? null,
    sequence_number: file.sequenceNumber ?? null,
    data_file: {
      content: file.content ?? 0,
      file_path: file.path,
      file_format: file.contentOffset === undefined ? 'PARQUET' : 'PUFFIN',
      partition: { name: file.partition },
      record_count: file.recordCount ?? 1,
      file_size_in_bytes: 100,
      equality_ids: file.equalityIds ?? null,
      referenced_data_file: file.referencedDataFile ?? null,
      content_offset: file.contentOffset ?? null,
    },
  })))
}

export function manifestListBytes(manifests: readonly FixtureManifest[]): Buffer {
  return container(listSchema, manifests.map((manifest) => ({
    manifest_path: manifest.path,
    manifest_length: 1,
    partition_spec_id: 0,
    content: manifest.content ?? 0,
    sequence_number: manifest.sequenceNumber,
    added_snapshot_id: manifest.snapshotId,
  })))
}

const sync = Buffer.alloc(16, 7)
const metaType = avro.Type.forSchema({ type: 'map', values: 'bytes' })
const longType = avro.Type.forSchema('long')

/** An uncompressed Avro object container file of one block. */
function container(schema: object, records: readonly object[]): Buffer {
  const type = avro.Type.forSchema(schema as never)
  const meta = { 'avro.schema': Buffer.from(JSON.stringify(schema)), 'avro.codec': Buffer.from('null') }
  const body = Buffer.concat(records.map((record) => type.toBuffer(record)))
  return Buffer.concat([Buffer.from('Obj\u0001'), metaType.toBuffer(meta), sync, longType.toBuffer(records.length), longType.toBuffer(body.length), body, sync])
}
