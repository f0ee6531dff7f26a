import type { Json } from '../json/json.ts'
import type { PartitionSpec } from '../spec/partition-spec.ts'
import { typeOfField } from '../spec/schema.ts'
import type { ContentFile } from './manifests.ts'
import type { Scan } from './scan-request.ts'
import { resultType } from './transforms.ts'
import { decodeBound, valueOfAvro, valueToJson } from './values.ts'

/** Specification: `DataFile`, `PositionDeleteFile`, `EqualityDeleteFile`. Statistics only of the columns that were asked for. */
export function fileJson(file: ContentFile, spec: PartitionSpec | undefined, scan: Scan): Json {
  return {
    'spec-id': file.specId,
    partition: spec === undefined ? [] : partitionJson(file, spec, scan),
    content: file.content,
    'file-path': file.path,
    'file-format': file.format,
    'file-size-in-bytes': file.fileSizeBytes,
    'record-count': file.recordCount,
    'key-metadata': file.keyMetadata?.toString('hex').toUpperCase(),
    'split-offsets': file.splitOffsets,
    'sort-order-id': file.sortOrderId,
    ...(file.content === 'data' ? { 'first-row-id': file.firstRowId, ...statistics(file, scan) } : deleteMembers(file)),
  }
}

function deleteMembers(file: ContentFile): { readonly [name: string]: Json | undefined } {
  return {
    'content-offset': file.contentOffset,
    'content-size-in-bytes': file.contentSizeBytes,
    'equality-ids': file.equalityIds,
    'referenced-data-file': file.referencedDataFile,
  }
}

/** Values in the order of the spec's fields. */
function partitionJson(file: ContentFile, spec: PartitionSpec, { schema }: Scan): readonly Json[] {
  return spec.fields.map((field) => {
    const source = typeOfField(schema, field['source-id'])
    const raw = file.partition.get(field['field-id'])
    if (typeof source !== 'string') return (raw ?? null) as Json
    const type = resultType(field.transform, source)
    const value = valueOfAvro(type, raw)
    return value === undefined ? null : valueToJson(type, value)
  })
}

function statistics(file: ContentFile, { schema, statsFieldIds }: Scan): { readonly [name: string]: Json | undefined } {
  if (statsFieldIds.size === 0) return {}
  const bound = (id: number, bytes: Buffer): Json | undefined => {
    const type = typeOfField(schema, id)
    const value = typeof type === 'string' ? decodeBound(type, bytes) : undefined
    return value === undefined || typeof type !== 'string' ? undefined : valueToJson(type, value)
  }
  const count = (_: number, value: Json): Json => value
  return {
    'column-sizes': pairs(file.columnSizes, statsFieldIds, count),
    'value-counts': pairs(file.valueCounts, statsFieldIds, count),
    'null-value-counts': pairs(file.nullValueCounts, statsFieldIds, count),
    'nan-value-counts': pairs(file.nanValueCounts, statsFieldIds, count),
    'lower-bounds': pairs(file.lowerBounds, statsFieldIds, bound),
    'upper-bounds': pairs(file.upperBounds, statsFieldIds, bound),
  }
}

/** Specification: `CountMap` and `ValueMap`. */
function pairs<T>(members: ReadonlyMap<number, T>, ids: ReadonlySet<number>, toJson: (id: number, value: T) => Json | undefined): Json | undefined {
  const kept = [...members].flatMap(([id, value]) => {
    const json = ids.has(id) ? toJson(id, value) : undefined
    return json === undefined ? [] : [[id, json] as const]
  })
  return kept.length === 0 ? undefined : { keys: kept.map(([id]) => id), values: kept.map(([, json]) => json) }
}
