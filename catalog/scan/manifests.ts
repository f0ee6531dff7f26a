import { MiB } from '../../base/units.ts'
import type { CatalogStore } from '../catalog-store.ts'
import { validationError } from '../errors.ts'
import { addInt64, type Int64 } from '../json/json.ts'
import { isInWarehouse } from '../locations.ts'
import type { Warehouse } from '../rows/rows.ts'
import type { Snapshot } from '../spec/snapshot.ts'
import { readAvroFile, type AvroFile, type AvroRecord, type AvroRecordSchema } from './avro-file.ts'

/** One manifest as a manifest list describes it. https://iceberg.apache.org/spec/#manifest-lists */
export interface ManifestFile {
  readonly path: string
  readonly specId: number
  readonly content: 'data' | 'deletes'
  readonly sequenceNumber: Int64
  readonly addedSnapshotId: Int64
  /** One for each partition field; undefined when the writer kept none. */
  readonly partitions: readonly PartitionSummary[] | undefined
  readonly firstRowId: Int64 | undefined
}

export interface PartitionSummary {
  readonly containsNull: boolean
  readonly containsNan: boolean | undefined
  readonly lower: Buffer | undefined
  readonly upper: Buffer | undefined
}

/** A file of a manifest with what it inherits. https://iceberg.apache.org/spec/#manifests */
export interface ManifestEntry {
  readonly status: 'existing' | 'added' | 'deleted'
  readonly snapshotId: Int64
  /** The data sequence number. */
  readonly sequenceNumber: Int64
  readonly file: ContentFile
}

export type FileContent = 'data' | 'position-deletes' | 'equality-deletes'

export interface ContentFile {
  readonly content: FileContent
  readonly path: string
  readonly format: string
  readonly specId: number
  /** Partition values by partition field id, as Avro has them. */
  readonly partition: ReadonlyMap<number, unknown>
  readonly recordCount: Int64
  readonly fileSizeBytes: Int64
  readonly columnSizes: ReadonlyMap<number, Int64>
  readonly valueCounts: ReadonlyMap<number, Int64>
  readonly nullValueCounts: ReadonlyMap<number, Int64>
  readonly nanValueCounts: ReadonlyMap<number, Int64>
  readonly lowerBounds: ReadonlyMap<number, Buffer>
  readonly upperBounds: ReadonlyMap<number, Buffer>
  readonly keyMetadata: Buffer | undefined
  readonly splitOffsets: readonly Int64[] | undefined
  readonly equalityIds: readonly number[] | undefined
  readonly sortOrderId: number | undefined
  readonly firstRowId: Int64 | undefined
  readonly referencedDataFile: string | undefined
  readonly contentOffset: Int64 | undefined
  readonly contentSizeBytes: Int64 | undefined
}

export interface ManifestFiles {
  readonly store: Pick<CatalogStore, 'readFile'>
  /** Clients write the locations of these files, and the server reads what any of its callers may not: those elsewhere are refused. Undefined: the operator looks, everywhere. */
  readonly within: Pick<Warehouse, 'bucket' | 'prefix'> | undefined
}

/** Writers begin a new manifest at 8 MiB; a list of that length names some 100,000 of them. */
const maxManifestBytes = 64 * MiB

/** `Validation` outside the warehouse, before anything is read; else errors as `readFile` and `readAvroFile`. */
async function readFileWithin({ store, within }: ManifestFiles, location: string): Promise<AvroFile> {
  if (within !== undefined && !isInWarehouse(within, location)) throw validationError(`Manifest or manifest list outside the table's warehouse: ${location}`)
  return readAvroFile(await store.readFile(location, { maxBytes: maxManifestBytes }), location)
}

/** The manifests of a snapshot, in the order of its list. `Validation` for one outside the warehouse. */
export async function readManifestList(files: ManifestFiles, snapshot: Snapshot): Promise<readonly ManifestFile[]> {
  const location = snapshot['manifest-list']
  if (location === undefined) throw validationError(`Snapshot ${snapshot['snapshot-id']} has no manifest list`)
  const { records } = await readFileWithin(files, location)
  return understood(location, () => records.map(manifestOf))
}

/**
 * Clients write these files: values of other types than a manifest's, or that no column of the
 * table can have, are their mistake. `Validation`.
 */
export function understood<T>(location: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) throw validationError(`Not a manifest or manifest list: ${location}`)
    throw error
  }
}

/** One field of a record, required; `TypeError` unless it is of the type. */
function required<T>(record: AvroRecord, name: string, ...types: readonly ('string' | 'number' | 'bigint')[]): T {
  const value = record[name]
  if (!types.some((type) => typeof value === type)) throw new TypeError(name)
  return value as T
}

