import { apply, type Model } from './model.ts'
import { describeOutcome, type Operation, type Outcome } from './operation.ts'
import type { Intended } from './simulated-world.ts'

/** An operation that a client asked for, and what it was told. */
export interface Intent extends Intended {
  readonly client: number
  readonly operation: Operation
  /** The newest commit that anybody was told of when it began: it must see that one. */
  readonly startVersion: number
  /** The newest commit when it was over; absent while it is under way. */
  endVersion?: number
  /** Absent: power was lost first. */
  outcome?: Outcome
}

export class Violation extends Error {
  override readonly name = 'Violation'
}

/** What a run of a simulation found wrong; a failure of the simulation itself is thrown on. */
export async function violationOf(run: Promise<void>): Promise<string | undefined> {
  try {
    await run
    return undefined
  } catch (error) {
    if (error instanceof Violation) return error.message
    throw error
  }
}

interface State {
  readonly version: number
  readonly model: Model
}

/**
 * Replays what was committed, in commit order, on the model. Each acknowledged operation must have
 * come out as the model says at its place in that order; one that committed nothing (a read, a
 * refusal) must fit some state between its beginning and its end. Returns the model after the last.
 */
export function replay(start: Model, intents: readonly Intent[], committed: ReadonlyMap<number, number>): Model {
  const states: State[] = [{ version: 0, model: start }]
  const inOrder = intents.filter(({ id }) => committed.has(id)).sort((a, b) => (committed.get(a.id) ?? 0) - (committed.get(b.id) ?? 0))
  let model = start
  for (const intent of inOrder) {
    model = replayCommitted(model, intent)
    states.push({ version: committed.get(intent.id) ?? 0, model })
  }
  for (const intent of intents) if (!committed.has(intent.id)) checkUncommitted(states, intent)
  return model
}

function replayCommitted(model: Model, intent: Intent): Model {
  const { operation, outcome } = intent
  if (operation.op === 'maintain') return model
  if (intent.commits > 1) throw new Violation(`${describe(intent)} committed ${intent.commits} times`)
  const applied = apply(model, operation, { ...grantedBy(intent), hasReadSource: true })
  if (applied.outcome.kind === 'refused') throw new Violation(`${describe(intent)} committed, but is refused: ${applied.outcome.code}`)
  if (outcome !== undefined && !isSame(outcome, applied.outcome)) {
    throw new Violation(`${describe(intent)} came out as ${describeOutcome(outcome)}, not ${describeOutcome(applied.outcome)}`)
  }
  return applied.model
}

/** Ids as the client was told, or stand-ins that the comparison of what is stored resolves. */
function grantedBy({ id, outcome }: Intent) {
  const told = outcome?.kind === 'created' ? outcome.versionIds : outcome?.kind === 'deleted' && outcome.result.did === 'createdMarker' ? [outcome.result.versionId] : []
  return {
    versionIds: [told[0] ?? `${standIn}${id}:0`, told[1] ?? `${standIn}${id}:1`],
    uploadId: outcome?.kind === 'begun' ? outcome.uploadId : `${standIn}${id}`,
  }
}

const standIn = '?'

export function isStandIn(id: string): boolean {
  return id.startsWith(standIn)
}

function checkUncommitted(states: readonly State[], intent: Intent): void {
  const { outcome, operation, startVersion, endVersion = startVersion } = intent
  if (outcome === undefined || operation.op === 'maintain') return
  // What was staged on a set that was given up meanwhile; it may be tried again.
  if (outcome.kind === 'refused' && outcome.code === 'Unwritable') return
  const first = Math.max(0, states.findLastIndex(({ version }) => version <= startVersion))
  const expected = new Set<string>()
  for (const { version, model } of states.slice(first)) {
    if (version > endVersion) break
    // A source that is read before the rest may have been there then and be gone in this state.
    for (const hasReadSource of [false, true]) {
      const applied = apply(model, operation, { ...grantedBy(intent), hasReadSource })
      if (isSame(outcome, applied.outcome) && (outcome.kind === 'refused' || keepsModel(model, applied.model, operation))) return
      expected.add(describeOutcome(applied.outcome))
    }
  }
  throw new Violation(`${describe(intent)} left no commit and came out as ${describeOutcome(outcome)}; possible: ${[...expected].join(' ')}`)
}

/** What needs no commit must change nothing; setting what is set already is such a thing. */
function keepsModel(before: Model, after: Model, operation: Operation): boolean {
  if (operation.op === 'versioning') return before.versioning.get(operation.bucket) === operation.status
  return before === after
}

function isSame(a: Outcome, b: Outcome): boolean {
  if (a.kind === 'read' && b.kind === 'read') return a.versionId === b.versionId && a.etag === b.etag && a.bytes.equals(b.bytes)
  if (a.kind === 'listed' && b.kind === 'listed') {
    return a.versionIds.length === b.versionIds.length && a.versionIds.every((id, index) => isSameId(id, b.versionIds[index]))
  }
  return describeOutcome(a) === describeOutcome(b)
}

/** A stand-in is for an id that no client was told; a listing may show it. */
function isSameId(actual: string, expected: string | undefined): boolean {
  return expected !== undefined && (actual === expected || (isStandIn(expected) && actual !== 'null'))
}

export function describe({ id, client, operation }: Intent): string {
  return `intent ${id} of client ${client} ${JSON.stringify(operation)}`
}
