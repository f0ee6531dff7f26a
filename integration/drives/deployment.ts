/** A server over several drive directories of a temporary folder, and what tests do to them. */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { startServer, type StartedServer } from '../start-server.ts'
import { until } from '../server/client.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
export const bucket = 'erasure'
/** How long a client repeats a request while drives or processes are replaced. */
const patienceMs = 15_000

export class Deployment {
  readonly root = mkdtempSync(join(tmpdir(), 'moraine-drives-'))
  readonly count: number
  /** SHA-256 of what was acknowledged, by key. */
  readonly stored = new Map<string, string>()
  /** Workers die in the test, and take requests along: those are repeated too. */
  mayBreakConnections = false
  readonly #env: Readonly<Record<string, string>>
  #server: StartedServer | undefined
  #s3: S3Client | undefined

  constructor(count: number, env: Readonly<Record<string, string>> = {}) {
    this.count = count
    this.#env = { MORAINE_LOG_LEVEL: 'warn', ...env }
  }

  get server(): StartedServer {
    if (this.#server === undefined) throw new Error('the server is not running')
    return this.#server
  }

  get s3(): S3Client {
    if (this.#s3 === undefined) throw new Error('the server is not running')
    return this.#s3
  }

  /** The ellipsis of all drives. */
  get words(): string {
    return `${this.root}/drive{1...${this.count}}`
  }

  drive(number: number): string {
    return join(this.root, `drive${number}`)
  }

  /** With the drives of `lines`, words of a command line; all drives when absent. */
  async start(lines: readonly string[] = [this.words]): Promise<void> {
    this.#server = await startServer({ drive: lines.at(-1) ?? '', workers: 2, args: ['--quiet', ...lines.slice(0, -1)], env: this.#env })
    const { endpoint, accessKeyId, secretAccessKey } = this.#server
    this.#s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } })
  }

  async startNew(): Promise<void> {
    await this.start()
    await this.s3.send(new CreateBucketCommand({ Bucket: bucket }))
  }

  async put(key: string, sizeBytes: number): Promise<void> {
    const body = randomBytes(sizeBytes)
    await this.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }), { abortSignal: AbortSignal.timeout(patienceMs) })
    this.stored.set(key, digest(body))
  }

  /** As `put`, by a client that repeats what it is asked to repeat (503), and nothing else: any other answer is thrown. */
  putPatiently(key: string, sizeBytes: number, isOver: () => boolean = () => false): Promise<void> {
    return this.#patiently(`PUT of ${key}`, () => this.put(key, sizeBytes), isOver)
  }

  async #patiently(what: string, request: () => Promise<void>, isOver: () => boolean = () => false): Promise<void> {
    for (const deadlineMs = Date.now() + 3 * patienceMs; ; await new Promise(resolve => setTimeout(resolve, 100))) {
      try {
        return await request()
      } catch (error) {
        if (isOver()) return
        if (this.#mayRepeat(error) && Date.now() <= deadlineMs) continue
        // What ended a connection is told of a moment after.
        await new Promise(resolve => setTimeout(resolve, 1000))
        throw new Error(`${what} failed; the server's last words:\n${this.server.logs().slice(-4000)}`, { cause: error })
      }
    }
  }

  /** A connection that breaks is for tests in which workers are killed. */
  #mayRepeat(error: unknown): boolean {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode !== undefined) return error.$metadata.httpStatusCode === 503
    // A connection that the cluster's primary handed to a worker which was just dying is never answered.
    return this.mayBreakConnections && error instanceof Error && ('code' in error || 'errno' in error || error.name === 'AbortError')
  }

  async get(key: string, range?: string): Promise<Buffer> {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...(range === undefined ? {} : { Range: range }) }), { abortSignal: AbortSignal.timeout(patienceMs) })
    return Buffer.from(await (answer.Body?.transformToByteArray() ?? new Uint8Array()))
  }

  /** Everything acknowledged is there with its bytes. */
  async verify(): Promise<void> {
    for (const [key, expected] of this.stored) {
      let bytes: Uint8Array = Buffer.of()
      await this.#patiently(`GET of ${key}`, async () => {
        bytes = await this.get(key)
      }, () => false)
      if (digest(bytes) !== expected) throw new Error(`${key} has other bytes`)
    }
  }

  wipe(number: number): void {
    // A server at work on it may put something in meanwhile.
    rmSync(this.drive(number), { recursive: true, force: true, maxRetries: 10 })
  }

  /** An empty directory where the drive was. */
  replace(number: number): void {
    this.wipe(number)
    mkdirSync(this.drive(number))
  }

  shardFiles(number: number): string[] {
    const blobs = join(this.drive(number), 'blobs')
    return readdirSync(blobs, { recursive: true, encoding: 'utf8' }).map(name => join(blobs, name)).filter(path => statSync(path).isFile())
  }

  /** A byte of every shard changed, some shards cut short or emptied. */
  corrupt(number: number): void {
    for (const [index, path] of this.shardFiles(number).entries()) {
      const bytes = readFileSync(path)
      const at = (index * 7919) % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ 0x40
      writeFileSync(path, bytes)
      if (index % 5 === 3) truncateSync(path, Math.floor(bytes.length / 2))
      if (index % 7 === 6) truncateSync(path, 0)
    }
  }

  async command(...words: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MORAINE|MINIO)_/.test(name)))
    return new Promise(resolve => {
      execFile(process.execPath, [program, ...words], { env: inherited, encoding: 'utf8' }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: stdout + stderr })
      })
    })
  }

  /** The worker that heals may see that a drive is back a little later than the one that was asked for it. */
  async heal(): Promise<void> {
    await until('no blob waits for a drive', async () => {
      const { code, out } = await this.command('heal', '--wait', '--endpoint', this.server.endpoint)
      if (code !== 0 && !/[1-9]\d* waiting for a drive, 0 incomplete/.test(out)) throw new Error(`heal: ${code} ${out}`)
      return code === 0
    })
  }

  async status(): Promise<DrivesReport> {
    const { out } = await this.command('status', '--json', '--endpoint', this.server.endpoint)
    return JSON.parse(out) as DrivesReport
  }

  /** Throws unless the command ends well; what it printed. */
  async run(...words: readonly string[]): Promise<string> {
    const { code, out } = await this.command(...words, '--endpoint', this.server.endpoint)
    if (code !== 0) throw new Error(`moraine ${words.join(' ')}: ${code} ${out}`)
    return out
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  async killed(): Promise<void> {
    await this.#server?.kill9()
    this.#server = undefined
  }

  async remove(): Promise<void> {
    await this.killed()
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10 })
  }
}

export interface DrivesReport {
  readonly drives: readonly { readonly path: string; readonly state: string }[]
  readonly sets: readonly { readonly online: number; readonly canWrite: boolean; readonly state: string; readonly hasMetadata: boolean }[]
  readonly moves?: { readonly decommissions: readonly { readonly set: number; readonly state: string; readonly progress?: { readonly movedBlobs: number } }[] }
  readonly scrub?: { readonly state: string; readonly id: string; readonly progress?: { readonly healedBlobs: number } }
  readonly metadata?: { readonly state: string; readonly copy: number; readonly damaged: readonly string[] }
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
