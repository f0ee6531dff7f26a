import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { argumentsOf, committerExits, type FromCommitter, type ToCommitter } from './committer-process.ts'
import { restartDelayMs } from './restart-delay.ts'

export interface CommitterSeatOptions {
  /** The metadata directory. */
  readonly directory: string
  /** The program that it runs. */
  readonly programFile: string
  readonly clock: Clock
  readonly logger: Logger
  /** It cannot be replaced any more: the server has to end. */
  readonly onLost: (message: string) => void
}

const lifetimesKept = 8

/** The place of the committer's process: it is replaced whenever it dies, until `end`. */
export class CommitterSeat {
  /** Where workers connect. Its directory is this user's alone. */
  readonly socketPath: string
  readonly #options: CommitterSeatOptions
  #process: ChildProcess | undefined
  #served = false
  #ending = false
  #livedMs: number[] = []
  #onServing: () => void = () => {}
  #onEnded: () => void = () => {}
  readonly #stopped = new AbortController()

  constructor(options: CommitterSeatOptions) {
    this.#options = options
    this.socketPath = join(mkdtempSync(join(tmpdir(), 'moraine-')), 'commits')
  }

  /** Resolves once it serves for the first time; never, when it is lost before. */
  start(): Promise<void> {
    return new Promise(resolve => {
      this.#onServing = resolve
      this.#fork()
    })
  }

  /** When nobody commits any more. Resolves when the process has gone. */
  end(): Promise<void> {
    return new Promise(resolve => {
      this.#ending = true
      this.#onEnded = resolve
      this.#stopped.abort()
      if (this.#process === undefined) this.#finish()
      else this.#process.send({ kind: 'end' } satisfies ToCommitter)
    })
  }

  kill(): void {
    this.#process?.kill('SIGKILL')
  }

  #fork(): void {
    const { directory, programFile, clock } = this.#options
    const start = this.#served ? 'afterCrash' : 'afterPowerLoss'
    const child = fork(programFile, argumentsOf({ directory, socketPath: this.socketPath, start }))
    const startedAtMs = clock.monotonicMs()
    this.#process = child
    child.on('message', (message: FromCommitter) => this.#onMessage(message))
    child.on('error', error => this.#options.logger.error({ err: error }, 'the committer cannot be started'))
    child.on('exit', (code, signal) => this.#onExit(clock.monotonicMs() - startedAtMs, code, signal ?? code))
  }

  #onMessage(message: FromCommitter): void {
    if (message.kind === 'serving') {
      this.#served = true
      this.#onServing()
    } else if (this.#served) this.#options.logger.error(message.message)
    else this.#lose(message.message)
  }

  #onExit(livedMs: number, code: number | null, reason: string | number | null): void {
    const { clock, logger } = this.#options
    this.#process = undefined
    if (this.#ending) return this.#finish()
    if (code === committerExits.needsNewServer) return this.#lose('the metadata cannot be made durable: the drive fails')
    if (!this.#served) return this.#lose(`the committer died while it started: ${reason}`)
    this.#livedMs = [...this.#livedMs, livedMs].slice(-lifetimesKept)
    const delayMs = restartDelayMs(this.#livedMs)
    logger.warn({ reason, delayMs }, 'the committer died and is replaced')
    void clock.sleep(delayMs, this.#stopped.signal).then(() => {
      if (!this.#ending) this.#fork()
    })
  }

  #lose(message: string): void {
    if (this.#ending) return
    this.#ending = true
    this.#stopped.abort()
    this.#options.onLost(message)
  }

  #finish(): void {
    rmSync(join(this.socketPath, '..'), { recursive: true, force: true })
    this.#onEnded()
  }
}
