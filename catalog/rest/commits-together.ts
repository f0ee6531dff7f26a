import { MiB } from '../../base/units.ts'
import { CatalogStoreError, type CatalogTransaction } from '../catalog-store.ts'
import type { CatalogContext } from '../context.ts'
import { CatalogError } from '../errors.ts'
import { readTable, type PointerRow, type Warehouse, fileOf, type MetadataFile } from '../rows/rows.ts'
import { deletesExpiredFiles } from '../spec/log-properties.ts'
import { identifierText, type TableIdentifier } from '../spec/identifier.ts'
import type { TableMetadata } from '../spec/table-metadata.ts'
import { nextMetadataLocation, putTablePointer, writeTableFile } from '../tables.ts'
import { outcomeOrError, record, recorded, settle, type IdempotentRequest, type Settled } from './idempotency.ts'
import type { Outcome } from './operation.ts'
import { changeTable, emitCommit, readTableBase, tableTurn, type TableCommit } from './table-commit.ts'

/** A commit to one table that is there. */
export interface CommitRequest {
  readonly warehouse: Warehouse
  readonly identifier: TableIdentifier
  readonly commit: TableCommit
  readonly idempotent: IdempotentRequest | undefined
  /** Of its body. */
  readonly sizeBytes: number
}

interface Waiting extends CommitRequest {
  /** Carries it out in a transaction of its own. */
  readonly alone: () => Promise<Outcome>
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

const maxTogether = 64
const maxTogetherBytes = 4 * MiB

/**
 * Commits to one table that wait for their turn are carried out one after the other in one transaction:
 * each has requirements, a metadata file, an event and an answer of its own, and they share one sync.
 * One that fails leaves the others as they are.
 */
export class CommitsTogether {
  readonly #waiting = new Map<string, Waiting[]>()

  run(context: CatalogContext, request: CommitRequest, alone: () => Promise<Outcome>): Promise<Outcome> {
    const name = tableTurn(request.warehouse, request.identifier)
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(name) ?? []
      this.#waiting.set(name, waiting)
      waiting.push({ ...request, alone, resolve, reject })
      // Whoever has the turn serves all that wait; the turns of those that were served find nothing to do.
      void context.turns.run([name], () => this.#serve(context, this.#take(name)))
    })
  }

  #take(name: string): readonly Waiting[] {
    const waiting = this.#waiting.get(name) ?? []
    let count = 0
    for (let bytes = 0; count < waiting.length && count < maxTogether; count++) {
      bytes += waiting[count]?.sizeBytes ?? 0
      if (count > 0 && bytes > maxTogetherBytes) break
    }
    const taken = waiting.splice(0, count)
    if (waiting.length === 0) this.#waiting.delete(name)
    return taken
  }

  async #serve(context: CatalogContext, requests: readonly Waiting[]): Promise<void> {
    const settled = requests.length < 2 ? undefined : await attempt(() => commitTogether(context, requests))
    for (const [index, request] of requests.entries()) {
      const mine = settled?.kind === 'done' ? settled.value?.[index] : undefined
      try {
        if (settled?.kind === 'failed' && settled.error instanceof CatalogStoreError) throw settled.error
        request.resolve(mine === undefined ? await request.alone() : outcomeOrError(mine))
      } catch (error) {
        request.reject(error)
      }
    }
  }
}

type Attempted<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'failed'; readonly error: unknown }

async function attempt<T>(run: () => Promise<T>): Promise<Attempted<T>> {
  try {
    return { kind: 'done', value: await run() }
  } catch (error) {
    return { kind: 'failed', error }
  }
}

interface Version {
  readonly metadata: TableMetadata
  readonly metadataLocation: string
}

