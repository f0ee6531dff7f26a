import { type MetadataReader, MetadataError, type Row } from './metadata-store.ts'

/** A table's rows that a walk has just met, and what is still to be done. */
export interface DamageSearch {
  /** Tables before this one are known to be whole. */
  readonly from?: number
  readonly onRows?: (table: number, rows: readonly Row[]) => Promise<void> | void
  readonly onTable?: (next: number) => Promise<void> | void
}

/** Keys begin with a byte below this. */
export const tableCount = 0xff

/** Walks one copy of the metadata, table by table, each as it was at one time: what is damaged, undefined where nothing is. */
export async function damageIn(reader: Pick<MetadataReader, 'walk'>, { from = 0, onRows, onTable }: DamageSearch = {}): Promise<MetadataError | undefined> {
  for (let table = from; table < tableCount; table++) {
    try {
      await reader.walk({ table, onRows: (rows) => onRows?.(table, rows) })
    } catch (error) {
      if (error instanceof MetadataError && error.code === 'Corrupt') return error
      throw error
    }
    await onTable?.(table + 1)
  }
  return undefined
}
