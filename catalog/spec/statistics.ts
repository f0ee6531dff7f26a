import { array, int32, int64, object, optional, record, string, type Decoder } from '../json/decode.ts'
import type { Int64 } from '../json/json.ts'

/** https://iceberg.apache.org/spec/#table-statistics */
export interface StatisticsFile {
  readonly 'snapshot-id': Int64
  readonly 'statistics-path': string
  readonly 'file-size-in-bytes': Int64
  readonly 'file-footer-size-in-bytes': Int64
  readonly 'key-metadata'?: string
  readonly 'blob-metadata': readonly BlobMetadata[]
}

export interface BlobMetadata {
  readonly type: string
  readonly 'snapshot-id': Int64
  readonly 'sequence-number': Int64
  readonly fields: readonly number[]
  readonly properties?: Readonly<Record<string, string>>
}

export interface PartitionStatisticsFile {
  readonly 'snapshot-id': Int64
  readonly 'statistics-path': string
  readonly 'file-size-in-bytes': Int64
}

export const decodeStatisticsFile: Decoder<StatisticsFile> = object({
  'snapshot-id': int64,
  'statistics-path': string,
  'file-size-in-bytes': int64,
  'file-footer-size-in-bytes': int64,
  'key-metadata': optional(string),
  'blob-metadata': array(
    object({ type: string, 'snapshot-id': int64, 'sequence-number': int64, fields: array(int32), properties: optional(record(string)) }),
  ),
})

export const decodePartitionStatisticsFile: Decoder<PartitionStatisticsFile> = object({
  'snapshot-id': int64,
  'statistics-path': string,
  'file-size-in-bytes': int64,
})

/** https://iceberg.apache.org/spec/#encryption-keys */
export interface EncryptedKey {
  readonly 'key-id': string
  readonly 'encrypted-key-metadata': string
  readonly 'encrypted-by-id'?: string
  readonly properties?: Readonly<Record<string, string>>
}

export const decodeEncryptedKey: Decoder<EncryptedKey> = object({
  'key-id': string,
  'encrypted-key-metadata': string,
  'encrypted-by-id': optional(string),
  properties: optional(record(string)),
})
