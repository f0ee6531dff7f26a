import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { must } from '../../../base/assert.ts'
import type { Clock } from '../../../base/clock.ts'
import { minuteMs } from '../../../base/units.ts'
import type { MetadataPlaces, UnsettledSets } from '../../../engine/index.ts'
import type { Config } from '../../config/parse-config.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { argumentsOf, committerExits, lastWordsFile, type FromCommitter, type LastWords, type Prepared, type ToCommitter } from './committer-process.ts'
import { judgeCopies, tryCopies } from './copy-trial.ts'
import { FailedDrives } from './failed-drives.ts'
import { memoryFlags } from './memory-flags.ts'
import { restartDelayMs } from './restart-delay.ts'

export interface CommitterSeatOptions {
  readonly places: MetadataPlaces
  /** Where rows decide first where the metadata are. */
  readonly unsettled?: UnsettledSets | undefined
  readonly config: Config
  /** The program that it runs. */
  readonly programFile: string
  readonly clock: Clock
  readonly logger: Logger
  /** Its metadata are read from this other directory now: resolves when nobody reads from the one before. */
  readonly onMoved: (directory: string) => Promise<void>
  /** It cannot be replaced any more: the server has to end. */
  readonly onLost: (messages: readonly string[]) => void
}

const lifetimesKept = 8

/** The place of the committer's process: it is replaced whenever it dies, until `end`. */
export class CommitterSeat {
  /** Where workers connect. Its directory is this user's alone. */
  readonly socketPath: string
  readonly #options: CommitterSeatOptions
  #process: ChildProcess | undefined
  #served = false
  #places: MetadataPlaces
  #unsettled: UnsettledSets | undefined
  /** Of committers before the first one that served. */
  #earlyDeaths = 0
  /** What the last of these found damaged, in its words. */
  #foundDamage: readonly string[] | undefined
  #prepared: Prepared | undefined
  #directory: string | undefined
  /** Where some worker may still read, or has begun to: more than one while readers move. */
  #readFrom: ReadonlySet<string> = new Set()
  readonly #suspects = new Set<string>()
  readonly #failures = new FailedDrives()
  /** From the suspicion until a committer has opened another copy, or made this one anew. */
  #moving: PromiseWithResolvers<void> | undefined
  /** When damage below a map last ended a process. */
  #damagedAtMs = -Infinity
  #ending = false
  #livedMs: number[] = []
  #onServing: (prepared: Prepared) => void = () => {}
  #onEnded: () => void = () => {}
  readonly #stopped = new AbortController()

  constructor(options: CommitterSeatOptions) {
    this.#options = options
    this.#places = options.places
    this.#unsettled = options.unsettled
    this.socketPath = join(privateDirectory(options.places), 'commits')
  }

