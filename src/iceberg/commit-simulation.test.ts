import { describe, expect, test } from 'vitest'
import { assert } from '../../base/assert.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { createCatalog, type Catalog, type CatalogRequest } from '../../catalog/index.ts'
import { fsck } from '../../engine/fsck/fsck.ts'
import { EngineError, type Engine } from '../../engine/index.ts'
import { Scheduler } from '../../engine/simulation/scheduler.ts'
import { type Mutation, World } from '../../engine/simulation/world.ts'
import { engineCatalogStore } from './engine-catalog-store.ts'

/**
 * Workers that commit to several tables at once, power that is lost at any operation of the drive or
 * of the metadata store, a restart, and clients that repeat under the same Idempotency-Key what they
 * heard no answer to. What is held: a transaction has changed all of its tables or none; one that was
 * acknowledged is there, once; one that was refused has left nothing; a repetition answers as the
 * first did; every table's metadata.json is there and pinned.
 */

const ownerId = 'a'.repeat(64)
const caller = { accountId: '111111111111', principalId: 'ADA', isRoot: false }
const tables = ['a', 'b', 'c'] as const
const clients = 3
const commitsPerClient = 5
const epochs = 3
const maxStepsToCrash = 150
const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: true, type: 'long' }] }

class Violation extends Error {}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Violation(what)
}

/** A commit that a client asked for, and what it was told; undefined: nothing, power was lost. */
interface Intent {
  readonly id: number
  readonly kind: 'append' | 'property' | 'create'
  /** Those that it changes; for `create` the new one. */
  readonly names: readonly string[]
  readonly request: Pick<CatalogRequest, 'operationId' | 'path' | 'headers' | 'body'>
  status: number | undefined
}

interface Loaded {
  readonly location: string
  readonly metadata: {
    readonly 'table-uuid': string
    readonly 'current-snapshot-id': number
    readonly 'last-sequence-number': number
    readonly properties: Readonly<Record<string, string>>
    readonly snapshots: readonly { readonly 'snapshot-id': number; readonly 'parent-snapshot-id'?: number }[]
    readonly 'snapshot-log': readonly { readonly 'snapshot-id': number }[]
  }
}

class Simulation {
  readonly #random: SeededRandom
  readonly #scheduler: Scheduler
  readonly #mutation: Mutation | undefined
  readonly intents: Intent[] = []
  #nextId = 1

  constructor(seed: number, mutation: Mutation | undefined) {
    this.#random = new SeededRandom(seed)
    this.#scheduler = new Scheduler(this.#random, () => new Promise((resolve) => setImmediate(resolve)))
    this.#mutation = mutation
  }

