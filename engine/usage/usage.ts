import { type Bucket, EngineError, type OutboxPage } from '../engine.ts'
import { bucketUsageRow, ownerUsageRow, usageStateRow } from '../keys.ts'
import type { Transaction } from '../metadata/transact.ts'
import { commit, type EngineContext } from '../objects/context.ts'
import { readOutbox } from '../outbox/outbox.ts'
import { recountUsage } from './recount-usage.ts'
import { bucketUsageFormat, type OwnerUsage, ownerUsageFormat, type Usage, type UsageState, usageStateFormat } from './usage-records.ts'

/** What a commit changed of one bucket. */
export interface UsageChange {
  readonly bucketId: string
  /** Of versions, and of the parts of uploads under way. */
  readonly bytes: number
  /** Versions that are objects. */
  readonly objects: number
}

/** How much is stored, by bucket and by owner. Nothing of it is counted in a request's commit but the number of buckets. */
export interface UsageCounting {
  /** All that has been committed by now, on whatever process: rows that were counted, and the events since. */
  usageOf(ownerId: string): Promise<OwnerUsage>
  bucketUsageOf(bucketId: string): Promise<Usage>
  /** Background work, one bounded round: counts events into rows. Each event counts once, whoever runs it. */
  countUsage(): Promise<{ readonly countedEvents: number }>
  /** Counts everything anew, unless the count is known to be right. Only while nobody writes: at the start. */
  recountUsage(): Promise<void>
}

const nothing: OwnerUsage = { buckets: 0, bytes: 0, objects: 0 }
const pageEvents = 1000
/** Owners of buckets, and buckets with uncounted changes, that are kept in memory. */
const rememberedBuckets = 10_000

/** With the commit that makes or removes a bucket: of two that are made at once, one is over the limit. `TooManyBuckets`. */
export async function changeBucketCount(tx: Transaction, { bucketId, ownerId }: Pick<Bucket, 'bucketId' | 'ownerId'>, by: 1 | -1, most = Infinity): Promise<void> {
  const stored = await tx.get(ownerUsageRow(ownerId))
  const owner = stored === undefined ? nothing : ownerUsageFormat.decode(stored)
  if (by > 0 && owner.buckets >= most) throw new EngineError('TooManyBuckets', 'the owner has as many buckets as it may have')
  tx.put(ownerUsageRow(ownerId), ownerUsageFormat.encode({ ...owner, buckets: Math.max(0, owner.buckets + by) }))
  if (by > 0) tx.put(bucketUsageRow(bucketId), bucketUsageFormat.encode({ ownerId, bytes: 0, objects: 0, isRemoved: false }))
}

export function usageCounting(context: EngineContext): UsageCounting {
  const uncounted = new Uncounted(context)
  const owners = new Map<string, string>()
  const ownerOf = async (bucketId: string): Promise<string | undefined> => {
    const known = owners.get(bucketId)
    if (known !== undefined) return known
    const row = await context.metadata.get(bucketUsageRow(bucketId))
    if (row === undefined) return undefined
    if (owners.size >= rememberedBuckets) owners.clear()
    const { ownerId } = bucketUsageFormat.decode(row.value)
    owners.set(bucketId, ownerId)
    return ownerId
  }
  return {
    async usageOf(ownerId) {
      const { value, changes } = await uncounted.since(() => context.metadata.get(ownerUsageRow(ownerId)))
      const counted = value === undefined ? nothing : ownerUsageFormat.decode(value)
      let { bytes, objects } = counted
      for (const [bucketId, change] of changes) {
        if ((await ownerOf(bucketId)) !== ownerId) continue
        bytes += change.bytes
        objects += change.objects
      }
      return { buckets: counted.buckets, bytes, objects }
    },
    async bucketUsageOf(bucketId) {
      const { value, changes } = await uncounted.since(() => context.metadata.get(bucketUsageRow(bucketId)))
      const { bytes, objects } = value === undefined ? nothing : bucketUsageFormat.decode(value)
      const change = changes.get(bucketId) ?? nothing
      return { bytes: bytes + change.bytes, objects: objects + change.objects }
    },
    countUsage: () => countUsage(context),
    recountUsage: () => recountUsage(context),
  }
}

