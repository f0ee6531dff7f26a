import type { Json } from '../json/json.ts'
import { stringifyJson } from '../json/stringify.ts'
import { isUnpartitioned, type PartitionSpec } from '../spec/partition-spec.ts'
import type { ContentFile, ManifestEntry } from './manifests.ts'

/** The id of the column that position delete files keep the data file's path in. */
const pathFieldId = 2147483546

/**
 * Which delete files apply to a data file: https://iceberg.apache.org/spec/#scan-planning.
 * A deletion vector stands for all position deletes of its file.
 */
export class DeleteIndex {
  readonly #vectors = new Map<string, ManifestEntry[]>()
  readonly #byPath = new Map<string, ManifestEntry[]>()
  readonly #positionsByPartition = new Map<string, ManifestEntry[]>()
  readonly #equalityByPartition = new Map<string, ManifestEntry[]>()
  /** Equality deletes of an unpartitioned spec apply to every partition. */
  readonly #equalityEverywhere: ManifestEntry[] = []

  constructor(deletes: readonly ManifestEntry[], specs: ReadonlyMap<number, PartitionSpec>) {
    for (const entry of deletes) this.#add(entry, specs.get(entry.file.specId))
  }

  #add(entry: ManifestEntry, spec: PartitionSpec | undefined): void {
    const { file } = entry
    const partition = partitionKey(file)
    if (file.content === 'equality-deletes') {
      if (spec !== undefined && isUnpartitioned(spec)) this.#equalityEverywhere.push(entry)
      else append(this.#equalityByPartition, partition, entry)
      return
    }
    const path = referencedPath(file)
    if (path === undefined) append(this.#positionsByPartition, partition, entry)
    else append(file.contentOffset === undefined ? this.#byPath : this.#vectors, path, entry)
  }

  deletesFor({ file, sequenceNumber }: ManifestEntry): readonly ContentFile[] {
    const partition = partitionKey(file)
    const since = (entries: readonly ManifestEntry[] | undefined): ManifestEntry[] => (entries ?? []).filter((entry) => entry.sequenceNumber >= sequenceNumber)
    const after = (entries: readonly ManifestEntry[] | undefined): ManifestEntry[] => (entries ?? []).filter((entry) => entry.sequenceNumber > sequenceNumber)
    const vectors = since(this.#vectors.get(file.path))
    const positions = vectors.length > 0 ? vectors : [...since(this.#byPath.get(file.path)), ...since(this.#positionsByPartition.get(partition))]
    const equality = [...after(this.#equalityEverywhere), ...after(this.#equalityByPartition.get(partition))]
    return [...positions, ...equality].map((entry) => entry.file)
  }
}

function append(index: Map<string, ManifestEntry[]>, key: string, entry: ManifestEntry): void {
  const entries = index.get(key)
  if (entries === undefined) index.set(key, [entry])
  else entries.push(entry)
}

/** The only data file that a position delete file is about, when it says so. */
function referencedPath(file: ContentFile): string | undefined {
  if (file.referencedDataFile !== undefined) return file.referencedDataFile
  const lower = file.lowerBounds.get(pathFieldId)
  const upper = file.upperBounds.get(pathFieldId)
  return lower !== undefined && upper !== undefined && lower.equals(upper) ? lower.toString('utf8') : undefined
}

function partitionKey({ specId, partition }: ContentFile): string {
  const values = [...partition].map(([id, value]): Json => [id, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : ((value ?? null) as Json)])
  return `${specId}${stringifyJson(values)}`
}
