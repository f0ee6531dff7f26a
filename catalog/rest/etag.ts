import { hash } from 'node:crypto'
import type { MetadataFile } from '../rows/rows.ts'
import type { SnapshotMode } from '../spec/table-metadata.ts'

/** A table's ETag: its metadata file never changes, and each representation of it has its own. */
export function tableETag({ metadataLocation, fileTag = '' }: MetadataFile, mode: SnapshotMode): string {
  return `"${hash('sha256', [mode, metadataLocation, fileTag].join('\n'), 'hex').slice(0, 32)}"`
}

/** If-None-Match (RFC 9110 §13.1.2): a list of tags, weak ones included, or `*`. */
export function matchesETag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((candidate) => {
    const tag = candidate.trim().replace(/^W\//, '')
    return tag === '*' || tag === etag
  })
}
