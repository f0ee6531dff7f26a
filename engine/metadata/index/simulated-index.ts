import { must } from '../../../base/assert.ts'
import { seekableRange } from '../keys.ts'
import { MetadataError } from '../metadata-store.ts'
import type { KeyRange } from '../metadata-store.ts'
import type { IndexSource } from '../open-member.ts'
import { RowDigests } from '../row-digests.ts'
import { decodeRow, encodeRow } from '../row-format.ts'
import { origin } from './metadata-index.ts'
import type { IndexPin, IndexTransaction, MetadataIndex, Position } from './metadata-index.ts'

/** By key, as latin1. */
type Rows = ReadonlyMap<string, Buffer>

export interface State {
  readonly rows: Rows
  readonly digests: RowDigests
  readonly position: Position
}

interface Pinned {
  readonly state: State
  isSynced: boolean
  /** By a living process that has not released it. */
  isHeld: boolean
}

export interface SimulatedIndexOptions {
  /** Awaited before a sync takes effect, as `SimulatedDrive` does. */
  readonly beforeSync?: () => Promise<void>
  /** On a drive that lies about syncs a torn index is that drive's damage, not our mistake. */
  readonly isOnLiar?: boolean
  /** For the mutation check only: what is pinned is overwritten all the same. */
  readonly forgetsPins?: boolean
  /** Throws when whoever opened the index has been killed since. */
  readonly requireAlive?: () => () => void
}

/**
 * The place of an index, in memory, that loses what LMDB without syncs would lose: after a power loss
 * only a snapshot that was pinned, synced and not released since is there; everything else is torn.
 */
export class SimulatedIndexSource implements IndexSource {
  readonly #options: SimulatedIndexOptions
  #visible: State | 'torn' | undefined
  #pins = new Map<number, Pinned>()
  #nextPin = 1

  constructor(options: SimulatedIndexOptions = {}) {
    this.#options = options
  }

  exists(): boolean {
    return this.#visible !== undefined
  }

  clear(): void {
    this.#visible = undefined
    this.#pins.clear()
  }