/** The events that are not in the rows yet, added up; each is read once by each process. */
class Uncounted {
  readonly #context: EngineContext
  #base: string | undefined
  #through: string | undefined
  #changes = new Map<string, Usage>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(context: EngineContext) {
    this.#context = context
  }

  /** A counted row, and what the events since have changed. */
  async since(read: () => Promise<{ readonly value: Buffer } | undefined>): Promise<{ readonly value: Buffer | undefined; readonly changes: ReadonlyMap<string, Usage> }> {
    const turn = this.#turn.then(() => this.#since(read))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #since(read: () => Promise<{ readonly value: Buffer } | undefined>) {
    const { metadata } = this.#context
    for (;;) {
      const before = await metadata.get(usageStateRow)
      const row = await read()
      await this.#follow(before === undefined ? undefined : usageStateFormat.decode(before.value).countedThrough)
      // Counted on meanwhile: the row and the events are of two times.
      if ((await metadata.get(usageStateRow))?.version === before?.version) return { value: row?.value, changes: new Map(this.#changes) }
    }
  }

  async #follow(base: string | undefined): Promise<void> {
    if (base !== this.#base || this.#through === undefined) {
      this.#base = base
      this.#through = base
      this.#changes = new Map()
    }
    for (;;) {
      const page: OutboxPage = await readOutbox(this.#context, { cursor: this.#through, limit: pageEvents })
      addUp(this.#changes, page)
      this.#through = page.cursor
      if (page.events.length < pageEvents) return
    }
  }
}

function addUp(sums: Map<string, Usage>, { events }: OutboxPage): void {
  for (const { usage = [] } of events) {
    for (const { bucketId, bytes, objects } of usage) {
      const sum = sums.get(bucketId) ?? nothing
      sums.set(bucketId, { bytes: sum.bytes + bytes, objects: sum.objects + objects })
    }
  }
}

/** Commit point: the rows of buckets and owners, and how far events were counted, in one commit. */
function countUsage(context: EngineContext): Promise<{ readonly countedEvents: number }> {
  return commit(context, async (tx) => {
    const stored = await tx.get(usageStateRow)
    const state: UsageState = stored === undefined ? { countedThrough: undefined, isExact: true } : usageStateFormat.decode(stored)
    const page = await readOutbox(context, { cursor: state.countedThrough, limit: pageEvents })
    if (page.events.length === 0) return { countedEvents: 0 }
    const sums = new Map<string, Usage>()
    addUp(sums, page)
    const removed = new Set(page.events.flatMap(({ type, detail }) => (type === 'BucketRemoved' ? [(detail as { readonly bucketId: string }).bucketId] : [])))
    const ofOwners = new Map<string, Usage>()
    for (const bucketId of new Set([...sums.keys(), ...removed])) await countBucket(tx, bucketId, { sum: sums.get(bucketId) ?? nothing, isRemoved: removed.has(bucketId) }, ofOwners)
    for (const [ownerId, sum] of ofOwners) await countOwner(tx, ownerId, sum)
    tx.put(usageStateRow, usageStateFormat.encode({ countedThrough: page.cursor, isExact: state.isExact && !page.missedEvents }))
    return { countedEvents: page.events.length }
  })
}

async function countBucket(tx: Transaction, bucketId: string, { sum, isRemoved }: { readonly sum: Usage; readonly isRemoved: boolean }, ofOwners: Map<string, Usage>): Promise<void> {
  const row = bucketUsageRow(bucketId)
  const stored = await tx.get(row)
  // Of before bytes were counted, or counted to its end already.
  if (stored === undefined) return
  const before = bucketUsageFormat.decode(stored)
  const { ownerId } = before
  const after = { ownerId, bytes: before.bytes + sum.bytes, objects: before.objects + sum.objects, isRemoved: before.isRemoved || isRemoved }
  if (after.isRemoved && after.bytes === 0 && after.objects === 0) tx.delete(row)
  else tx.put(row, bucketUsageFormat.encode(after))
  const owner = ofOwners.get(ownerId) ?? nothing
  ofOwners.set(ownerId, { bytes: owner.bytes + sum.bytes, objects: owner.objects + sum.objects })
}

async function countOwner(tx: Transaction, ownerId: string, sum: Usage): Promise<void> {
  const row = ownerUsageRow(ownerId)
  const stored = await tx.get(row)
  const { buckets, bytes, objects } = stored === undefined ? nothing : ownerUsageFormat.decode(stored)
  tx.put(row, ownerUsageFormat.encode({ buckets, bytes: bytes + sum.bytes, objects: objects + sum.objects }))
}
