import { default as process } from 'node:process'
import type { Clock } from '../../../base/clock.ts'
import { openCommitter } from '../../../engine/index.ts'
import { serveCommitter } from './committer-socket.ts'

/** What the primary says to the committer's process, and hears from it. */
export type ToCommitter = { readonly kind: 'end' }
export type FromCommitter =
  | { readonly kind: 'serving' }
  | { readonly kind: 'failed'; readonly message: string }

export interface CommitterArguments {
  readonly directory: string
  readonly socketPath: string
  readonly start: 'afterPowerLoss' | 'afterCrash'
}

/** The first argument of the program when it is to be the committer. */
export const committerCommand = 'serve-commits'

/**
 * Exit codes. `needsNewServer`: the index cannot be trusted as the system holds it; only a start from
 * its checkpoint, with no reader left, brings it back.
 */
export const committerExits = { ended: 0, failed: 1, needsNewServer: 3 } as const

export function argumentsOf({ directory, socketPath, start }: CommitterArguments): string[] {
  return [committerCommand, directory, socketPath, start]
}

/**
 * The life of the committer's process: opens the metadata, serves commits to the workers, and ends
 * when the primary says so, or at once when the primary is gone.
 */
export async function runCommitter([, directory = '', socketPath = '', start]: readonly string[], clock: Clock): Promise<void> {
  // A terminal sends its signals to every process of the group; the primary tells when to end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(committerExits.failed))
  try {
    const { committer, known } = await openCommitter({
      directory,
      clock,
      start: start === 'afterCrash' ? 'afterCrash' : 'afterPowerLoss',
      // Nobody is answered: the next committer finds out what became of what was under way.
      onFailure: remedy => process.exit(committerExits[remedy === 'newServer' ? 'needsNewServer' : 'failed']),
    })
    const server = await serveCommitter({ committer, known, path: socketPath })
    process.on('message', ({ kind }: ToCommitter) => {
      if (kind !== 'end') return
      server.close()
      committer.close().then(() => process.exit(committerExits.ended), () => process.exit(committerExits.failed))
    })
    tell({ kind: 'serving' })
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }, () => process.exit(committerExits.failed))
  }
}

function tell(message: FromCommitter, then: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, then)
}
