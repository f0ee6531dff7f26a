import { assert } from '../../base/assert.ts'
import { type Bucket, EngineError, type EngineTransaction, type ExtensionReader } from '../engine.ts'
import { extensionRow } from '../keys.ts'
import type { MetadataReader, Row } from '../metadata/metadata-store.ts'
import type { Transaction } from '../metadata/transact.ts'
import { appendEvent } from '../outbox/append-event.ts'
import { type ObjectRecord, toObjectVersion } from '../records/version-record.ts'
import type { NewParts } from '../shared-parts.ts'
import { evaluateConditions } from './conditions.ts'
import { attach, bytesAsBody, discardBlob, mayBeCommitted, stage, stageBytes, type Staged } from './contents.ts'
import { commit, type EngineContext } from './context.ts'
import { deleteCurrent } from './delete-object.ts'
import { type KeyState, loadKey, readBucket, writeHead } from './key-state.ts'
import { readExtents } from './layout.ts'
import { linkParts, type LinkedParts } from './link-parts.ts'
import { publishNew } from './put-object.ts'

/**
 * One transaction of an adapter: its own rows, objects and events in one commit. A blob that an
 * attempt staged is removed when that attempt is known not to have committed.
 */
export async function transactObjects<T>(context: EngineContext, body: (tx: EngineTransaction) => Promise<T>): Promise<T> {
  const staged: string[] = []
  const discard = async () => {
    for (const blobId of staged.splice(0)) await discardBlob(context, blobId)
  }
  try {
    return await commit(context, async (tx) => {
      await discard()
      const objects = new ObjectTransaction(context, tx, staged)
      const result = await body(objects)
      objects.writePins()
      return result
    })
  } catch (error) {
    if (!mayBeCommitted(error)) await discard()
    throw error
  }
}

class ObjectTransaction implements EngineTransaction {
  readonly extensions: EngineTransaction['extensions']
  readonly #context: EngineContext
  readonly #tx: Transaction
  readonly #staged: string[]
  readonly #written = new Set<string>()
  /** What was read, by name: a transaction sees one state, and pays for it once. */
  readonly #buckets = new Map<string, Promise<Bucket>>()
  readonly #states = new Map<string, Promise<KeyState>>()
  /** By name: keys whose pins change, with the state that was read. */
  readonly #pins = new Map<string, { readonly state: KeyState; change: number }>()

  constructor(context: EngineContext, tx: Transaction, staged: string[]) {
    this.#context = context
    this.#tx = tx
    this.#staged = staged
    this.extensions = extensionsOf(tx)
  }

  async headObject({ bucket, key }: Parameters<EngineTransaction['headObject']>[0]) {
    const record = await this.#currentObject({ bucket, key })
    return record === undefined ? undefined : toObjectVersion(key, record)
  }

