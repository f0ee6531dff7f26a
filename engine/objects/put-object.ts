import type { Attributes, Checksum, PutObject, PutResult, Tags } from '../engine.ts'
import type { Transaction } from '../metadata/transact.ts'
import type { Content } from '../records/content.ts'
import { type ObjectRecord, toObjectVersion } from '../records/version-record.ts'
import { evaluateConditions } from './conditions.ts'
import { attach, stage, withStaged } from './contents.ts'
import { commit, type EngineContext } from './context.ts'
import { emitObjectEvent, findBucket, type KeyState, loadKey, publishObject, readBucket } from './key-state.ts'
import { planWrite } from './version-plan.ts'

/**
 * PutObject. Bytes first: inline in memory, or a blob that no row refers to yet.
 * Commit point: one commit that checks bucket and conditions and publishes the version.
 */
export async function putObject(context: EngineContext, input: PutObject): Promise<PutResult> {
  const { bucket: bucketName, key, attributes, tags = {}, conditions, ownerId } = input
  const refuseEarly = async () => {
    await findBucket(context.metadata, bucketName)
    return attributes.storageClass
  }
  const body = await stage(context, input.body, context.settings.inlineBytes, refuseEarly)
  return withStaged(context, body, async (staged) => {
    const { etag, checksums } = await input.finish(staged.sizeBytes)
    return commit(context, async (tx) => {
      const bucket = await readBucket(tx, bucketName)
      const state = await loadKey(tx, bucket, key)
      evaluateConditions('write', state.head?.version, conditions)
      const content = await attach(context, tx, staged)
      const object = { sizeBytes: staged.sizeBytes, etag, checksums, attributes, tags, ownerId, content, partsCount: undefined }
      return publishNew(context, tx, state, object, 'ObjectCreated:Put')
    })
  })
}

export interface NewObject {
  readonly sizeBytes: number
  readonly etag: string
  readonly checksums: readonly Checksum[]
  readonly attributes: Attributes
  readonly tags: Tags
  readonly ownerId: string
  readonly content: Content
  readonly partsCount: number | undefined
}

/** The last step of everything that creates an object: plans, publishes, emits the event. `Pinned`. */
export async function publishNew(
  context: EngineContext,
  tx: Transaction,
  state: KeyState,
  object: NewObject,
  event: string,
  pins = 0,
): Promise<PutResult> {
  const record = await publishRecord(context, tx, state, object, event, pins)
  return { version: toObjectVersion(state.key, record), versioning: state.bucket.versioning }
}

/** As `publishNew`; the record as it is stored. */
export async function publishRecord(
  context: EngineContext,
  tx: Transaction,
  state: KeyState,
  object: NewObject,
  event: string,
  pins = 0,
): Promise<ObjectRecord> {
  const plan = planWrite(state.head, state.bucket.versioning, context.clock.nowMs())
  const record = await publishObject(context, tx, state, plan, { kind: 'object', ...object }, pins)
  emitObjectEvent(context, tx, event, state, record)
  return record
}

