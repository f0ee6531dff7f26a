import type { Engine } from './engine.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import {
  createBucket,
  deleteBucket,
  deleteBucketDocument,
  getBucketDocument,
  listBuckets,
  putBucketDocument,
  setVersioning,
} from './objects/buckets.ts'
import { defaultSettings, type EngineContext, type EngineSettings } from './objects/context.ts'
import { deleteObject } from './objects/delete-object.ts'
import { getObject, headObject } from './objects/get-object.ts'
import { findBucket } from './objects/key-state.ts'
import { listObjects } from './objects/list-objects.ts'
import { mapErrors, mapErrorsOf } from './objects/map-errors.ts'
import { putObject } from './objects/put-object.ts'

export interface EngineStores {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly random: Random
  readonly settings?: Partial<EngineSettings>
}

/** An engine over opened stores. `close` leaves them open: whoever opened them closes them. */
export function openEngine({ settings, ...stores }: EngineStores): Engine {
  const context: EngineContext = { ...stores, settings: { ...defaultSettings, ...settings } }
  const operations: Partial<Engine> = { ...bucketOperations(context), ...objectOperations(context) }
  return operations as Engine
}

function bucketOperations(context: EngineContext) {
  return {
    createBucket: (input) => mapErrors(createBucket(context, input)),
    headBucket: (bucket) => mapErrors(findBucket(context.metadata, bucket)),
    deleteBucket: (bucket) => mapErrors(deleteBucket(context, bucket)),
    listBuckets: (page) => mapErrors(listBuckets(context, page)),
    setVersioning: (bucket, versioning) => mapErrors(setVersioning(context, bucket, versioning)),
    getBucketDocument: (bucket, name) => mapErrors(getBucketDocument(context, bucket, name)),
    putBucketDocument: (bucket, name, document) => mapErrors(putBucketDocument(context, bucket, name, document)),
    deleteBucketDocument: (bucket, name) => mapErrors(deleteBucketDocument(context, bucket, name)),
  } satisfies Partial<Engine>
}

function objectOperations(context: EngineContext) {
  return {
    putObject: (input) => mapErrors(putObject(context, input)),
    getObject: async (input) => {
      const reader = await mapErrors(getObject(context, input))
      return { ...reader, parts: () => mapErrors(reader.parts()), read: (range) => mapErrorsOf(reader.read(range)) }
    },
    headObject: async (input) => {
      const head = await mapErrors(headObject(context, input))
      return { ...head, parts: () => mapErrors(head.parts()) }
    },
    deleteObject: (input) => mapErrors(deleteObject(context, input)),
    listObjects: (input) => mapErrors(listObjects(context, input)),
  } satisfies Partial<Engine>
}
