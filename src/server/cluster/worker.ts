import { default as process } from 'node:process'
import { assert } from '../../../base/assert.ts'
import type { Config } from '../../config/parse-config.ts'
import type { Spent } from '../limits/rate-limits.ts'
import { authorityOf } from '../../config/values.ts'
import type { CommitterAddress, FromWorker, ToWorker } from './messages.ts'

/** A worker that accepts connections. */
export interface RunningWorker {
  readonly port: number
  /** Finishes what is under way and lets go of everything. Never rejects. */
  drain(): Promise<void>
  /** What another worker admitted of the requests that have a rate. */
  heard(spent: Spent): void
  /** Reads the metadata in this directory from now on. Throws when they cannot be opened. */
  readMetadataFrom(directory: string): void
}

/** What a running worker tells. */
export interface WorkerNews {
  /** To the other workers. */
  readonly spent: (spent: Spent) => void
  /** The metadata that it reads there are damaged. */
  readonly damaged: (directory: string) => void
  /** These copies are, and others are whole. */
  readonly copiesDamaged: (directories: readonly string[]) => void
}

/**
 * The life of a worker process: asks the primary for its configuration, starts, and drains when the
 * primary says so or on SIGTERM. SIGINT is the primary's business, since a terminal sends it to every
 * process of the group. When the primary is gone, Node's cluster module ends the process.
 */
export function runWorker(start: (config: Config, committer: CommitterAddress, tell: WorkerNews) => Promise<RunningWorker>): void {
  let running: Promise<RunningWorker> | undefined
  let draining = false
  const drain = (): void => {
    if (draining) return
    draining = true
    const ended = running === undefined ? Promise.resolve() : running.then(worker => worker.drain())
    ended.then(() => process.exit(0), () => process.exit(1))
  }
  process.on('SIGINT', () => {})
  process.on('SIGTERM', drain)
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'drain') drain()
    else if (message.kind === 'spent') void running?.then(worker => worker.heard(message.spent), () => {})
    else if (message.kind === 'moved') {
      running?.then(worker => worker.readMetadataFrom(message.directory)).then(
        () => tellPrimary({ kind: 'moved', directory: message.directory }),
        // It reads what is out of date: another worker takes its place.
        () => process.exit(1),
      )
    } else {
      running = start(message.config, message.committer, {
        spent: spent => tellWhileConnected({ kind: 'spent', spent }),
        damaged: directory => tellWhileConnected({ kind: 'damaged', directory }),
        copiesDamaged: directories => tellWhileConnected({ kind: 'copiesDamaged', directories }),
      })
      running.then(
        ({ port }) => tellPrimary({ kind: 'listening', port }),
        (error: unknown) => tellPrimary({ kind: 'failed', message: failureOf(error, message.config) }, () => process.exit(1)),
      )
    }
  })
  tellPrimary({ kind: 'hello' })
}

/** What the world refuses is told in words; anything else is a mistake of ours, told with its stack. */
function failureOf(error: unknown, { address }: Config): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return `${authorityOf(address)} is in use by another program`
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') return `cannot listen on ${authorityOf(address)}: ${error.message}`
  return error.stack ?? error.message
}

function tellWhileConnected(message: FromWorker): void {
  if (process.connected) tellPrimary(message)
}

function tellPrimary(message: FromWorker, then: () => void = () => {}): void {
  assert(process.send !== undefined, 'a worker has a channel to its primary')
  process.send(message, undefined, undefined, then)
}
