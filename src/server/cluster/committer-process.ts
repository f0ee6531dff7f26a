import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { default as process } from 'node:process'
import type { Clock } from '../../../base/clock.ts'
import { assert } from '../../../base/assert.ts'
import { type Committer, type MetadataPlaces, openCommitter, type UnsettledSets } from '../../../engine/index.ts'
import type { Config } from '../../config/parse-config.ts'
import { serveCommitter } from './committer-socket.ts'

/** What the primary says to the committer's process, and hears from it. */
export type ToCommitter =
  /** To the first of a server, before anything else. Secrets travel here, never in arguments. */
  | { readonly kind: 'prepare'; readonly config: Config }
  /** Everybody who reads does so from the directory that it told. */
  | { readonly kind: 'serve' }
  | { readonly kind: 'end' }

export type FromCommitter =
  /** Where the metadata of the deployment are from now on. */
  | { readonly kind: 'settled'; readonly places: MetadataPlaces; readonly notes: readonly string[] }
  /** Its metadata are open, and can be read from this directory. */
  | { readonly kind: 'opened'; readonly directory: string; readonly readOnly?: string; readonly prepared?: Prepared }
  | { readonly kind: 'serving' }
  | { readonly kind: 'skipped'; readonly directory: string; readonly message: string }
  | { readonly kind: 'failed'; readonly messages: readonly string[]; readonly isDamage: boolean }

/** What has been made of a configuration. */
export interface Prepared {
  /** One that is there, to be shown. */
  readonly warehouse: string
  /** For the log. */
  readonly notes: readonly string[]
}

/**
 * What the first committer of a server does before anybody is served: all that a start reads and writes in rows. It does it,
 * and not the primary, because damage below the map of an index may end the process that reads it.
 */
export interface FirstSteps {
  settle(sets: UnsettledSets, suspects: readonly string[] | undefined): Promise<{ readonly metadata: MetadataPlaces; readonly notes: readonly string[] }>
  prepare(config: Config, opened: { readonly committer: Committer; readonly directory: string }): Promise<Prepared>
  /** Lines for the operator, where the world refuses; undefined for a mistake of ours. */
  reasonsOf(config: Config, error: unknown): readonly string[] | undefined
  /** What was read was not what had been written. */
  isDamage(error: unknown): boolean
}

export interface CommitterArguments {
  readonly places: MetadataPlaces
  readonly socketPath: string
  /** Where workers have the index open, the newest first; none at the start of the server. */
  readonly readFrom?: readonly string[]
  /** Where reading killed a process. */
  readonly suspects?: readonly string[]
  /** Whose drives failed a moment ago. */
  readonly avoid?: readonly string[]
  /** It is the first of its server; `unsettled`: where rows decide first where its metadata are. */
  readonly first?: { readonly unsettled?: UnsettledSets | undefined }
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
export async function runCommitter([, words = '']: readonly string[], clock: Clock, steps?: FirstSteps): Promise<void> {
  const told = JSON.parse(words) as CommitterArguments
  // A terminal sends its signals to every process of the group; the primary tells when to end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(committerExits.failed))
  const config = told.first === undefined ? undefined : await configuration()
  try {
    const places = await settled(told, steps)
    const opened = await open(told, places, clock)
    const { committer, directory, readOnly } = opened
    const prepared = config === undefined ? undefined : await steps?.prepare(config, { committer, directory })
    serve(opened, told.socketPath)
    tell({ kind: 'opened', directory, ...(readOnly === undefined ? {} : { readOnly }), ...(prepared === undefined ? {} : { prepared }) })
  } catch (error) {
    const messages = (config === undefined ? undefined : steps?.reasonsOf(config, error)) ?? [error instanceof Error ? (error.stack ?? error.message) : String(error)]
    tell({ kind: 'failed', messages, isDamage: steps?.isDamage(error) === true }, () => process.exit(committerExits.failed))
  }
}

/** The first message of all. */
function configuration(): Promise<Config> {
  return new Promise(resolve => {
    process.once('message', (message: ToCommitter) => {
      assert(message.kind === 'prepare', 'the first committer is told what to prepare')
      resolve(message.config)
    })
  })
}

async function settled({ first, places, suspects }: CommitterArguments, steps: FirstSteps | undefined): Promise<MetadataPlaces> {
  if (first?.unsettled === undefined || steps === undefined) return places
  const { metadata, notes } = await steps.settle(first.unsettled, suspects)
  tell({ kind: 'settled', places: metadata, notes })
  return metadata
}

type Opened = Awaited<ReturnType<typeof openCommitter>>

function open({ socketPath, readFrom, suspects, avoid }: CommitterArguments, places: MetadataPlaces, clock: Clock): Promise<Opened> {
  return openCommitter({
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
}

/** Until the primary says that it is to end, or its copies change. */
function serve(opened: Opened, socketPath: string): void {
  const { committer, known } = opened
  const ended = new AbortController()
  process.on('message', ({ kind }: ToCommitter) => {
    if (kind === 'serve') {
      serveCommitter({ committer, known, path: socketPath }).then(() => tell({ kind: 'serving' }), () => process.exit(committerExits.failed))
    } else {
      ended.abort()
      committer.close().then(() => process.exit(committerExits.ended), () => process.exit(committerExits.failed))
    }
  })
  void opened.changed(ended.signal).then(change => {
    if (change === undefined || ended.signal.aborted) return
    const message = change.kind === 'back' ? 'its drive can be used again' : change.explanation
    die(socketPath, { directories: [change.directory], message, isChange: change.kind !== 'failing' })
  })
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
