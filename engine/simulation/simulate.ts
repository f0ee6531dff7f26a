import { createHash } from 'node:crypto'
import { assert } from '../../base/assert.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import type { Engine } from '../engine.ts'
import { fsck } from '../fsck/fsck.ts'
import { countUses } from '../growth/count-uses.ts'
import { beginDrain, cancelDrain, readSetStates } from '../growth/set-states.ts'
import { tableRange, tables } from '../keys.ts'
import { Chooser, buckets } from './choose.ts'
import { compare } from './compare.ts'
import { execute, ownerId } from './execute.ts'
import { emptyModel, type Model } from './model.ts'
import { describeOutcome } from './operation.ts'
import { describe, type Intent, replay, Violation, violationOf } from './replay.ts'
import { Scheduler } from './scheduler.ts'
import { graces, losses, markerKey, type SimulatedWorld } from './simulated-world.ts'
import { type Mutation, World } from './world.ts'

export const mutations: readonly Mutation[] = ['ignoreSync', 'ignoreDirectorySync', 'acknowledgeEarly']

export interface SimulationOptions {
  readonly mutation?: Mutation
  /** With several, a mover drains and evens them while the clients work. */
  readonly sets?: number
  /** One drive with metadata in memory, when absent. */
  readonly makeWorld?: (random: SeededRandom, scheduler: Scheduler) => Promise<SimulatedWorld>
  /** Gets every line of the trace. */
  readonly onTrace?: (line: string) => void
}

export interface SimulationResult {
  /** SHA-256 of the trace: the same for the same seed, on every machine. */
  readonly traceHash: string
  readonly violation: string | undefined
  readonly operations: number
  readonly crashes: number
  /** Blobs moved between sets, and sets that were emptied. */
  readonly moved: number
  readonly emptied: number
}

const clients = 4
const epochs = losses + 1
const operationsPerClient = 6
/** Of collection, at the end; far more than the garbage of a run needs. */
const maxRounds = 500

/**
 * One run, decided by its seed alone: clients that work at the same time, a power loss at any
 * operation of the drive or of the metadata store, a restart, a full comparison; twice over, then a
 * run to the end and the collection of everything that is garbage.
 */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const simulation = new Simulation(seed, options)
  const violation = await violationOf(simulation.run())
  return { traceHash: simulation.trace.digest('hex'), violation, operations: simulation.operations, crashes: simulation.crashes, moved: simulation.moved, emptied: simulation.emptied }
}

class Simulation {
  readonly trace = createHash('sha256')
  operations = 0
  crashes = 0
  moved = 0
  emptied = 0
  readonly #options: SimulationOptions
  readonly #random: SeededRandom
  readonly #scheduler: Scheduler
  readonly #chooser: Chooser
  #model: Model = emptyModel(buckets)
  #intents: Intent[] = []
  #nextIntent = 0

  constructor(seed: number, options: SimulationOptions) {
    this.#options = options
    this.#random = new SeededRandom(seed)
    this.#scheduler = new Scheduler(this.#random, () => new Promise((resolve) => setImmediate(resolve)))
    this.#chooser = new Chooser(this.#random)
  }

