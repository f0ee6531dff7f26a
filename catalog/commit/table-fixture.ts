import { parseJson } from '../json/parse.ts'
import { decodeTableMetadata, type FormatVersion, type TableMetadata } from '../spec/table-metadata.ts'

/** For tests: a partitioned table with three snapshots on `main` and `audit`, a tag, and one statistics file. */
export function baseTable(formatVersion: FormatVersion = 2): TableMetadata {
  return decodeTableMetadata(
    parseJson(`{
      "format-version": ${formatVersion},
      "table-uuid": "b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3",
      "location": "s3://lake/db/events/",
      "last-sequence-number": 3,
      "last-updated-ms": 1700000003000,
      "last-column-id": 3,
      "current-schema-id": 0,
      "schemas": [{"type": "struct", "schema-id": 0, "identifier-field-ids": [1], "fields": [
        {"id": 1, "name": "id", "required": true, "type": "long"},
        {"id": 2, "name": "at", "required": false, "type": "timestamptz"},
        {"id": 3, "name": "name", "required": false, "type": "string"}]}],
      "default-spec-id": 0,
      "partition-specs": [{"spec-id": 0, "fields": [{"source-id": 2, "field-id": 1000, "name": "at_day", "transform": "day"}]}],
      "last-partition-id": 1000,
      "default-sort-order-id": 0,
      "sort-orders": [{"order-id": 0, "fields": []}],
      "properties": {"owner": "ada", "write.format.default": "parquet"},
      "current-snapshot-id": 11,
      "next-row-id": ${formatVersion === 3 ? 100 : 0},
      "refs": {
        "main": {"snapshot-id": 11, "type": "branch"},
        "audit": {"snapshot-id": 9123456789012345678, "type": "branch", "min-snapshots-to-keep": 3},
        "v1": {"snapshot-id": 10, "type": "tag", "max-ref-age-ms": 1000}},
      "snapshots": [
        {"snapshot-id": 10, "sequence-number": 1, "timestamp-ms": 1700000001000, "manifest-list": "s3://lake/m1.avro", "summary": {"operation": "append"}, "schema-id": 0},
        {"snapshot-id": 11, "parent-snapshot-id": 10, "sequence-number": 2, "timestamp-ms": 1700000002000, "manifest-list": "s3://lake/m2.avro", "summary": {"operation": "append"}, "schema-id": 0},
        {"snapshot-id": 9123456789012345678, "parent-snapshot-id": 11, "sequence-number": 3, "timestamp-ms": 1700000003000, "manifest-list": "s3://lake/m3.avro", "summary": {"operation": "append"}, "schema-id": 0}],
      "statistics": [{"snapshot-id": 11, "statistics-path": "s3://lake/s.puffin", "file-size-in-bytes": 10, "file-footer-size-in-bytes": 5, "blob-metadata": []}],
      "snapshot-log": [
        {"timestamp-ms": 1700000001000, "snapshot-id": 10},
        {"timestamp-ms": 1700000002000, "snapshot-id": 11}],
      "metadata-log": [{"timestamp-ms": 1700000001000, "metadata-file": "s3://lake/db/events/metadata/00000-a.metadata.json"}]
    }`),
    () => 'unused',
  )
}