  async putObject({ bucket, key, bytes, conditions, pinned = false, ownerId, ...object }: Parameters<EngineTransaction['putObject']>[0]) {
    this.#markWritten(bucket, key)
    const state = await this.#stateOf(bucket, key)
    evaluateConditions('write', state.head?.version, conditions)
    const created = { ...object, ownerId: ownerId ?? state.bucket.ownerId, tags: {}, ...(await this.#link(bytes)), partsCount: undefined }
    return (await publishNew(this.#context, this.#tx, state, created, 'ObjectCreated:Put', pinned ? 1 : 0)).version
  }

  async extentsOf({ bucket, key }: Parameters<EngineTransaction['extentsOf']>[0]) {
    const record = await this.#currentObject({ bucket, key })
    if (record === undefined) throw new EngineError('NoSuchKey', 'the key does not exist', { bucket, key })
    return readExtents(this.#tx, record)
  }

  async pinObject({ bucket, key }: Parameters<EngineTransaction['pinObject']>[0]) {
    const { head } = await this.#changePins(bucket, key, 1)
    if (head?.version.kind !== 'object') throw new EngineError('NoSuchKey', 'there is nothing to pin', { bucket, key })
    return toObjectVersion(key, head.version)
  }

  async unpinObject({ bucket, key }: Parameters<EngineTransaction['unpinObject']>[0]) {
    await this.#changePins(bucket, key, -1)
  }

  /** Changes of one key add up, so its row is written once, after the body. */
  async #changePins(bucket: string, key: string, by: 1 | -1): Promise<KeyState> {
    const name = `${bucket}/${key}`
    const known = this.#pins.get(name)
    const pin = known ?? { state: await this.#stateOf(bucket, key), change: 0 }
    pin.change += by
    this.#pins.set(name, pin)
    return pin.state
  }

  writePins(): void {
    for (const [name, { state, change }] of this.#pins) {
      assert(!this.#written.has(name), 'a transaction writes a key or changes its pins, not both')
      if (change === 0 || state.head === undefined) continue
      writeHead(this.#tx, state, { ...state.head, pins: Math.max(0, state.head.pins + change) })
    }
  }

  /** A delete marker belongs to the bucket's owner: an adapter acts for it. */
  async deleteObject({ bucket, key }: Parameters<EngineTransaction['deleteObject']>[0]) {
    const state = await this.#stateOf(bucket, key)
    await deleteCurrent(this.#context, this.#tx, state, state.bucket.ownerId)
    this.#markWritten(bucket, key)
  }

  emit(event: { readonly type: string; readonly subject: string; readonly detail: unknown }): void {
    appendEvent(this.#context, this.#tx, event)
  }

  #stateOf(bucket: string, key: string): Promise<KeyState> {
    const name = `${bucket}/${key}`
    let state = this.#states.get(name)
    if (state === undefined) {
      state = this.#loadState(bucket, key)
      this.#states.set(name, state)
    }
    return state
  }

  async #loadState(name: string, key: string): Promise<KeyState> {
    const bucket = this.#buckets.get(name) ?? readBucket(this.#tx, name)
    this.#buckets.set(name, bucket)
    return loadKey(this.#tx, await bucket, key)
  }

  /** A transaction does not see its own writes, so a key can be written once. */
  #markWritten(bucket: string, key: string): void {
    const name = `${bucket}/${key}`
    assert(!this.#written.has(name), 'a transaction writes a key once')
    this.#written.add(name)
  }

  async #currentObject({ bucket, key }: { readonly bucket: string; readonly key: string }): Promise<ObjectRecord | undefined> {
    const { head } = await this.#stateOf(bucket, key)
    return head?.version.kind === 'object' ? head.version : undefined
  }

  async #link(bytes: Uint8Array | NewParts): Promise<Pick<LinkedParts, 'content' | 'sizeBytes'>> {
    if (!('parts' in bytes)) return { content: await attach(this.#context, this.#tx, await this.#stage(bytes)), sizeBytes: bytes.length }
    const holder = bytes.sharedBy === undefined ? undefined : await this.#currentObject(bytes.sharedBy)
    const linked = await linkParts(this.#context, this.#tx, bytes.parts, holder, (own) => this.#stage(own))
    bytes.onLinked?.(linked.extents)
    return { content: linked.content, sizeBytes: linked.sizeBytes }
  }

  async #stage(bytes: Uint8Array): Promise<Staged> {
    if (bytes.length <= this.#context.settings.transactionInlineBytes) return stageBytes(bytes)
    const staged = await stage(this.#context, bytesAsBody(bytes), this.#context.settings.transactionInlineBytes)
    if (staged.kind === 'blob') this.#staged.push(staged.blob.blobId)
    return staged
  }
}

function extensionsOf(tx: Transaction): EngineTransaction['extensions'] {
  return {
    get: (key) => tx.get(extensionRow(key)),
    list: async ({ start, end, ...page }) => withoutPrefix(await tx.list({ ...page, start: extensionRow(start), end: extensionRow(end) })),
    put: (key, value) => tx.put(extensionRow(key), value),
    delete: (key) => tx.delete(extensionRow(key)),
    requireEmpty: ({ start, end }) => tx.requireEmpty({ start: extensionRow(start), end: extensionRow(end) }),
  }
}

/** Extension rows outside of transactions. */
export function extensionReader(reader: MetadataReader): ExtensionReader {
  return {
    get: async (key) => (await reader.get(extensionRow(key)))?.value,
    list: async ({ start, end, ...page }) => withoutPrefix(await reader.list({ ...page, start: extensionRow(start), end: extensionRow(end) })),
  }
}

function withoutPrefix(rows: readonly Row[]): { key: Buffer; value: Buffer }[] {
  return rows.map(({ key, value }) => ({ key: key.subarray(1), value }))
}
