import type { Extent } from '../shared-parts.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'

/** Of one store: by layout and the size of the version that has it. */
const maxKnown = 4096
const stores = new WeakMap<MetadataStore, Map<string, readonly Extent[]>>()

/**
 * What versions are made of, as far as it was read or written here. A layout only grows, and a version sees what lies within
 * its size, so this never goes stale; who has the version has read its row.
 */
export function knownExtents(store: MetadataStore, layoutId: string, sizeBytes: number): readonly Extent[] | undefined {
  return stores.get(store)?.get(nameOf(layoutId, sizeBytes))
}

export function rememberExtents(store: MetadataStore, layoutId: string, sizeBytes: number, extents: readonly Extent[]): void {
  const known = stores.get(store) ?? new Map<string, readonly Extent[]>()
  stores.set(store, known)
  known.set(nameOf(layoutId, sizeBytes), extents)
  for (const oldest of known.keys()) {
    if (known.size <= maxKnown) return
    known.delete(oldest)
  }
}

const nameOf = (layoutId: string, sizeBytes: number): string => `${layoutId} ${sizeBytes}`
