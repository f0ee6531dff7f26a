import { default as cluster, type Worker } from 'node:cluster'
import { default as process } from 'node:process'
import { assert, must } from '../../../base/assert.ts'
import type { Clock } from '../../../base/clock.ts'
import { secondMs } from '../../../base/units.ts'
import { driveThreads, type MetadataPlaces, type UnsettledSets } from '../../../engine/index.ts'
import type { Config } from '../../config/parse-config.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Prepared } from './committer-process.ts'
import { CommitterSeat, isOfDamage } from './committer-seat.ts'
import { endLostConnections } from './handed-connections.ts'
import { memoryFlags } from './memory-flags.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { restartDelayMs } from './restart-delay.ts'

export interface PrimaryOptions {
  readonly config: Config
  readonly workers: number
  /** Where the committer finds the metadata. */
  readonly metadata: MetadataPlaces
  /** Where rows decide that first. */
  readonly unsettled: UnsettledSets | undefined
  /** The program that a worker runs, and the committer. */
  readonly workerFile: string
  readonly clock: Clock
  readonly logger: Logger
  /** Called once, when every worker accepts connections. */
  readonly onListening: (port: number, prepared: Prepared) => void
}

/** A place for a worker: there is always one in it, or one on its way. */
interface Seat {
  worker: Worker | undefined
  startedAtMs: number
  /** Lifetimes of the workers that died in it, the latest last; as many as the delay looks at. */
  livedMs: number[]
  listening: boolean
}

/** A worker gets this long over the drain timeout before it is killed. */
const killGraceMs = 5 * secondMs
/** For a worker to read elsewhere. */
const moveGraceMs = 5 * secondMs
const lifetimesKept = 8

/** How the server ended: after a drain, or because a worker could not start. */
export type Ending = { readonly kind: 'drained' } | { readonly kind: 'failed'; readonly messages: readonly string[] }

/** Runs the committer and the workers until a signal ends the server. A worker that dies once all of them serve is replaced. */
export function runPrimary(options: PrimaryOptions): Promise<Ending> {
  return new Promise(resolve => new Primary(options, resolve).start())
}

class Primary {
  readonly #options: PrimaryOptions
  readonly #finish: (ending: Ending) => void
  readonly #seats: Seat[]
  readonly #committer: CommitterSeat
  #phase: 'starting' | 'serving' | 'ending' = 'starting'
  /** Once a worker has listened, the configuration is good: what fails or dies then is replaced, though others still start. */
  #hasServed = false
  #ending: Ending = { kind: 'drained' }
  #prepared: Prepared | undefined
  #port: number
  /** Workers that know where to read. */
  readonly #told = new WeakSet<Worker>()
  #finishing = false
  /** Aborted when the last worker has gone, so that no timer keeps the process. */
  readonly #ended = new AbortController()

  constructor(options: PrimaryOptions, finish: (ending: Ending) => void) {
    this.#options = options
    this.#finish = finish
    this.#port = options.config.address.port
    const { metadata: places, unsettled, config, workerFile: programFile, clock, logger } = options
    this.#committer = new CommitterSeat({ places, unsettled, config, programFile, clock, logger, onMoved: directory => this.#moveReaders(directory), onLost: messages => this.#fail(messages) })
    this.#seats = Array.from({ length: options.workers }, () => ({ worker: undefined, startedAtMs: 0, livedMs: [], listening: false }))
  }

