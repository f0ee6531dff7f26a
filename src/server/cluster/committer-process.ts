import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { default as process } from 'node:process'
import type { Clock } from '../../../base/clock.ts'
import { type MetadataPlaces, openCommitter } from '../../../engine/index.ts'
import { serveCommitter } from './committer-socket.ts'

/** What the primary says to the committer's process, and hears from it. */
export type ToCommitter =
  /** Everybody who reads does so from the directory that it told. */
  | { readonly kind: 'serve' }
  | { readonly kind: 'end' }

export type FromCommitter =
  /** Its metadata are open, and can be read from this directory. */
  | { readonly kind: 'opened'; readonly directory: string; readonly readOnly?: string }
  | { readonly kind: 'serving' }
  | { readonly kind: 'skipped'; readonly directory: string; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string }

export interface CommitterArguments {
  readonly places: MetadataPlaces
  readonly socketPath: string
  /** Where workers have the index open, the newest first; none at the start of the server. */
  readonly readFrom?: readonly string[]
  /** Where reading killed a process. */
  readonly suspects?: readonly string[]
  /** Whose drives failed a moment ago. */
  readonly avoid?: readonly string[]
}

/** What it leaves beside its socket when it ends because of copies of the metadata: there is no time to say it. */
export interface LastWords {
  readonly directories: readonly string[]
  readonly message: string
  /** The drives are well enough to be used again. */
  readonly isChange: boolean
}

export const lastWordsFile = 'last-words.json'

/** The first argument of the program when it is to be the committer. */
export const committerCommand = 'serve-commits'

/**
 * Exit codes. `needsNewServer`: the index cannot be trusted as the system holds it; only a start from
 * its checkpoint, with no reader left, brings it back.
 */
export const committerExits = { ended: 0, failed: 1, needsNewServer: 3 } as const

export function argumentsOf(committer: CommitterArguments): string[] {
  return [committerCommand, JSON.stringify(committer)]
}

/**
 * The life of the committer's process: opens the metadata, serves commits to the workers, and ends
 * when the primary says so, or at once when the primary is gone.
 */
export async function runCommitter([, words = '']: readonly string[], clock: Clock): Promise<void> {
  const { places, socketPath, readFrom, suspects, avoid } = JSON.parse(words) as CommitterArguments
  // A terminal sends its signals to every process of the group; the primary tells when to end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(committerExits.failed))
  const ended = new AbortController()
  try {
    const opened = await openCommitter({
      places,
      clock,
      readFrom,
      suspects,
      avoid,
      onSkipped: (skipped, { message }) => tell({ kind: 'skipped', directory: skipped, message }),
      // Nobody is answered: the next committer finds out what became of what was under way.
      onFailure: (remedy, failed) => {
        if (remedy === 'newServer') process.exit(committerExits.needsNewServer)
        die(socketPath, { directories: failed.map(({ directory }) => directory), message: failed.map(({ error }) => textOf(error)).join('; '), isChange: false })
      },
    })
    const { committer, known, directory, readOnly } = opened
    process.on('message', ({ kind }: ToCommitter) => {
      if (kind === 'serve') {
        serveCommitter({ committer, known, path: socketPath }).then(() => tell({ kind: 'serving' }), () => process.exit(committerExits.failed))
      } else {
        ended.abort()
        committer.close().then(() => process.exit(committerExits.ended), () => process.exit(committerExits.failed))
      }
    })
    tell({ kind: 'opened', directory, ...(readOnly === undefined ? {} : { readOnly }) })
    void opened.changed(ended.signal).then(change => {
      if (change === undefined || ended.signal.aborted) return
      const message = change.kind === 'back' ? 'its drive can be used again' : change.explanation
      die(socketPath, { directories: [change.directory], message, isChange: change.kind !== 'failing' })
    })
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }, () => process.exit(committerExits.failed))
  }
}

/** At once, whatever a drive still keeps a thread waiting for: an ordinary exit would wait for it too. */
function die(socketPath: string, words: LastWords): void {
  writeFileSync(join(dirname(socketPath), lastWordsFile), JSON.stringify(words))
  process.kill(process.pid, 'SIGKILL')
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function tell(message: FromCommitter, then: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, then)
}
