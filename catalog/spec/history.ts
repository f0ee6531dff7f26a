import type { SharedBytes } from '../catalog-store.ts'
import { itemSeparator } from '../json/value-text.ts'

/**
 * A table's long lists (snapshots, the snapshot log and the log of metadata files) are in memory as far as somebody needs them:
 * the rest are runs of items whose text is in shared bytes of the table's metadata file
 * (`table-file.ts`). Values, never mutated; without runs a list is whole.
 */
export interface History<T> {
  readonly items: readonly T[]
  readonly runs: readonly ArchivedRun[]
}

/** The text of some items, as `itemsText` has it. */
export interface ArchivedRun extends SharedBytes {
  /** How many of the list's items in memory come before the run. */
  readonly before: number
  /** Where the run begins in the metadata file that the list was read from. */
  readonly fileOffset: number
}

export interface Archived {
  readonly snapshots: readonly ArchivedRun[]
  readonly 'snapshot-log': readonly ArchivedRun[]
  readonly 'metadata-log': readonly ArchivedRun[]
}

export type Piece<T> = { readonly kind: 'item'; readonly item: T } | { readonly kind: 'run'; readonly run: Omit<ArchivedRun, 'before'> }

/** A list's items and runs in their order. */
export function piecesOf<T>({ items, runs }: History<T>): Piece<T>[] {
  const pieces: Piece<T>[] = []
  let next = 0
  for (const { before, ...run } of runs) {
    for (; next < before; next++) pieces.push({ kind: 'item', item: items[next] as T })
    pieces.push({ kind: 'run', run })
  }
  for (; next < items.length; next++) pieces.push({ kind: 'item', item: items[next] as T })
  return pieces
}

export function historyOf<T>(pieces: readonly Piece<T>[]): History<T> {
  const items: T[] = []
  const runs: ArchivedRun[] = []
  for (const piece of pieces) {
    if (piece.kind === 'item') items.push(piece.item)
    else runs.push({ ...piece.run, before: items.length })
  }
  return { items, runs }
}

/** Without the items in memory that `keeps` refuses. */
export function filterHistory<T>(history: History<T>, keeps: (item: T) => boolean): History<T> {
  if (history.runs.length === 0) return { items: history.items.filter(keeps), runs: [] }
  return historyOf(piecesOf(history).filter((piece) => piece.kind === 'run' || keeps(piece.item)))
}

/** An item that a run holds: `offset` is its place in the shared bytes. */
export interface FoundItem<T> extends SharedBytes {
  readonly item: T
}

/** The list with `found` items, ascending by place in each run, in memory: their runs are cut around them. */
export function takeOut<T>(history: History<T>, found: readonly FoundItem<T>[]): History<T> {
  return historyOf(
    piecesOf(history).flatMap((piece): Piece<T>[] => {
      if (piece.kind === 'item') return [piece]
      const own = found.filter(({ sharedId, offset }) => sharedId === piece.run.sharedId && offset >= piece.run.offset && offset < piece.run.offset + piece.run.sizeBytes)
      const pieces: Piece<T>[] = []
      let rest: Piece<T>[] = [piece]
      for (const { item, offset, sizeBytes } of own) {
        const run = rest[0]?.kind === 'run' ? rest[0].run : piece.run
        pieces.push(...runBefore<T>(run, offset), { kind: 'item', item })
        rest = runAfter<T>(run, offset + sizeBytes)
      }
      return [...pieces, ...rest]
    }),
  )
}

/** What is left of a run before the item at `offset`. */
function runBefore<T>(run: Omit<ArchivedRun, 'before'>, offset: number): Piece<T>[] {
  const sizeBytes = offset - itemSeparator.length - run.offset
  return sizeBytes <= 0 ? [] : [{ kind: 'run', run: { ...run, sizeBytes } }]
}

/** What is left of a run after the item that ends at `end`. */
export function runAfter<T>(run: Omit<ArchivedRun, 'before'>, end: number): Piece<T>[] {
  const offset = end + itemSeparator.length
  const sizeBytes = run.offset + run.sizeBytes - offset
  return sizeBytes <= 0 ? [] : [{ kind: 'run', run: { ...run, offset, sizeBytes, fileOffset: run.fileOffset + offset - run.offset } }]
}

const maxRuns = 64
const maxUnusedBytes = 1024 * 1024

/** Whether so much of the shared bytes is out of use, or in so many pieces, that the lists should be written anew. */
export function isWorn({ snapshots, 'snapshot-log': log }: Archived): boolean {
  return areWorn([...snapshots, ...log], maxUnusedBytes)
}

/** As `isWorn`, of one short list's runs. */
export function areWorn(runs: readonly ArchivedRun[], maxUnusedBytes: number): boolean {
  if (runs.length > maxRuns) return true
  const ends = new Map<string, number>()
  let usedBytes = 0
  for (const { sharedId, offset, sizeBytes } of runs) {
    ends.set(sharedId, Math.max(ends.get(sharedId) ?? 0, offset + sizeBytes))
    usedBytes += sizeBytes
  }
  const sharedBytes = [...ends.values()].reduce((sum, end) => sum + end, 0)
  return sharedBytes - usedBytes > usedBytes + maxUnusedBytes
}
