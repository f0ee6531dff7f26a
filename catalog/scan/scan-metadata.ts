import { MiB } from '../../base/units.ts'
import { bringBack } from '../archive/bring-back.ts'
import { eachSnapshot } from '../archive/each-snapshot.ts'
import type { CatalogContext } from '../context.ts'
import { readTableHead, readTableMetadata } from '../metadata-cache.ts'
import type { MetadataFile } from '../rows/rows.ts'
import type { Snapshot } from '../spec/snapshot.ts'
import type { TableMetadata } from '../spec/table-metadata.ts'
import type { ScanRequest } from './scan-request.ts'

type Reader = Pick<CatalogContext, 'store' | 'cache' | 'archiveIndexes'>

/** So much of archived snapshots is read whole, and then remembered. */
const defaultWholeBytes = 4 * MiB

/** The table's metadata with the snapshots that the scan is about, and perhaps others: not with a whole long history. */
export async function readScanMetadata(context: Reader, file: MetadataFile, request: ScanRequest, mostWholeBytes = defaultWholeBytes): Promise<TableMetadata> {
  const head = await readTableHead(context, file)
  const archivedBytes = (head.archived?.snapshots ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if (archivedBytes === 0) return head
  const { 'snapshot-id': id, 'start-snapshot-id': startId, 'end-snapshot-id': endId } = request
  if (endId !== undefined) return archivedBytes <= mostWholeBytes ? readTableMetadata(context, file) : withSnapshotsAfter(context, file, head, startId)
  if (id === undefined) return head
  const named = { action: 'set-snapshot-ref', refName: '', ref: { 'snapshot-id': id, type: 'tag' } } as const
  return (await bringBack(context, file.metadataLocation, head, [named])).metadata
}

/** A snapshot comes behind its parent in the list, so what is before the start of an incremental scan is of no account. */
async function withSnapshotsAfter(context: Reader, file: MetadataFile, head: TableMetadata, startId: ScanRequest['start-snapshot-id']): Promise<TableMetadata> {
  const snapshots: Snapshot[] = []
  let isAfter = startId === undefined
  for await (const snapshot of eachSnapshot(context, file)) {
    isAfter ||= snapshot['snapshot-id'] === startId
    if (isAfter) snapshots.push(snapshot)
  }
  const { archived: _, ...whole } = head
  return { ...whole, snapshots }
}
