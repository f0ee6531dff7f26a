import { createHash } from 'node:crypto'
import { assert } from '../../../base/assert.ts'
import { SeededRandom } from '../../../base/seeded-random.ts'
import { encodeCommit } from '../../metadata/commit-codec.ts'
import type { CommitRequest } from '../../metadata/committer.ts'
import { requestIdBytes } from '../../metadata/journal/record.ts'
import { rowsOf, type SeenRow, TornIndexError } from '../../metadata/index/simulated-index.ts'
import { MetadataError } from '../../metadata/metadata-store.ts'
import type { Commit, CommitResult } from '../../metadata/metadata-store.ts'
import { Violation, violationOf } from '../replay.ts'
import { Scheduler } from '../scheduler.ts'
import { type MetadataMutation, MetadataWorld } from './metadata-world.ts'

export interface MetadataSimulationResult {
  readonly traceHash: string
  readonly violation: string | undefined
  readonly commits: number
  readonly crashes: number
}

interface Intent {
  readonly id: number
  readonly commit: Commit
  /** Absent: nobody was told. */
  outcome?: CommitResult | 'failed' | 'unknown'
}

const clients = 3
const rounds = 5
const counters = ['x', 'y'] as const
const maxStepsToCrash = 160
/** A start may be cut off so often before it is left alone. */
const maxStarts = 4

/**
 * One run, decided by its seed: clients commit through one committer to its journals and indexes, on a
 * set of drives of which some may be lost; the power is lost, the committer killed or a drive fails at
 * any operation, in a start too; between starts drives go, come back stale, are replaced or rot. After
 * each start, what was acknowledged or seen is there, what was refused is not, and all copies agree.
 */
export async function simulateMetadata(seed: number, mutation?: MetadataMutation): Promise<MetadataSimulationResult> {
  const simulation = new MetadataSimulation(seed, mutation)
  const violation = await violationOf(simulation.run())
  return { traceHash: simulation.trace.digest('hex'), violation, commits: simulation.commits, crashes: simulation.crashes }
}

class MetadataSimulation {
  readonly trace = createHash('sha256')
  commits = 0
  crashes = 0
  readonly #random: SeededRandom
  readonly #scheduler: Scheduler
  readonly #world: MetadataWorld
  readonly #intents: Intent[] = []
  /** By intent, the version that a reader has seen. */
  readonly #seen = new Map<number, number>()

  constructor(seed: number, mutation: MetadataMutation | undefined) {
    this.#random = new SeededRandom(seed)
    this.#scheduler = new Scheduler(this.#random, () => new Promise((resolve) => setImmediate(resolve)))
    this.#world = new MetadataWorld(this.#random, this.#scheduler, mutation)
  }