  /** What is not pinned and synced is gone. */
  losePower(): void {
    if (this.#visible !== undefined) this.#visible = 'torn'
    for (const [id, { isSynced }] of this.#pins) if (!isSynced) this.#pins.delete(id)
  }

  restore(snapshot: Buffer): void {
    const pinned = this.#pins.get(snapshot.readUInt32BE(0))
    // What LMDB would show then is anything; that it can be told apart here is the simulation's privilege.
    this.#visible = pinned?.state ?? 'torn'
  }

  open(): MetadataIndex {
    if (this.#visible === 'torn') this.#failTorn()
    this.#visible ??= { rows: new Map(), digests: new RowDigests(), position: origin }
    // What a process before this one pinned went with it.
    for (const pinned of this.#pins.values()) pinned.isHeld = false
    return new SimulatedIndex(this, this.#options)
  }

  async replaceWith(donor: MetadataIndex): Promise<void> {
    this.#visible = (donor as SimulatedIndex).source.visible
    this.#pins.clear()
  }

  get visible(): State {
    const state = must(this.#visible, 'the index is open')
    if (state === 'torn') return this.#failTorn()
    return state
  }

  #failTorn(): never {
    if (this.#options.isOnLiar === true) throw new MetadataError('Corrupt', 'the index is torn')
    throw new TornIndexError('the index is what a power loss left of it')
  }

  /** A damaged page hides a row: nobody has deleted it. */
  hide(key: Buffer): void {
    const { rows, ...state } = this.visible
    const left = new Map(rows)
    left.delete(key.toString('latin1'))
    this.#visible = { ...state, rows: left }
  }

  show(state: State): void {
    const held = [...this.#pins.values()].filter(({ isHeld }) => isHeld && this.#options.forgetsPins !== true)
    // Of other snapshots, pages are written over.
    for (const [id, pinned] of this.#pins) if (!held.some((other) => other.state === pinned.state)) this.#pins.delete(id)
    this.#visible = state
  }

  pin(): IndexPin {
    const id = this.#nextPin++
    const state = this.visible
    const snapshot = Buffer.alloc(4)
    snapshot.writeUInt32BE(id)
    const pinned = { state, isSynced: false, isHeld: true }
    this.#pins.set(id, pinned)
    return { snapshot, position: state.position, release: () => (pinned.isHeld = false) }
  }

  async sync(): Promise<void> {
    const covered = [...this.#pins.values()]
    await this.#options.beforeSync?.()
    for (const pinned of covered) pinned.isSynced = true
  }
}

/** The recovery went to a state that is not on the drive: a mistake of ours, whatever the drive did. */
export class TornIndexError extends Error {
  override readonly name = 'TornIndexError'
}

class SimulatedIndex implements MetadataIndex {
  readonly source: SimulatedIndexSource
  readonly #requireAlive: () => void
  #isClosed = false

  constructor(source: SimulatedIndexSource, { requireAlive = () => () => {} }: SimulatedIndexOptions) {
    this.source = source
    this.#requireAlive = requireAlive()
  }

  get position(): Position {
    return this.source.visible.position
  }

  async write<T>(body: (transaction: IndexTransaction) => Promise<T>): Promise<T> {
    this.#requireUsable()
    const transaction = new SimulatedTransaction(this.source.visible)
    const result = await body(transaction)
    this.#requireUsable()
    this.source.show(transaction.state())
    return result
  }

  reserve(): void {}

  pin(): IndexPin {
    const pin = this.source.pin()
    const { snapshot, position } = pin
    // Pins are the dead process's, and go with it; what they kept is overwritten only by a living one.
    return { snapshot, position, release: () => { if (this.#isUsable()) pin.release() } }
  }

  sync(): Promise<void> {
    this.#requireUsable()
    return this.source.sync()
  }

  isInPlace(): boolean {
    return this.#isUsable()
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #isUsable(): boolean {
    try {
      this.#requireUsable()
      return true
    } catch {
      return false
    }
  }

  #requireUsable(): void {
    this.#requireAlive()
    if (this.#isClosed) throw new MetadataError('Closed', 'the index is closed')
  }
}

class SimulatedTransaction implements IndexTransaction {
  readonly #rows: Map<string, Buffer>
  readonly #digests: RowDigests
  #position: Position

  constructor({ rows, digests, position }: State) {
    this.#rows = new Map(rows)
    this.#digests = new RowDigests(digests)
    this.#position = position
  }

  state(): State {
    return { rows: this.#rows, digests: this.#digests, position: this.#position }
  }

  get(key: Buffer): Buffer | undefined {
    return this.#rows.get(key.toString('latin1'))
  }

  isEmpty(keyRange: KeyRange): boolean {
    const range = seekableRange(keyRange)
    if (range === undefined) return true
    const [start, end] = [range.start.toString('latin1'), range.end.toString('latin1')]
    for (const key of this.#rows.keys()) if (key >= start && key < end) return false
    return true
  }

  put(key: Uint8Array, version: number, value: Uint8Array): void {
    const row = encodeRow(key, version, value)
    this.#countOut(key)
    this.#rows.set(Buffer.from(key).toString('latin1'), row)
    this.#digests.add(key[0] ?? 0, row, row.length)
  }

  delete(key: Uint8Array): void {
    this.#countOut(key)
    this.#rows.delete(Buffer.from(key).toString('latin1'))
  }

  setPosition(position: Position): void {
    this.#position = position
  }

  #countOut(key: Uint8Array): void {
    const stored = this.#rows.get(Buffer.from(key).toString('latin1'))
    if (stored !== undefined) this.#digests.remove(key[0] ?? 0, stored, stored.length)
  }
}

export interface SeenRow {
  readonly value: string
  readonly version: number
}

/** The rows as values, verified: what a reader would see. */
export function rowsOf({ rows }: State): ReadonlyMap<string, SeenRow> {
  const known = decodedRows.get(rows)
  if (known !== undefined) return known
  const decoded = new Map([...rows].map(([key, stored]) => [key, decodedRow(key, stored)]))
  decodedRows.set(rows, decoded)
  return decoded
}

function decodedRow(key: string, stored: Buffer): SeenRow {
  const known = decoded.get(stored)
  if (known !== undefined) return known
  const { value, version } = decodeRow(Buffer.from(key, 'latin1'), stored, stored.length)
  const row = { value: value.toString('latin1'), version }
  decoded.set(stored, row)
  return row
}

/** Rows never change: each is decoded once. */
const decodedRows = new WeakMap<Rows, ReadonlyMap<string, SeenRow>>()
const decoded = new WeakMap<Buffer, SeenRow>()