  start(): void {
    cluster.setupPrimary({ exec: this.#options.workerFile, args: [], execArgv: [...process.execArgv, ...memoryFlags] })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#onSignal(signal))
    void this.#committer.start().then(prepared => {
      this.#prepared = prepared
      for (const note of prepared.notes) this.#options.logger.warn({ drives: this.#options.config.drives }, note)
      if (this.#phase === 'starting') for (const seat of this.#seats) this.#fork(seat)
    })
  }

  #fork(seat: Seat): void {
    // Where libuv has 4 threads: syncs of large objects would hold all of them, and small ones would wait behind them.
    const worker = cluster.fork({ UV_THREADPOOL_SIZE: String(driveThreads(this.#options.config.drives.length)) })
    endLostConnections(worker)
    seat.worker = worker
    seat.listening = false
    seat.startedAtMs = this.#options.clock.monotonicMs()
    worker.on('message', (message: FromWorker) => this.#onMessage(seat, worker, message))
    worker.on('error', (error: Error) => this.#options.logger.warn({ worker: worker.process.pid, err: error }, 'a message to a worker was lost'))
    worker.on('exit', (code, signal) => this.#onExit(seat, worker, signal ?? code))
  }

  #onMessage(seat: Seat, worker: Worker, message: FromWorker): void {
    switch (message.kind) {
      case 'hello':
        this.#told.add(worker)
        // A worker that comes later listens where the first one found a port.
        send(worker, { kind: 'start', committer: { path: this.#committer.socketPath, directory: this.#committer.directory }, config: { ...this.#options.config, address: { ...this.#options.config.address, port: this.#port } } })
        if (this.#phase === 'ending') send(worker, { kind: 'drain' })
        return
      case 'listening':
        seat.listening = true
        this.#hasServed = true
        this.#port = message.port
        if (this.#phase !== 'starting' || !this.#seats.every(({ listening }) => listening)) return
        this.#phase = 'serving'
        this.#options.onListening(message.port, must(this.#prepared, 'workers start after it'))
        return
      case 'spent':
        for (const { worker: other } of this.#seats) if (other !== undefined && other !== worker) send(other, message)
        return
      case 'moved':
        return
      case 'damaged':
        this.#options.logger.error({ directory: message.directory }, 'the index of the metadata is damaged')
        this.#committer.suspectIndex(message.directory)
        return
      case 'copiesDamaged':
        this.#committer.suspectCopies(message.directories)
        return
      case 'failed':
        if (this.#phase === 'starting' && !this.#hasServed) this.#fail([message.message])
        else this.#options.logger.error({ worker: worker.process.pid }, message.message)
    }
  }

  #onExit(seat: Seat, worker: Worker, reason: string | number): void {
    const { clock, logger } = this.#options
    seat.worker = undefined
    // The index is read through a memory map: damage below it ends the reader.
    if (isOfDamage(reason)) this.#committer.suspectIndex()
    seat.listening = false
    // One that damage ended reads another copy next, as long as there may be one.
    const readsOn = isOfDamage(reason) && seat.livedMs.length + 1 < this.#options.metadata.drives.length
    if (this.#phase === 'starting' && !this.#hasServed && !readsOn) this.#fail([`a worker died while it started: ${reason}`])
    if (this.#phase === 'ending') {
      this.#finishWhenEmpty()
      return
    }
    seat.livedMs = [...seat.livedMs, clock.monotonicMs() - seat.startedAtMs].slice(-lifetimesKept)
    const delayMs = restartDelayMs(seat.livedMs)
    logger.warn({ worker: worker.process.pid, reason, delayMs }, 'a worker died and is replaced')
    void Promise.all([clock.sleep(delayMs, this.#ended.signal), this.#committer.readable()]).then(() => {
      if (this.#phase !== 'ending') this.#fork(seat)
    })
  }

  /** Every worker reads in the other directory, or another worker comes in its place. */
  async #moveReaders(directory: string): Promise<void> {
    const { clock } = this.#options
    // One that has not said hello yet will be told where to read.
    const workers = this.#seats.flatMap(({ worker }) => (worker !== undefined && this.#told.has(worker) ? [worker] : []))
    await Promise.all(workers.map(async worker => {
      const settled = new AbortController()
      const moved = new Promise<void>(resolve => {
        worker.on('message', (message: FromWorker) => {
          if (message.kind === 'moved' && message.directory === directory) resolve()
        })
        worker.once('exit', () => resolve())
      }).finally(() => settled.abort())
      send(worker, { kind: 'moved', directory })
      await Promise.race([moved, clock.sleep(moveGraceMs, settled.signal)])
      if (settled.signal.aborted) return
      worker.process.kill('SIGKILL')
      await moved
    }))
  }

  #onSignal(signal: string): void {
    if (this.#phase === 'ending') {
      this.#options.logger.warn({ signal }, 'cutting the requests under way')
      for (const { worker } of this.#seats) worker?.process.kill('SIGKILL')
      return
    }
    this.#options.logger.info({ signal }, 'draining')
    this.#end()
  }

  #fail(messages: readonly string[]): void {
    this.#ending = { kind: 'failed', messages }
    this.#end()
  }

  #end(): void {
    this.#phase = 'ending'
    const { clock, config } = this.#options
    for (const { worker } of this.#seats) {
      if (worker !== undefined) send(worker, { kind: 'drain' })
    }
    this.#finishWhenEmpty()
    void clock.sleep(config.drainTimeoutMs + killGraceMs, this.#ended.signal).then(() => {
      for (const { worker } of this.#seats) worker?.process.kill('SIGKILL')
      this.#committer.kill()
    })
  }

  #finishWhenEmpty(): void {
    if (this.#seats.some(({ worker }) => worker !== undefined)) return
    if (this.#finishing) return
    this.#finishing = true
    // The workers are gone: nobody commits any more.
    void this.#committer.end().then(() => {
      this.#ended.abort()
      this.#finish(this.#ending)
    })
  }
}

/** To a worker that is just dying the message is lost, and its exit is told by an event of its own. */
function send(worker: Worker, message: ToWorker): void {
  assert(cluster.isPrimary, 'only the primary sends to workers')
  if (worker.isConnected()) worker.send(message)
}
