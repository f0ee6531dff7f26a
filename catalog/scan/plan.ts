import type { Json } from '../json/json.ts'
import type { PartitionSpec } from '../spec/partition-spec.ts'
import type { TableMetadata } from '../spec/table-metadata.ts'
import { DeleteIndex } from './delete-index.ts'
import { fileMayMatch, manifestMayMatch, verdictOf } from './evaluate.ts'
import { fileJson } from './file-json.ts'
import { readManifest, readManifestList, understood, type ContentFile, type ManifestEntry, type ManifestFile, type ManifestFiles } from './manifests.ts'
import { residualOf } from './residual.ts'
import type { Scan } from './scan-request.ts'

/** The manifests that a scan must read; the same ones, in the same order, each time for the same scan. */
export interface ScanManifests {
  readonly data: readonly ManifestFile[]
  readonly deletes: readonly ManifestFile[]
}

export async function planManifests(files: ManifestFiles, metadata: TableMetadata, scan: Scan): Promise<ScanManifests> {
  const { snapshots } = scan
  switch (snapshots.kind) {
    case 'none':
      return { data: [], deletes: [] }
    case 'pointInTime': {
      const matching = (await readManifestList(files, snapshots.snapshot)).filter((manifest) => mayMatch(manifest, metadata, scan))
      return { data: matching.filter(({ content }) => content === 'data'), deletes: matching.filter(({ content }) => content === 'deletes') }
    }
    case 'incremental': {
      const data: ManifestFile[] = []
      for (const snapshot of snapshots.snapshots) {
        const own = (await readManifestList(files, snapshot)).filter((manifest) => manifest.addedSnapshotId === snapshot['snapshot-id'] && manifest.content === 'data')
        data.push(...own.filter((manifest) => mayMatch(manifest, metadata, scan)))
      }
      return { data, deletes: [] }
    }
  }
}

function mayMatch(manifest: ManifestFile, metadata: TableMetadata, scan: Scan): boolean {
  const spec = specsOf(metadata).get(manifest.specId)
  return spec === undefined || understood(manifest.path, () => manifestMayMatch(scan.filter, manifest, spec, scan.schema))
}

/** Specification: `ScanTasks`, without plan tasks, for some of the scan's data manifests. */
export async function readTasks(files: ManifestFiles, metadata: TableMetadata, scan: Scan, { data, deletes }: ScanManifests): Promise<{ readonly [name: string]: Json }> {
  const specs = specsOf(metadata)
  const deleteEntries = await liveEntries(files, deletes)
  const index = new DeleteIndex(deleteEntries, specs)
  const sentDeletes = new Map<ContentFile, number>()
  const tasks: Json[] = []
  let rows = 0n
  for (const manifest of data) {
    if (scan.minRows !== undefined && rows >= scan.minRows) break
    for (const entry of (await liveEntries(files, [manifest])).filter((candidate) => isScanned(candidate, scan))) {
      understood(manifest.path, () => {
        const spec = specs.get(entry.file.specId)
        if (spec !== undefined && !fileMayMatch(scan.filter, entry.file, spec, scan.schema)) return
        const references = index.deletesFor(entry).map((file) => {
          const known = sentDeletes.get(file) ?? sentDeletes.size
          sentDeletes.set(file, known)
          return known
        })
        const residual = residualFilter(entry.file, spec, scan)
        tasks.push({
          'data-file': fileJson(entry.file, spec, scan),
          ...(references.length > 0 && { 'delete-file-references': references }),
          ...(residual !== undefined && { 'residual-filter': residual }),
        })
        // Only rows that are sure to be there count: of files without deletes, all of them selected.
        if (references.length === 0 && (residual === undefined || residual === true)) rows += BigInt(entry.file.recordCount)
      })
    }
  }
  const deleteFiles = [...sentDeletes.keys()].map((file) => fileJson(file, specs.get(file.specId), scan))
  return { 'file-scan-tasks': tasks, ...(deleteFiles.length > 0 && { 'delete-files': deleteFiles }) }
}

/** What the client still has to test on the file's rows; undefined where it asked for no filter. */
function residualFilter(file: ContentFile, spec: PartitionSpec | undefined, { sourced, schema }: Scan): Json | undefined {
  if (sourced === undefined) return undefined
  return residualOf(sourced, (test) => (spec === undefined ? 'unknown' : verdictOf(test, file, spec, schema)))
}

/** An incremental scan reads what its snapshots added, and nothing that they took over. */
function isScanned(entry: ManifestEntry, { snapshots }: Scan): boolean {
  if (snapshots.kind !== 'incremental') return true
  return entry.status === 'added' && snapshots.snapshots.some((snapshot) => snapshot['snapshot-id'] === entry.snapshotId)
}

async function liveEntries(files: ManifestFiles, manifests: readonly ManifestFile[]): Promise<readonly ManifestEntry[]> {
  const entries: ManifestEntry[] = []
  for (const manifest of manifests) {
    for (const entry of await readManifest(files, manifest)) if (entry.status !== 'deleted') entries.push(entry)
  }
  return entries
}

function specsOf(metadata: TableMetadata): ReadonlyMap<number, PartitionSpec> {
  return new Map(metadata['partition-specs'].map((spec) => [spec['spec-id'], spec]))
}
