import type { CatalogStore } from '../catalog-store.ts'
import type { Json } from '../json/json.ts'
import type { PartitionSpec } from '../spec/partition-spec.ts'
import type { TableMetadata } from '../spec/table-metadata.ts'
import { DeleteIndex } from './delete-index.ts'
import { fileMayMatch, manifestMayMatch } from './evaluate.ts'
import { fileJson } from './file-json.ts'
import { readManifest, readManifestList, type ContentFile, type ManifestEntry, type ManifestFile } from './manifests.ts'
import type { Scan } from './scan-request.ts'

type Files = Pick<CatalogStore, 'readFile'>

/** The manifests that a scan must read; the same ones, in the same order, each time for the same scan. */
export interface ScanManifests {
  readonly data: readonly ManifestFile[]
  readonly deletes: readonly ManifestFile[]
}

export async function planManifests(files: Files, metadata: TableMetadata, scan: Scan): Promise<ScanManifests> {
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
  return spec === undefined || manifestMayMatch(scan.filter, manifest, spec, scan.schema)
}

/** Specification: `ScanTasks`, without plan tasks, for some of the scan's data manifests. */
export async function readTasks(files: Files, metadata: TableMetadata, scan: Scan, { data, deletes }: ScanManifests): Promise<{ readonly [name: string]: Json }> {
  const specs = specsOf(metadata)
  const deleteEntries = await liveEntries(files, deletes)
  const index = new DeleteIndex(deleteEntries, specs)
  const sentDeletes = new Map<ContentFile, number>()
  const tasks: Json[] = []
  for (const entry of (await liveEntries(files, data)).filter((candidate) => isScanned(candidate, scan))) {
    const spec = specs.get(entry.file.specId)
    if (spec !== undefined && !fileMayMatch(scan.filter, entry.file, spec, scan.schema)) continue
    const references = index.deletesFor(entry).map((file) => {
      const known = sentDeletes.get(file) ?? sentDeletes.size
      sentDeletes.set(file, known)
      return known
    })
    tasks.push({ 'data-file': fileJson(entry.file, spec, scan), ...(references.length > 0 && { 'delete-file-references': references }) })
  }
  const deleteFiles = [...sentDeletes.keys()].map((file) => fileJson(file, specs.get(file.specId), scan))
  return { 'file-scan-tasks': tasks, ...(deleteFiles.length > 0 && { 'delete-files': deleteFiles }) }
}

/** An incremental scan reads what its snapshots added, and nothing that they took over. */
function isScanned(entry: ManifestEntry, { snapshots }: Scan): boolean {
  if (snapshots.kind !== 'incremental') return true
  return entry.status === 'added' && snapshots.snapshots.some((snapshot) => snapshot['snapshot-id'] === entry.snapshotId)
}

async function liveEntries(files: Files, manifests: readonly ManifestFile[]): Promise<readonly ManifestEntry[]> {
  const entries: ManifestEntry[] = []
  for (const manifest of manifests) {
    for (const entry of await readManifest(files, manifest)) if (entry.status !== 'deleted') entries.push(entry)
  }
  return entries
}

function specsOf(metadata: TableMetadata): ReadonlyMap<number, PartitionSpec> {
  return new Map(metadata['partition-specs'].map((spec) => [spec['spec-id'], spec]))
}