  async run(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.#start()
      await this.#verify()
      await this.#work()
      this.#note(`round ${round}: ${this.#intents.length} intents`)
    }
    await this.#start()
    await this.#verify()
  }

  /** Opens the metadata; cut off at any point, some of the times. */
  async #start(): Promise<void> {
    this.#scheduler.close()
    for (let attempt = 0; ; attempt++) {
      const steps = attempt < maxStarts && this.#random.chance(0.4) ? this.#random.integer(60) : Infinity
      const opening = this.#open()
      const result = await this.#runUntil(opening, steps)
      if (result === 'done') return
      this.#end()
    }
  }

  async #open(): Promise<void> {
    try {
      await this.#world.open()
    } catch (error) {
      if (error instanceof TornIndexError) throw new Violation(error.message)
      throw error
    }
  }

  async #work(): Promise<void> {
    const lanes = Array.from({ length: clients }, () => this.#client())
    const failing = this.#random.chance(0.3) ? this.#random.integer(maxStepsToCrash) : Infinity
    const last = 1 + this.#random.integer(maxStepsToCrash)
    for (let step = 0; step < last; step++) {
      if (step === failing) this.#world.failDrive()
      if ((await this.#scheduler.step()) === undefined) break
      if (this.#random.chance(0.2)) this.#look()
    }
    this.#end()
    await this.#scheduler.open()
    await Promise.all(lanes)
    this.#scheduler.close()
    await this.#world.changeDrives()
  }

  /** The power is lost, or only the committer dies. */
  #end(): void {
    this.crashes++
    if (this.#random.chance(0.7)) this.#world.losePower()
    else this.#world.kill()
  }

  async #runUntil(work: Promise<void>, steps: number): Promise<'done' | 'cut'> {
    let state: 'done' | { readonly error: unknown } | undefined
    const settled = work.then(() => (state = 'done'), (error: unknown) => (state = { error }))
    for (let step = 0; state === undefined && step < steps; step++) await this.#scheduler.step()
    if (state === undefined) {
      this.#end()
      await this.#scheduler.open()
      await settled
      this.#scheduler.close()
      return 'cut'
    }
    if (state === 'done') return 'done'
    const { error } = state as { readonly error: unknown }
    if (error instanceof Violation) throw error
    throw new Violation(`the start fails: ${String(error)}`)
  }

  async #client(): Promise<void> {
    for (let count = 0; count < 8; count++) {
      const intent: Intent = { id: this.#intents.length + 1, commit: this.#nextCommit(this.#intents.length + 1) }
      this.#intents.push(intent)
      try {
        const result = await this.#submit(intent)
        intent.outcome = result
        if (result.ok) this.commits++
      } catch (error) {
        assert(error instanceof MetadataError, 'a commit fails with an error of the store')
        intent.outcome = error.code === 'OutcomeUnknown' ? 'unknown' : 'failed'
        if (error.code === 'OutcomeUnknown' || error.code === 'Closed' || error.code === 'Unwritable') return
      }
    }
  }

  #submit({ id, commit }: Intent): Promise<CommitResult> {
    return new Promise((settle, fail) => {
      const requestId = Buffer.alloc(requestIdBytes)
      requestId.writeUInt32BE(id, 8)
      const request: CommitRequest = { requestId, ...encodeCommit(commit), settle, fail }
      this.#world.committer.submit(request)
    })
  }

  /** A counter goes up if nobody else raised it meanwhile; a marker says that it happened. */
  #nextCommit(id: number): Commit {
    const counter = this.#random.pick(counters)
    const row = rowsOf(this.#world.read.visible).get(counter)
    const puts = [{ key: Buffer.from(`m${String(id).padStart(6, '0')}`), value: Buffer.alloc(this.#random.pick([0, 10, 600]), String(id)) }]
    if (this.#random.chance(0.5)) return { checks: [], puts, deletes: [Buffer.from('gone')], appends: [{ prefix: Buffer.from('log/'), value: Buffer.from(String(id)) }] }
    return {
      checks: [{ key: Buffer.from(counter), version: row?.version }],
      puts: [...puts, { key: Buffer.from(counter), value: Buffer.from(String(Number(row?.value ?? 0) + 1)) }],
      deletes: [],
      appends: [],
    }
  }

  /** A reader: what it sees now must not be undone by anything. */
  #look(): void {
    for (const [key, { version }] of rowsOf(this.#world.read.visible)) if (key.startsWith('m')) this.#seen.set(Number(key.slice(1)), version)
  }

  async #verify(): Promise<void> {
    const rows = rowsOf(this.#world.read.visible)
    const committed = new Map([...rows].filter(([key]) => key.startsWith('m')).map(([key, { version }]) => [Number(key.slice(1)), version]))
    for (const intent of this.#intents) this.#checkOutcome(intent, committed.get(intent.id))
    for (const [id, version] of this.#seen) {
      if (committed.get(id) !== version) throw new Violation(`commit ${id} was seen at version ${version}, and is at ${committed.get(id)}`)
    }
    this.#replay(committed, rows)
    await this.#scheduler.open()
    const [first, ...others] = await this.#world.copies()
    const expected = textOf(rowsOf(first?.visible ?? this.#world.read.visible))
    for (const other of others) if (textOf(rowsOf(other.visible)) !== expected) throw new Violation('the copies differ')
    this.#scheduler.close()
    this.trace.update(expected)
  }

  #checkOutcome({ id, outcome }: Intent, version: number | undefined): void {
    if (outcome === 'failed' && version !== undefined) throw new Violation(`commit ${id} failed, and is there`)
    if (typeof outcome !== 'object') return
    const told = outcome.ok ? outcome.version : undefined
    if (told !== version) throw new Violation(`commit ${id} was answered with version ${told}, and is at ${version}`)
  }

  /** In version order, every check held at its place, and the rows are what comes of it. */
  #replay(committed: ReadonlyMap<number, number>, rows: ReadonlyMap<string, SeenRow>): void {
    const model = new Map<string, SeenRow>()
    for (const [id, version] of [...committed].sort(([, a], [, b]) => a - b)) {
      const commit = this.#intents[id - 1]?.commit
      assert(commit !== undefined, 'only what was asked for is committed')
      for (const check of commit.checks) {
        if ('key' in check && model.get(check.key.toString())?.version !== check.version) throw new Violation(`commit ${id} happened although its check fails`)
      }
      for (const { key, value } of commit.puts) model.set(key.toString(), { value: Buffer.from(value).toString('latin1'), version })
      for (const { prefix, value } of commit.appends) {
        const suffix = Buffer.alloc(10)
        suffix.writeBigUInt64BE(BigInt(version), 0)
        model.set(Buffer.concat([prefix, suffix]).toString('latin1'), { value: Buffer.from(value).toString('latin1'), version })
      }
    }
    if (textOf(rows) !== textOf(model)) throw new Violation('the rows are not what the commits make')
  }

  #note(line: string): void {
    this.trace.update(line)
  }
}

function textOf(rows: ReadonlyMap<string, SeenRow>): string {
  return [...rows.keys()].sort().map((key) => `${key} ${rows.get(key)?.version} ${rows.get(key)?.value}`).join('\n')
}
