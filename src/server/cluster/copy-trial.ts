import { fork } from 'node:child_process'
import { default as process } from 'node:process'
import type { Clock } from '../../../base/clock.ts'
import { type CopyTrial, currentCopies, type MetadataPlaces, tryCopy } from '../../../engine/index.ts'
import { memoryFlags } from './memory-flags.ts'

/** The first argument of the program when it is to try a copy of the metadata: damage below its map may end it. */
export const tryCopyCommand = 'try-copy'

/** `unknown`: its drive fails, or the trial was stopped. */
type FromTrial = CopyTrial | { readonly kind: 'unknown' }

export type TriedCopy = FromTrial & {
  readonly directory: string
  /** It is one of the newest epoch, or there has been none: any other is only ever a target. */
  readonly isCurrent: boolean
}

type TriedDrive = MetadataPlaces['drives'][number]

/** The life of the process that tries one copy; it ends at once when nobody listens any more. */
export async function runCopyTrial([, words = '']: readonly string[], clock: Clock): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(1))
  const found = await tryCopy({ drive: JSON.parse(words) as TriedDrive, clock }).catch((): FromTrial => ({ kind: 'unknown' }))
  process.send?.(found, undefined, undefined, () => process.exit(0))
}

/** Each copy in a process of its own, which runs `programFile`, one after the other. Never rejects. */
export async function tryCopies(programFile: string, places: MetadataPlaces, clock: Clock, signal: AbortSignal): Promise<TriedCopy[]> {
  const current = await currentCopies(places, clock)
  const tried: TriedCopy[] = []
  for (const drive of places.drives) {
    tried.push({ directory: drive.directory, isCurrent: current.length === 0 || current.includes(drive.directory), ...(await tryElsewhere(programFile, drive, signal)) })
  }
  return tried
}

function tryElsewhere(programFile: string, drive: TriedDrive, signal: AbortSignal): Promise<FromTrial> {
  if (signal.aborted) return Promise.resolve({ kind: 'unknown' })
  return new Promise(resolve => {
    const trial = fork(programFile, [tryCopyCommand, JSON.stringify(drive)], { execArgv: [...process.execArgv, ...memoryFlags] })
    const stop = (): void => void (trial.connected && trial.disconnect())
    signal.addEventListener('abort', stop)
    let found: FromTrial = { kind: 'unknown' }
    trial.on('message', (message: FromTrial) => (found = message))
    trial.on('error', () => {})
    trial.on('exit', (_, ended) => {
      signal.removeEventListener('abort', stop)
      resolve(ended === null || signal.aborted ? found : { kind: 'damaged', message: `reading it ends the process: ${ended}` })
    })
  })
}

/** What a start makes of it: which copies to make anew, or why there is none to make them from. Pure. */
export function judgeCopies(tried: readonly TriedCopy[]): { readonly kind: 'goOn'; readonly damaged: readonly Damaged[] } | { readonly kind: 'lost'; readonly messages: readonly string[] } {
  const damaged = tried.flatMap(copy => (copy.kind === 'damaged' ? [copy] : []))
  // Without damage: whatever ended the process may not come again.
  if (damaged.length === 0 || tried.some(({ kind, isCurrent }) => kind === 'whole' && isCurrent)) return { kind: 'goOn', damaged }
  const which = damaged.map(({ directory, message }) => `the copy of the metadata in ${directory} is damaged: ${message}`)
  return { kind: 'lost', messages: [...which, damaged.length === 1 && tried.length === 1 ? onlyCopy : noCopy] }
}

type Damaged = Extract<TriedCopy, { readonly kind: 'damaged' }>

const onlyCopy = 'it is the only copy, and nothing was removed from it: put the folder of the drive back as a backup has it, and start again'
const noCopy = 'no other copy can be read, and nothing was removed: bring back a drive that is missing, or put the folders of these drives back as one backup has them, and start again'