  async run(crashSteps: readonly number[]): Promise<void> {
    await this.#scheduler.open()
    const world = await World.make(this.#random, this.#scheduler, this.#mutation)
    const { engine, catalog } = this.#worker(world)
    await engine.createBucket({ bucket: 'lake', ownerId, region: 'us-east-1' })
    await catalog.ensureWarehouse({ name: 'lake', bucket: 'lake', ownerAccountId: caller.accountId })
    await this.#ask(catalog, { operationId: 'createNamespace', path: {}, headers: {}, body: bytes({ namespace: ['db'] }) })
    for (const name of tables) await this.#ask(catalog, { operationId: 'createTable', path: { namespace: 'db' }, headers: {}, body: bytes({ name, schema }) })
    for (const crashStep of [...crashSteps, undefined]) {
      await this.#work(world, crashStep)
      await this.#verify(world)
    }
  }

  /** One worker process: an engine and a catalog of its own. */
  #worker(world: World): { readonly engine: Engine; readonly catalog: Catalog } {
    const engine = world.engine(() => undefined)
    const store = engineCatalogStore(engine)
    return { engine, catalog: createCatalog({ store, clock: world.clock, random: this.#random, settings: { idempotencyLifetimeMs: 1_800_000, ownListBytes: 400 } }) }
  }

  async #work(world: World, crashStep: number | undefined): Promise<void> {
    this.#scheduler.close()
    const isOn = { power: true }
    // What a client meets once power is lost is the old machine's, and nobody's concern.
    const working = Array.from({ length: clients }, () => this.#runClient(world, isOn).catch((error: unknown) => (isOn.power ? error : undefined)))
    for (let step = 1; (await this.#scheduler.step()) !== undefined && step !== crashStep; step++);
    await this.#scheduler.rest()
    if (crashStep !== undefined) {
      isOn.power = false
      world.losePower()
    }
    await this.#scheduler.open()
    const failure = (await Promise.all(working)).find((error) => error !== undefined)
    if (failure instanceof Error) throw failure
  }

  async #runClient(world: World, isOn: { readonly power: boolean }): Promise<void> {
    const { catalog } = this.#worker(world)
    for (let count = 0; count < commitsPerClient; count++) {
      await this.#scheduler.park('a client begins')
      if (!isOn.power) return
      world.clock.advance(this.#random.integer(50))
      const intent = await this.#choose(catalog)
      if (!isOn.power) return
      this.intents.push(intent)
      const status = await this.#ask(catalog, intent.request)
      if (!isOn.power) return
      intent.status = status
    }
  }

  async #choose(catalog: Catalog): Promise<Intent> {
    const id = this.#nextId++
    const headers = { 'idempotency-key': `00000000-0000-7000-8000-${String(id).padStart(12, '0')}` }
    const kind = this.#random.pick(['append', 'append', 'property', 'create'] as const)
    if (kind === 'create') {
      const name = `t${id}`
      return { id, kind, names: [name], request: { operationId: 'createTable', path: { namespace: 'db' }, headers, body: bytes({ name, schema }) }, status: undefined }
    }
    const some = tables.filter(() => this.#random.chance(0.6))
    const names = some.length === 0 ? ['a'] : some
    const changes = await Promise.all(names.map(async (name) => ({ identifier: { namespace: ['db'], name }, ...(await this.#change(catalog, kind, name, id)) })))
    const [only] = changes
    const request: Intent['request'] = names.length === 1
      ? { operationId: 'updateTable', path: { namespace: 'db', table: names[0] ?? '' }, headers, body: bytes(only) }
      : { operationId: 'commitTransaction', path: {}, headers, body: bytes({ 'table-changes': changes }) }
    return { id, kind, names, request, status: undefined }
  }

  async #change(catalog: Catalog, kind: 'append' | 'property', name: string, id: number): Promise<{ requirements: unknown[]; updates: unknown[] }> {
    const { metadata } = await load(catalog, name)
    if (kind === 'property') return { requirements: [{ type: 'assert-table-uuid', uuid: metadata['table-uuid'] }], updates: [{ action: 'set-properties', updates: { [`p${id}`]: 'set' } }] }
    const parent = metadata['current-snapshot-id'] === -1 ? undefined : metadata['current-snapshot-id']
    const snapshot = {
      'snapshot-id': id, ...(parent !== undefined && { 'parent-snapshot-id': parent }), 'sequence-number': metadata['last-sequence-number'] + 1,
      'timestamp-ms': 1_800_000_000_000 + id, 'manifest-list': `s3://lake/${id}.avro`, summary: { operation: 'append' },
    }
    return {
      requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': parent ?? null }],
      updates: [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }],
    }
  }

  async #ask(catalog: Catalog, request: Intent['request']): Promise<number> {
    const { status, body } = await run(catalog, request)
    hold(status < 500, `${request.operationId} answers ${status}: ${body}`)
    return status
  }

  /** What is there after a restart explains what the clients were told; then they repeat what they were told nothing about. */
  async #verify(world: World): Promise<void> {
    const { engine, catalog } = this.#worker(world)
    const { verdict, findings } = await fsck({ metadata: world.metadata, blobs: world.blobs, readBytes: true })
    const [worst] = findings.filter(({ code }) => code !== 'BlobUnused')
    hold(verdict === 'clean' && worst === undefined, `fsck is ${verdict}: ${JSON.stringify(worst)}`)
    await this.#check(catalog, engine)
    for (const intent of this.intents.filter(({ status }) => status === undefined)) {
      const wasThere = await this.#isThere(catalog, intent)
      intent.status = await this.#ask(catalog, intent.request)
      hold(!wasThere || intent.status < 300, `commit ${intent.id} had happened, and its repetition is told ${intent.status}`)
    }
    await this.#check(catalog, engine)
    for (const intent of this.intents) {
      const status = await this.#ask(catalog, intent.request)
      hold(status === intent.status, `commit ${intent.id} was told ${intent.status}, and its repetition ${status}`)
    }
    await this.#check(catalog, engine)
  }

  async #check(catalog: Catalog, engine: Engine): Promise<void> {
    for (const intent of this.intents) {
      const isThere = await this.#isThere(catalog, intent)
      hold(intent.status === undefined || isThere === intent.status < 300, `commit ${intent.id} was told ${intent.status}, and is ${isThere ? '' : 'not '}there`)
    }
    for (const name of tables) {
      const { metadata } = await load(catalog, name)
      const log = metadata['snapshot-log'].map((entry) => entry['snapshot-id'])
      hold(new Set(log).size === log.length, `${name} has a snapshot twice: ${log.join(' ')}`)
      for (const [index, id] of log.entries()) {
        const snapshot = metadata.snapshots.find((candidate) => candidate['snapshot-id'] === id)
        hold(snapshot?.['parent-snapshot-id'] === log[index - 1], `${name}: ${id} was appended to something else than ${log[index - 1]}`)
      }
    }
    await this.#checkFiles(catalog, engine)
  }

  /** No metadata file but those of commits that are there; those that tables point at are pinned. */
  async #checkFiles(catalog: Catalog, engine: Engine): Promise<void> {
    const done = this.intents.filter(({ status }) => status !== undefined)
    const isOpen = done.length < this.intents.length
    const { entries } = await engine.listObjects({ bucket: 'lake', limit: 1000 })
    const expected = tables.length + done.filter(({ status }) => (status ?? 0) < 300).reduce((sum, { names }) => sum + names.length, 0)
    hold(isOpen ? entries.length >= expected : entries.length === expected, `${entries.length} metadata files instead of ${expected}`)
    for (const name of tables) {
      const key = (await load(catalog, name)).location.slice('s3://lake/'.length)
      const refusal = await engine.deleteObject({ bucket: 'lake', key, ownerId }).catch((error: unknown) => error)
      hold(refusal instanceof EngineError && refusal.code === 'Pinned', `the metadata of ${name} could be deleted`)
    }
  }

  /** Whether a commit's changes are there: in all of its tables, or in none. */
  async #isThere(catalog: Catalog, { id, kind, names }: Intent): Promise<boolean> {
    const found = await Promise.all(names.map(async (name) => {
      if (kind === 'create') return (await run(catalog, { operationId: 'tableExists', path: { namespace: 'db', table: name }, headers: {}, body: undefined })).status === 204
      const { metadata } = await load(catalog, name)
      return kind === 'property' ? metadata.properties[`p${id}`] === 'set' : metadata['snapshot-log'].some((entry) => entry['snapshot-id'] === id)
    }))
    hold(new Set(found).size === 1, `commit ${id} is in some of its tables: ${names.filter((_, index) => found[index]).join(' ')} of ${names.join(' ')}`)
    return found[0] === true
  }
}

function bytes(json: unknown): Buffer {
  return Buffer.from(JSON.stringify(json))
}

async function run(catalog: Catalog, { path, ...request }: Intent['request']): Promise<{ readonly status: number; readonly body: string }> {
  const response = await catalog.run({ ...request, caller, query: {}, fileIoProperties: {}, path: { prefix: 'lake', ...path } })
  return { status: response.status, body: response.body === undefined ? '' : await textOf(response.body) }
}

/** A body is text, or comes in pieces. */
async function textOf(body: string | AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  if (typeof body === 'string') return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

async function load(catalog: Catalog, table: string): Promise<Loaded> {
  const { status, body } = await run(catalog, { operationId: 'loadTable', path: { namespace: 'db', table }, headers: {}, body: undefined })
  hold(status === 200, `loading ${table} answers ${status}: ${body}`)
  const { metadata, 'metadata-location': location } = JSON.parse(body) as { metadata: Loaded['metadata']; 'metadata-location': string }
  return { metadata, location }
}

/** What was violated, if anything. A reader that fails over lost bytes is a violation too. */
async function simulate(seed: number, crashSteps: readonly number[], mutation?: Mutation): Promise<{ readonly violation: string | undefined; readonly intents: readonly Intent[] }> {
  const simulation = new Simulation(seed, mutation)
  try {
    await simulation.run(crashSteps)
    return { violation: undefined, intents: simulation.intents }
  } catch (error) {
    assert(error instanceof Error, 'errors are errors')
    if (!(error instanceof Violation) && mutation === undefined) throw error
    return { violation: error.message, intents: simulation.intents }
  }
}

describe('commits to several tables under power loss', () => {
  const seedsPerBlock = 40
  test.each([0, 1, 2])('are whole, and are repeated without effect: block %i of seeds', async (block) => {
    const failures: string[] = []
    const statuses: Record<string, number> = {}
    for (let seed = block * seedsPerBlock; seed < (block + 1) * seedsPerBlock; seed++) {
      const random = new SeededRandom(seed)
      const crashSteps = Array.from({ length: epochs - 1 }, () => 1 + random.integer(maxStepsToCrash))
      const { violation, intents } = await simulate(seed, crashSteps)
      if (violation !== undefined) failures.push(`seed ${seed}: ${violation}`)
      for (const { status } of intents) statuses[String(status)] = (statuses[String(status)] ?? 0) + 1
    }
    expect(failures).toEqual([])
    // Losers of races are among them, and transactions over several tables.
    expect(Object.keys(statuses).sort()).toEqual(['200', '204', '409'])
  }, 240_000)

  test('at every step of one run', async () => {
    const failures: string[] = []
    for (let step = 1; step <= maxStepsToCrash; step++) {
      const { violation } = await simulate(7, [step])
      if (violation !== undefined) failures.push(`crash at step ${step}: ${violation}`)
    }
    expect(failures).toEqual([])
  }, 240_000)

  test.each(['ignoreSync', 'acknowledgeEarly'] as const)('the simulation notices %s', async (mutation) => {
    let noticed = 0
    for (let seed = 0; seed < 200 && noticed < 3; seed++) {
      const random = new SeededRandom(seed)
      if ((await simulate(seed, [1 + random.integer(maxStepsToCrash), 1 + random.integer(maxStepsToCrash)], mutation)).violation !== undefined) noticed++
    }
    expect(noticed).toBe(3)
  }, 240_000)
})