/** Undefined: they are to be carried out one by one. Nothing was done then, nor when it throws. */
async function commitTogether(context: CatalogContext, requests: readonly CommitRequest[]): Promise<readonly Settled[] | undefined> {
  const [first] = requests
  if (first === undefined || hasTwins(requests)) return undefined
  const { warehouse, identifier } = first
  return context.store.transact(async (tx) => {
    const row = await readTable(tx, warehouse.name, identifier)
    const base = row === undefined ? undefined : await readTableBase(context, row)
    // A file that leaves the log at once would be written and deleted in one transaction.
    if (base !== undefined && deletesExpiredFiles(base.properties)) return undefined
    const chain = row === undefined || base === undefined ? undefined : new Chain(context, warehouse, identifier, row, base)
    const outcomes: Settled[] = []
    for (const request of requests) outcomes.push(await carryOut(tx, context, chain, request))
    await chain?.publish(tx)
    return outcomes
  })
}

/** The same key twice: the second one is for the record of the first. */
function hasTwins(requests: readonly CommitRequest[]): boolean {
  const keys = requests.flatMap(({ idempotent }) => (idempotent === undefined ? [] : [idempotent.idempotencyKey]))
  return new Set(keys).size < keys.length
}

async function carryOut(tx: CatalogTransaction, context: CatalogContext, chain: Chain | undefined, request: CommitRequest): Promise<Settled> {
  const { idempotent, identifier, commit } = request
  const known = idempotent === undefined ? undefined : await recorded(tx, idempotent)
  if (known !== undefined) return known
  const outcome = await settle(async () => {
    if (chain === undefined) throw new CatalogError('NoSuchTable', `Table does not exist: ${identifierText(identifier)}`)
    return { kind: 'table', identifier, ...(await chain.add(tx, commit)), form: 'commit' }
  })
  if (idempotent !== undefined) record(tx, context, idempotent, outcome)
  return outcome
}

/** The versions of one table that one transaction makes. */
class Chain {
  readonly #context: CatalogContext
  readonly #warehouse: Warehouse
  readonly #identifier: TableIdentifier
  readonly #row: PointerRow
  readonly #versions: Version[] = []
  #last: Version

  constructor(context: CatalogContext, warehouse: Warehouse, identifier: TableIdentifier, row: PointerRow, base: TableMetadata) {
    this.#context = context
    this.#warehouse = warehouse
    this.#identifier = identifier
    this.#row = row
    this.#last = { metadata: base, metadataLocation: row.metadataLocation }
  }

  /** The metadata file after this commit. Throws, and has changed nothing, when the commit fails. */
  async add(tx: CatalogTransaction, commit: TableCommit): Promise<MetadataFile> {
    const before = this.#last
    const changed = await changeTable(this.#context, this.#warehouse, { ...before, identifier: this.#identifier, storedAt: this.#row.metadataLocation }, commit)
    if (changed === undefined) return this.#versions.length === 0 ? fileOf(this.#row) : { metadataLocation: before.metadataLocation }
    const { metadata, expiredFiles } = changed
    const metadataLocation = nextMetadataLocation(this.#context, this.#warehouse, metadata, before.metadataLocation)
    // What this transaction writes itself stays: see `deletesExpiredFiles`.
    const own = new Set(this.#versions.map((version) => version.metadataLocation))
    for (const file of expiredFiles) if (!own.has(file) && file !== this.#row.metadataLocation) await tx.deleteFile(file)
    emitCommit(tx, this.#warehouse, this.#identifier, metadata, { metadataLocation, previousMetadataLocation: before.metadataLocation }, commit)
    this.#last = { metadata, metadataLocation }
    this.#versions.push(this.#last)
    return { metadataLocation }
  }

  async publish(tx: CatalogTransaction): Promise<void> {
    const last = this.#versions.at(-1)
    if (last === undefined) return
    for (const { metadata, metadataLocation } of this.#versions) {
      await writeTableFile(tx, this.#context, metadataLocation, metadata, { sharedBy: this.#row.metadataLocation, isPassing: metadataLocation !== last.metadataLocation })
    }
    await tx.unpinFile(this.#row.metadataLocation)
    putTablePointer(tx, this.#context, this.#warehouse, this.#identifier, last.metadata, { metadataLocation: last.metadataLocation }, this.#row)
  }
}
