import { type Held, referenceRange, referenceRow, tables } from '../keys.ts'
import { bufferOf } from '../metadata/keys.ts'
import { referenceDropped } from './contents.ts'
import type { EngineContext } from './context.ts'

/** A blob or a layout that seems to be used no more. */
export interface Candidate {
  readonly held: Held
  /** Of the dropped use that is left of it; absent where there is none. */
  readonly contentId?: string
}

/**
 * Of the candidates, those that nothing uses, proven: a page of the metadata that is damaged hides rows without an error, so
 * that a blob's own reference is not found says nothing. Only a walk over the whole table, which matches the digest that
 * commits keep, says that there is none. What is not used then never will be: a new reference only ever comes beside one in use.
 * Throws `Corrupt` where the table is not whole: then nothing is garbage.
 *
 * Costs a walk over all references, about 2 seconds for a million of them.
 */
export async function provenUnused<T extends Candidate>(context: EngineContext, candidates: readonly T[]): Promise<T[]> {
  const unused = new Map(candidates.map((candidate) => [nameOf(bufferOf(referenceRange(candidate.held).start)), candidate]))
  await context.metadata.walk({
    table: tables.reference,
    onRows: (rows) => {
      for (const { key, value } of rows) {
        const name = nameOf(key.subarray(0, key.length - contentIdBytes))
        const candidate = unused.get(name)
        if (candidate !== undefined && !isLastTrace(candidate, key, value)) unused.delete(name)
      }
    },
  })
  return [...unused.values()]
}

const contentIdBytes = 16

function isLastTrace({ held, contentId }: Candidate, key: Buffer, value: Buffer): boolean {
  return contentId !== undefined && key.equals(referenceRow(held, contentId)) && value.equals(referenceDropped)
}

function nameOf(bytes: Buffer): string {
  return bytes.toString('latin1')
}