  async run(): Promise<void> {
    await this.#scheduler.open()
    const { mutation, sets, makeWorld = (random, scheduler) => World.make(random, scheduler, mutation, sets) } = this.#options
    const world = await makeWorld(this.#random, this.#scheduler)
    for (const bucket of buckets) await world.engine(() => undefined).createBucket({ bucket, ownerId, region: 'us-east-1' })
    for (let epoch = 0; epoch < epochs; epoch++) {
      const isLast = epoch === epochs - 1
      const lostPower = await this.#runEpoch(world, isLast ? undefined : 1 + this.#random.integer(world.stepsToCrash))
      this.#note(`epoch ${epoch}: ${lostPower ? 'power lost' : 'finished'}`)
      await this.#verify(world)
      if (await world.mend(isLast)) await this.#compareAgain(world)
      // Between epochs what an epoch left falls due, so that the next one collects it at work.
      if (!isLast) world.clock.advance(2 * graces.orphanGraceMs)
    }
    await this.#collectEverything(world)
  }

  /** Lets the clients work until power is lost at a step, or when they are done; without one until they are done. */
  async #runEpoch(world: SimulatedWorld, crashStep: number | undefined): Promise<boolean> {
    this.#scheduler.close()
    this.#intents = []
    const isOn = { power: true }
    const over = new AbortController()
    const clientsWork = Array.from({ length: clients }, (_, client) => this.#runClient(world, client, isOn))
    const working = [...clientsWork, ...(this.#options.sets === undefined ? [] : [this.#runMover(world, over.signal)])]
    void Promise.all(clientsWork).then(() => over.abort())
    for (let step = 1; ; step++) {
      const released = await this.#scheduler.step()
      if (released === undefined) {
        if (world.passTime()) continue
        break
      }
      this.#note(released)
      world.disturb()
      if (step === crashStep) break
    }
    await this.#scheduler.rest()
    if (crashStep !== undefined) {
      isOn.power = false
      over.abort()
      world.losePower()
      this.crashes++
    }
    await this.#scheduler.open()
    await Promise.all(working)
    if (!isOn.power) await orFail('the restart', world.restart())
    return !isOn.power
  }

  async #runClient(world: SimulatedWorld, client: number, isOn: { readonly power: boolean }): Promise<void> {
    const current: { intent: Intent | undefined } = { intent: undefined }
    const engine = world.engine(() => current.intent)
    for (let n = 0; n < operationsPerClient; n++) {
      await this.#scheduler.park(`client ${client} begins`)
      if (!isOn.power) return
      this.#passTime(world)
      const intent: Intent = { id: this.#nextIntent++, client, operation: this.#chooser.next(), startVersion: world.acknowledgedVersion, commits: 0 }
      this.#intents.push(intent)
      this.#note(describe(intent))
      current.intent = intent
      const outcome = await execute(engine, intent.operation, () => this.#scheduler.park(`client ${client} pauses`))
      if (!isOn.power) return
      intent.outcome = outcome
      this.operations++
      this.#chooser.learn(intent.operation, outcome)
      this.#note(`intent ${intent.id}: ${describeOutcome(outcome)}`)
      await this.#scheduler.park(`client ${client} is done`)
      intent.endVersion = world.acknowledgedVersion
    }
  }

  /** Drains one set after the other until one is left, evens them, gives drains up in the middle; all of it in any order. */
  async #runMover(world: SimulatedWorld, signal: AbortSignal): Promise<void> {
    assert(world.mover !== undefined, 'there are sets')
    const { context, mover, intake } = world.mover()
    const sets = Array.from({ length: this.#options.sets ?? 1 }, (_, set) => set)
    const onProgress = (): Promise<void> => this.#scheduler.park('mover')
    try {
      while (!signal.aborted) {
        await this.#scheduler.park('mover')
        // Those who write may not know yet.
        if (this.#random.chance(0.5)) intake.avoid((await readSetStates(context.metadata)).keys())
        const set = this.#random.pick(sets)
        const startedMs = context.clock.nowMs()
        const work = this.#random.pick(['drain', 'drain', 'rebalance', 'cancel'] as const)
        this.#note(`mover: ${work} ${set}`)
        if (work === 'cancel') await cancelDrain(context, set)
        else if (work === 'rebalance') this.moved += (await mover.rebalance(undefined, { bytesPerSecond: Infinity, onProgress, signal })).progress.movedBlobs
        else if ((await beginDrain(context, set, sets)) !== 'lastSet') {
          const { isEmpty, progress } = await mover.drain(set, startedMs, undefined, { bytesPerSecond: Infinity, onProgress, signal })
          this.moved += progress.movedBlobs
          if (isEmpty) this.emptied++
        }
      }
    } catch (error) {
      // Of stores that lost power.
      if (!signal.aborted) throw error
    }
  }

  /** A little time, and now and then a clock that is set back. */
  #passTime(world: SimulatedWorld): void {
    if (this.#random.chance(0.02)) world.clock.step(-this.#random.integer(5000))
    else world.clock.advance(this.#random.integer(100))
  }

  /** The stores agree with each other, and with what the clients were told. */
  async #verify(world: SimulatedWorld): Promise<void> {
    const engine = world.engine(() => undefined)
    await requireClean(world)
    for (const intent of this.#intents) intent.endVersion ??= world.acknowledgedVersion
    this.#model = replay(this.#model, this.#intents, await this.#committed(world))
    this.#model = await orFail('the comparison', compare(engine, this.#model))
    await this.#readOutbox(engine)
  }

  async #compareAgain(world: SimulatedWorld): Promise<void> {
    await requireClean(world)
    await orFail('the comparison', compare(world.engine(() => undefined), this.#model))
  }

  /** By intent: the version of its commit, from the markers that survived. */
  async #committed(world: SimulatedWorld): Promise<Map<number, number>> {
    const rows = await world.metadata.list({ start: markerKey(0), end: Buffer.from('{'), limit: 10_000 })
    const ids = new Set(this.#intents.map(({ id }) => id))
    const committed = new Map(rows.map(({ key, version }) => [key.readUInt32BE(1), version]))
    return new Map([...committed].filter(([id]) => ids.has(id)))
  }

  async #readOutbox(engine: Engine): Promise<void> {
    const { events } = await engine.readOutbox({ cursor: undefined, limit: 1000 })
    this.#note(`${events.length} events`)
  }

  /** After all graces have passed, every byte that is stored is in use, and nothing in use is gone. */
  async #collectEverything(world: SimulatedWorld): Promise<void> {
    const engine = world.engine(() => undefined)
    world.clock.advance(2 * graces.completedUploadMs)
    for (let round = 0; round < maxRounds && (await isWorkDue(world)); round++) {
      await engine.collectGarbage()
      world.clock.advance(1)
    }
    await engine.sweepOrphans()
    const { findings, awaitingCollection } = await fsck({ metadata: world.metadata, blobs: world.blobs, readBytes: true })
    if (findings.length > 0 || awaitingCollection > 0) {
      throw new Violation(`after collecting, fsck finds ${JSON.stringify(findings[0])}, ${awaitingCollection} await collection`)
    }
    await this.#verifyEmptySets(world)
    await orFail('the comparison', compare(engine, this.#model))
  }

  async #verifyEmptySets({ metadata }: SimulatedWorld): Promise<void> {
    for (const [set, { state }] of await readSetStates(metadata)) {
      const uses = state === 'empty' ? await countUses(metadata, set) : 0
      if (uses > 0) throw new Violation(`set ${set} is empty, and ${uses} blobs of it are used`)
    }
  }

  #note(line: string): void {
    this.trace.update(line)
    this.trace.update('\n')
    this.#options.onTrace?.(line)
  }
}

async function isWorkDue({ metadata }: SimulatedWorld): Promise<boolean> {
  return (await metadata.list({ ...tableRange(tables.due), limit: 1 })).length > 0
}

async function requireClean({ metadata, blobs }: SimulatedWorld): Promise<void> {
  const { verdict, findings } = await fsck({ metadata, blobs, readBytes: true })
  const [worst] = findings.filter(({ code }) => code !== 'BlobUnused')
  if (verdict !== 'clean' || worst !== undefined) throw new Violation(`fsck is ${verdict}: ${JSON.stringify(worst)}`)
}

/** An engine that cannot answer has lost something too. */
async function orFail<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Violation) throw error
    assert(error instanceof Error, 'errors are errors')
    throw new Violation(`${what} failed: ${error.message}`, { cause: error })
  }
}
