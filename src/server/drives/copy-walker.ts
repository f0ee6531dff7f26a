import { fork } from 'node:child_process'
import { default as process } from 'node:process'
import type { Clock } from '../../../base/clock.ts'
import { walkCopy } from '../../../engine/index.ts'
import { memoryFlags } from '../cluster/memory-flags.ts'

/** The first argument of the program when it is to walk over a copy of the metadata: damage below its map may end it. */
export const walkCopyCommand = 'walk-copy'

export interface WalkCopyArguments {
  readonly directory: string
  readonly from: number
  readonly bytesPerSecond: number
}

/** What the walker's process tells. */
type FromWalker =
  | { readonly kind: 'table'; readonly next: number; readonly rows: number }
  | { readonly kind: 'whole' }
  | { readonly kind: 'damaged'; readonly message: string }

/** `gone`: there is nothing to walk over, or the walk was stopped. */
export type CopyFound = Exclude<FromWalker, { readonly kind: 'table' }> | { readonly kind: 'gone' }

export type OnTable = (next: number, rows: number) => void

/** The life of the walker's process: it walks over one copy, says what it found, and ends; at once when nobody listens any more. */
export async function runCopyWalker([, words = '']: readonly string[], clock: Clock): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(1))
  const tell = (message: FromWalker): Promise<void> => new Promise(resolve => process.send?.(message, undefined, undefined, () => resolve()))
  const found = await walkCopy({ ...(JSON.parse(words) as WalkCopyArguments), clock, onTable: (next, rows) => void tell({ kind: 'table', next, rows }) })
  await tell(found === undefined ? { kind: 'whole' } : { kind: 'damaged', message: found })
  process.exit(0)
}

/** Walks over a copy in a process of its own, which runs `programFile`. Never rejects. */
export function walkElsewhere(programFile: string, walk: WalkCopyArguments, onTable: OnTable, signal: AbortSignal): Promise<CopyFound> {
  return new Promise(resolve => {
    const walker = fork(programFile, [walkCopyCommand, JSON.stringify(walk)], { execArgv: [...process.execArgv, ...memoryFlags] })
    const stop = (): void => void (walker.connected && walker.disconnect())
    signal.addEventListener('abort', stop)
    let found: CopyFound = { kind: 'gone' }
    walker.on('message', (message: FromWalker) => {
      if (message.kind === 'table') onTable(message.next, message.rows)
      else found = message
    })
    walker.on('error', () => {})
    walker.on('exit', (_, ended) => {
      signal.removeEventListener('abort', stop)
      resolve(ended === null || signal.aborted ? found : { kind: 'damaged', message: `reading it ended the process: ${ended}` })
    })
  })
}
