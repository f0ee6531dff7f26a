import { quoted } from './versions.ts'
import type { CommonPrefix as Prefix, _Object } from '@aws-sdk/client-s3'
import type { CommonPrefix, ObjectVersion } from '../../engine/index.ts'

export interface ListedOwner {
  readonly ID: string
  readonly DisplayName?: string
}

/** One page's objects and common prefixes, in the order of the listing. */
export function objectEntries(
  entries: readonly (ObjectVersion | CommonPrefix)[],
  encode: (text: string) => string,
  owner: ((ownerId: string) => ListedOwner) | undefined,
): { Contents: _Object[]; CommonPrefixes: Prefix[] } {
  const contents: _Object[] = []
  const prefixes: Prefix[] = []
  for (const entry of entries) {
    if (entry.kind === 'commonPrefix') {
      prefixes.push({ Prefix: encode(entry.prefix) })
      continue
    }
    const { checksums, attributes } = entry
    contents.push({
      Key: encode(entry.key),
      LastModified: new Date(entry.lastModifiedMs),
      ETag: quoted(entry.etag),
      ...(checksums[0] === undefined ? {} : { ChecksumAlgorithm: checksums.map(({ algorithm }) => algorithm as 'CRC32'), ChecksumType: checksums[0].type }),
      Size: entry.sizeBytes,
      ...(owner === undefined ? {} : { Owner: owner(entry.ownerId) }),
      StorageClass: attributes.storageClass as 'STANDARD',
    })
  }
  return { Contents: contents, CommonPrefixes: prefixes }
}

/** The key or common prefix that a page ended with. */
export function lastEntry(entries: readonly ({ readonly key: string } | CommonPrefix)[]): string | undefined {
  const last = entries.at(-1)
  if (last === undefined) return undefined
  return 'prefix' in last ? last.prefix : last.key
}
