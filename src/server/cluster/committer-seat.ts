import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { must } from '../../../base/assert.ts'
import type { Clock } from '../../../base/clock.ts'
import type { MetadataPlaces } from '../../../engine/index.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { argumentsOf, committerExits, type FromCommitter, type ToCommitter } from './committer-process.ts'
import { memoryFlags } from './memory-flags.ts'
import { restartDelayMs } from './restart-delay.ts'

export interface CommitterSeatOptions {
  readonly places: MetadataPlaces
  /** The program that it runs. */
  readonly programFile: string
  readonly clock: Clock
  readonly logger: Logger
  /** Its metadata are read from another directory now: resolves when nobody reads from the one before. */
  readonly onMoved: () => Promise<void>
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
  #directory: string | undefined
  #suspect: string | undefined
  #ending = false
  #livedMs: number[] = []
  #onServing: () => void = () => {}
  #onEnded: () => void = () => {}
  readonly #stopped = new AbortController()

  constructor(options: CommitterSeatOptions) {
    this.#options = options
    this.socketPath = join(privateDirectory(options.places), 'commits')
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

  /** Where commits can be read. */
  get directory(): string {
    return must(this.#directory, 'the committer has served')
  }

  /** Reading the index killed a worker: another copy takes its place, where there is one. */
  suspectIndex(): void {
    if (this.#ending || this.#options.places.drives.length < 2) return
    this.#suspect = this.#directory
    this.kill()
  }

  kill(): void {
    this.#process?.kill('SIGKILL')
  }

  #fork(): void {
    const { places, programFile, clock } = this.#options
    const readFrom = this.#directory === undefined ? {} : { readFrom: this.#directory }
    const suspect = this.#suspect === undefined ? {} : { suspect: this.#suspect }
    this.#suspect = undefined
    const child = fork(programFile, argumentsOf({ places, socketPath: this.socketPath, ...readFrom, ...suspect }), { execArgv: [...process.execArgv, ...memoryFlags] })
    const startedAtMs = clock.monotonicMs()
    this.#process = child
    child.on('message', (message: FromCommitter) => this.#onMessage(child, message))
    child.on('error', error => this.#options.logger.error({ err: error }, 'the committer cannot be started'))
    child.on('exit', (code, signal) => this.#onExit(clock.monotonicMs() - startedAtMs, code, signal ?? code))
  }

  #onMessage(child: ChildProcess, message: FromCommitter): void {
    switch (message.kind) {
      case 'opened':
        void this.#onOpened(child, message.directory)
        return
      case 'serving':
        this.#served = true
        this.#onServing()
        return
      case 'skipped':
        this.#options.logger.error({ directory: message.directory }, `a copy of the metadata is left out: ${message.message}`)
        return
      case 'failed':
        if (this.#served) this.#options.logger.error(message.message)
        else this.#lose(message.message)
    }
  }

  /** Nobody may read an index that no longer follows: a commit would be told to one worker, and be missed by another. */
  async #onOpened(child: ChildProcess, directory: string): Promise<void> {
    const hasMoved = this.#directory !== undefined && this.#directory !== directory
    this.#directory = directory
    if (hasMoved) await this.#options.onMoved()
    if (child.connected) child.send({ kind: 'serve' } satisfies ToCommitter)
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

/**
 * This user's alone. Named after the deployment, which one server has at a time, so that one that was killed leaves
 * nothing behind that the next does not use; a socket's path must be short, which a drive's may not be.
 */
function privateDirectory({ drives }: MetadataPlaces): string {
  const name = createHash('sha256').update(drives.map(({ directory }) => directory).sort().join('\n')).digest('hex').slice(0, 16)
  const path = join(tmpdir(), `moraine-${name}`)
  try {
    mkdirSync(path, { mode: 0o700 })
    return path
  } catch {
    // Whatever stands there is used only if nobody else can have put it there.
    const { uid, mode } = lstatSync(path)
    const isOurs = uid === userInfo().uid && (mode & 0o170077) === 0o040000
    return isOurs ? path : mkdtempSync(join(tmpdir(), 'moraine-'))
  }
}