function manifestOf(record: AvroRecord): ManifestFile {
  const partitions = record['partitions'] as readonly AvroRecord[] | null | undefined
  return {
    path: required<string>(record, 'manifest_path', 'string'),
    specId: required<number>(record, 'partition_spec_id', 'number'),
    content: record['content'] === 1 ? 'deletes' : 'data',
    sequenceNumber: (record['sequence_number'] as Int64 | undefined) ?? 0,
    addedSnapshotId: (record['added_snapshot_id'] as Int64 | null) ?? 0,
    partitions: partitions?.map((summary) => ({
      containsNull: summary['contains_null'] === true,
      containsNan: optional<boolean>(summary['contains_nan']),
      lower: optional<Buffer>(summary['lower_bound']),
      upper: optional<Buffer>(summary['upper_bound']),
    })),
    firstRowId: optional<Int64>(record['first_row_id']),
  }
}

/** The entries of a manifest, sequence numbers and row ids inherited. `Validation` for one outside the warehouse. */
export async function readManifest(files: ManifestFiles, manifest: ManifestFile): Promise<readonly ManifestEntry[]> {
  const file = await readFileWithin(files, manifest.path)
  return understood(manifest.path, () => entriesOf(file, manifest))
}

function entriesOf({ records, schema }: AvroFile, manifest: ManifestFile): readonly ManifestEntry[] {
  const partitionIds = partitionFieldIds(schema)
  let nextRowId = manifest.firstRowId
  return records.map((record) => {
    const status = (['existing', 'added', 'deleted'] as const)[record['status'] as number] ?? 'existing'
    const inherited = status === 'added' ? manifest.sequenceNumber : 0
    const plain = fileOf(record['data_file'] as AvroRecord, manifest, partitionIds)
    const firstRowId = plain.firstRowId ?? (status === 'deleted' || plain.content !== 'data' ? undefined : nextRowId)
    if (plain.firstRowId === undefined && firstRowId !== undefined) nextRowId = addInt64(firstRowId, plain.recordCount)
    return {
      status,
      snapshotId: optional<Int64>(record['snapshot_id']) ?? manifest.addedSnapshotId,
      sequenceNumber: optional<Int64>(record['sequence_number']) ?? inherited,
      file: { ...plain, firstRowId },
    }
  })
}

/** Name to partition field id, from the schema of the `partition` record. */
function partitionFieldIds(schema: AvroRecordSchema): ReadonlyMap<string, number> {
  const fieldsOf = (type: unknown, name: string): AvroRecordSchema => {
    const field = (type as AvroRecordSchema).fields.find((candidate) => candidate.name === name)
    return field?.type as AvroRecordSchema
  }
  const partition = fieldsOf(fieldsOf(schema, 'data_file'), 'partition')
  return new Map(partition.fields.map((field) => [field.name, field['field-id'] ?? 0]))
}

function fileOf(file: AvroRecord, manifest: ManifestFile, partitionIds: ReadonlyMap<string, number>): ContentFile {
  const partition = Object.entries(file['partition'] as AvroRecord).map(([name, value]) => [partitionIds.get(name) ?? 0, value] as const)
  return {
    content: (['data', 'position-deletes', 'equality-deletes'] as const)[(file['content'] as number | undefined) ?? 0] ?? 'data',
    path: required<string>(file, 'file_path', 'string'),
    format: required<string>(file, 'file_format', 'string').toLowerCase(),
    specId: manifest.specId,
    partition: new Map(partition),
    recordCount: required<Int64>(file, 'record_count', 'number', 'bigint'),
    fileSizeBytes: required<Int64>(file, 'file_size_in_bytes', 'number', 'bigint'),
    columnSizes: mapOf<Int64>(file['column_sizes']),
    valueCounts: mapOf<Int64>(file['value_counts']),
    nullValueCounts: mapOf<Int64>(file['null_value_counts']),
    nanValueCounts: mapOf<Int64>(file['nan_value_counts']),
    lowerBounds: mapOf<Buffer>(file['lower_bounds']),
    upperBounds: mapOf<Buffer>(file['upper_bounds']),
    keyMetadata: optional<Buffer>(file['key_metadata']),
    splitOffsets: optional<readonly Int64[]>(file['split_offsets']),
    equalityIds: optional<readonly number[]>(file['equality_ids']),
    sortOrderId: optional<number>(file['sort_order_id']),
    firstRowId: optional<Int64>(file['first_row_id']),
    referencedDataFile: optional<string>(file['referenced_data_file']),
    contentOffset: optional<Int64>(file['content_offset']),
    contentSizeBytes: optional<Int64>(file['content_size_in_bytes']),
  }
}

function optional<T>(value: unknown): T | undefined {
  return value === null || value === undefined ? undefined : (value as T)
}

/** Iceberg's maps with integer keys are arrays of records in Avro. */
function mapOf<T>(pairs: unknown): ReadonlyMap<number, T> {
  const entries = (pairs ?? []) as readonly { readonly key: number; readonly value: T }[]
  return new Map(entries.map(({ key, value }) => [key, value]))
}