  /** Resolves once it serves for the first time, with what it has prepared; never, when it is lost before. */
  start(): Promise<Prepared> {
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

  /** Reading the index killed a worker, or found damage: another copy takes its place, where there is one. */
  suspectIndex(directory = this.#directory): void {
    // Who tells may have read where nobody reads any more.
    if (directory === undefined || directory !== this.#directory) return
    if (this.#ending || this.#places.drives.length < 2) return
    // The committer that is on its way knows; who died had read what the one before told.
    if (this.#moving !== undefined) return
    this.#moving = Promise.withResolvers()
    this.#suspects.add(directory)
    this.kill()
  }

  /** These copies are damaged, whether they are read or not, and others are whole: they are made anew. */
  suspectCopies(directories: readonly string[]): void {
    if (this.#ending || this.#moving !== undefined) return
    for (const directory of directories) this.#suspects.add(directory)
    if (this.#directory !== undefined && directories.includes(this.#directory)) this.#moving = Promise.withResolvers()
    this.kill()
  }

  /** Resolves when there is a directory that can be read: at once, unless that of the last committer is suspect. */
  async readable(): Promise<void> {
    await this.#moving?.promise
  }

  kill(): void {
    this.#process?.kill('SIGKILL')
  }

  #fork(): void {
    const { programFile, clock, config } = this.#options
    // The newest first: that one is read further, where it can be.
    const readFrom = [...this.#readFrom].reverse()
    const suspects = [...this.#suspects]
    const avoid = this.#failures.avoided(clock.monotonicMs())
    const first = this.#served ? {} : { first: { unsettled: this.#unsettled } }
    const child = fork(programFile, argumentsOf({ places: this.#places, socketPath: this.socketPath, readFrom, suspects, avoid, ...first }), { execArgv: [...process.execArgv, ...memoryFlags] })
    const startedAtMs = clock.monotonicMs()
    this.#process = child
    child.on('message', (message: FromCommitter) => this.#onMessage(child, message))
    child.on('error', error => this.#options.logger.error({ err: error }, 'the committer cannot be started'))
    if (!this.#served) child.send({ kind: 'prepare', config } satisfies ToCommitter)
    child.on('exit', (code, signal) => this.#onExit(clock.monotonicMs() - startedAtMs, code, signal ?? code))
  }

  #onMessage(child: ChildProcess, message: FromCommitter): void {
    switch (message.kind) {
      case 'settled':
        this.#places = message.places
        this.#unsettled = undefined
        for (const note of message.notes) this.#options.logger.warn(note)
        return
      case 'opened':
        this.#prepared ??= message.prepared
        if (message.readOnly !== undefined) this.#options.logger.error(`the metadata are read and not written: ${message.readOnly}`)
        void this.#onOpened(child, message.directory)
        return
      case 'serving':
        this.#served = true
        // What was suspect has been made anew or is not used.
        this.#suspects.clear()
        this.#onServing(must(this.#prepared, 'the first one has prepared'))
        return
      case 'skipped':
        this.#options.logger.error({ directory: message.directory }, `a copy of the metadata is left out: ${message.message}`)
        return
      case 'failed':
        if (this.#served) this.#options.logger.error(message.messages.join('\n'))
        // Another copy may be whole; with its exit it has let go of all of them.
        else if (message.isDamage && this.#places.drives.length > 1) this.#foundDamage = message.messages
        else this.#lose(message.messages)
    }
  }

  /**
   * Nobody may read an index that no longer follows: a commit would be told to one worker, and be missed by another. A committer
   * may die while readers move to its copy; the next one waits for them as well, though its copy be the same.
   */
  async #onOpened(child: ChildProcess, directory: string): Promise<void> {
    const isReadElsewhere = [...this.#readFrom].some(other => other !== directory)
    const hasMoved = isReadElsewhere || (this.#directory !== undefined && this.#moving !== undefined)
    this.#directory = directory
    this.#readFrom = new Set([...this.#readFrom, directory])
    if (hasMoved) await this.#options.onMoved(directory)
    // Otherwise another one has opened since, and readers move on.
    if (this.#directory === directory) this.#readFrom = new Set([directory])
    if (this.#process !== child) return
    this.#moving?.resolve()
    this.#moving = undefined
    if (child.connected) child.send({ kind: 'serve' } satisfies ToCommitter)
  }

  #onExit(livedMs: number, code: number | null, reason: string | number | null): void {
    const { clock, logger } = this.#options
    this.#process = undefined
    if (this.#ending) return this.#finish()
    if (code === committerExits.needsNewServer) return this.#lose(['the metadata cannot be made durable: the drive fails'])
    const hasSpoken = this.#listen()
    if (!this.#served) return void this.#startAgain(reason, hasSpoken)
    if (isOfDamage(reason)) this.#suspectCopies()
    this.#livedMs = [...this.#livedMs, livedMs].slice(-lifetimesKept)
    const delayMs = restartDelayMs(this.#livedMs)
    logger.warn({ reason, delayMs }, 'the committer died and is replaced')
    void clock.sleep(delayMs, this.#stopped.signal).then(() => {
      if (!this.#ending) this.#fork()
    })
  }

  /**
   * One died before any served: nobody reads yet. A drive that it left word of is avoided; after damage every copy is tried by
   * itself, and those that are damaged are made anew from those that prove that they are whole.
   */
  async #startAgain(reason: string | number | null, hasSpoken: boolean): Promise<void> {
    const { logger, programFile, clock } = this.#options
    const found = this.#foundDamage
    this.#foundDamage = undefined
    const isDamage = isOfDamage(reason) || found !== undefined
    const died = found ?? [`the committer died while it started: ${reason}`]
    if (++this.#earlyDeaths > this.#places.drives.length || !(isDamage || hasSpoken)) return this.#lose(died)
    if (isDamage) {
      logger.error(`${died.join('; ')}: each copy of the metadata is tried by itself, which reads all of it`)
      const verdict = judgeCopies(await tryCopies(programFile, this.#places, clock, this.#stopped.signal))
      if (verdict.kind === 'lost') return this.#lose([...died, ...verdict.messages])
      if (verdict.damaged.length === 0 && found !== undefined) return this.#lose(died)
      for (const { directory, message } of verdict.damaged) {
        logger.error({ directory }, `a copy of the metadata is damaged, and is made anew from another: ${message}`)
        this.#suspects.add(directory)
      }
    }
    if (!this.#ending) this.#fork()
  }

  /** To what a committer left that had no time to talk; whether there was anything. */
  #listen(): boolean {
    const { clock, logger } = this.#options
    const path = join(dirname(this.socketPath), lastWordsFile)
    if (!existsSync(path)) return false
    const { directories, message, isChange } = JSON.parse(readFileSync(path, 'utf8')) as LastWords
    rmSync(path)
    logger[isChange ? 'warn' : 'error']({ directories }, `the copies of the metadata change: ${message}`)
    if (!isChange) for (const directory of directories) this.#failures.note(directory, clock.monotonicMs())
    return true
  }

  /** The committer has all copies open: most likely it was the one that is read, and if not, one of the others. */
  #suspectCopies(): void {
    const { clock } = this.#options
    const isAgain = clock.monotonicMs() - this.#damagedAtMs < minuteMs
    this.#damagedAtMs = clock.monotonicMs()
    for (const { directory } of this.#places.drives) if ((directory === this.#directory) !== isAgain) this.#suspects.add(directory)
  }

  #lose(messages: readonly string[]): void {
    if (this.#ending) return
    this.#ending = true
    this.#stopped.abort()
    this.#options.onLost(messages)
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

/** Reading a damaged index through its map ends the process, or LMDB's own checks do. */
export function isOfDamage(reason: string | number | null): boolean {
  return reason === 'SIGBUS' || reason === 'SIGSEGV' || reason === 'SIGABRT'
}
