import type { CatalogStore } from '../catalog-store.ts'
import { decodeUtf8, parseJson } from '../json/parse.ts'
import { itemSeparator } from '../json/value-text.ts'
import { readTableHead, type MetadataReader } from '../metadata-cache.ts'
import type { MetadataFile } from '../rows/rows.ts'
import { piecesOf } from '../spec/history.ts'
import { decodeSnapshot, type Snapshot } from '../spec/snapshot.ts'
import type { RunPlace } from './scan-run.ts'

/** All snapshots of a table, in their order; of those that are archived, one chunk of the file is in memory at a time. */
export async function* eachSnapshot(reader: MetadataReader, file: MetadataFile): AsyncGenerator<Snapshot> {
  const { snapshots: items, archived } = await readTableHead(reader, file)
  for (const piece of piecesOf({ items, runs: archived?.snapshots ?? [] })) {
    if (piece.kind === 'item') yield piece.item
    else yield* archivedSnapshots(reader.store, file.metadataLocation, piece.run)
  }
}

const lineFeed = 0x0a
const comma = itemSeparator.length - 1

/** The run's text is ours: each snapshot is a line. */
async function* archivedSnapshots(store: Pick<CatalogStore, 'readRange'>, location: string, { fileOffset, sizeBytes }: RunPlace): AsyncGenerator<Snapshot> {
  let rest: Uint8Array = Buffer.alloc(0)
  for await (const chunk of store.readRange(location, { offset: fileOffset, length: sizeBytes })) {
    const bytes = Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
      yield snapshotIn(bytes.subarray(start, end - comma))
      start = end + 1
    }
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield snapshotIn(rest)
}

function snapshotIn(line: Uint8Array): Snapshot {
  return decodeSnapshot(parseJson(decodeUtf8(line)), 'snapshot')
}
