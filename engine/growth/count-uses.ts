import type { MetadataReader } from '../metadata/metadata-store.ts'
import { setOfBlob, usesIn, usingRows, usingTables } from './blob-uses.ts'

/** How often rows use blobs of a set: every row is read. Exact only while nobody commits. */
export async function countUses(reader: MetadataReader, set: number): Promise<number> {
  let uses = 0
  for (const table of usingTables) {
    for await (const rows of usingRows(reader, table, undefined)) {
      for (const row of rows) uses += usesIn(row).filter(({ blob }) => setOfBlob(blob) === set).length
    }
  }
  return uses
}
