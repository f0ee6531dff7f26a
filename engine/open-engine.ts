import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import type { Engine } from './engine.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import { appendObject } from './objects/append-object.ts'
import {
  createBucket,
  deleteBucket,
  deleteBucketDocument,
  getBucketDocument,
  listBuckets,
  putBucketDocument,
  setVersioning,
} from './objects/buckets.ts'
import { collectGarbage } from './objects/collect-garbage.ts'
import { completeUpload } from './objects/complete-upload.ts'
import { defaultSettings, type EngineContext, type EngineSettings } from './objects/context.ts'
import { copyObject } from './objects/copy-object.ts'
import { deleteObject } from './objects/delete-object.ts'
import { getObject, headObject } from './objects/get-object.ts'
import { findBucket } from './objects/key-state.ts'
import { listObjects } from './objects/list-objects.ts'
import { listUploads } from './objects/list-uploads.ts'
import { listVersions } from './objects/list-versions.ts'
import { mapErrors, mapErrorsOf } from './objects/map-errors.ts'
import { putObject } from './objects/put-object.ts'
import { amendAttributes } from './objects/amend-attributes.ts'
import { putTags } from './objects/put-tags.ts'
import { renameObject } from './objects/rename-object.ts'
import { sweepOrphans } from './objects/sweep-orphans.ts'
import { extensionReader, transactObjects } from './objects/transact-objects.ts'
import { abortUpload, copyPart, createUpload, getUpload, listParts, putPart } from './objects/uploads.ts'
import { usageCounting, type UsageCounting } from './usage/usage.ts'
import { loadCursor, readOutbox, saveCursor, trimOutbox } from './outbox/outbox.ts'

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
  return {
    ...bucketOperations(context),
    ...objectOperations(context),
    ...uploadOperations(context),
    ...backgroundOperations(context),
    ...usageOperations(context),
    transact: (body) => mapErrors(transactObjects(context, body)),
    extensions: mappedExtensions(context),
    close: () => Promise.resolve(),
  }
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
      return { ...reader, parts: () => mapErrors(reader.parts()), extents: () => mapErrors(reader.extents()), read: (range) => mapErrorsOf(reader.read(range)) }
    },
    headObject: async (input) => {
      const head = await mapErrors(headObject(context, input))
      return { ...head, parts: () => mapErrors(head.parts()), extents: () => mapErrors(head.extents()) }
    },
    deleteObject: (input) => mapErrors(deleteObject(context, input)),
    copyObject: (input) => mapErrors(copyObject(context, input)),
    appendObject: (input) => mapErrors(appendObject(context, input)),
    renameObject: (input) => mapErrors(renameObject(context, input)),
    putTags: (input) => mapErrors(putTags(context, input)),
    amendAttributes: (input) => mapErrors(amendAttributes(context, input)),
    listObjects: (input) => mapErrors(listObjects(context, input)),
    listVersions: (input) => mapErrors(listVersions(context, input)),
  } satisfies Partial<Engine>
}

function uploadOperations(context: EngineContext) {
  return {
    createUpload: (input) => mapErrors(createUpload(context, input)),
    putPart: (input) => mapErrors(putPart(context, input)),
    copyPart: (input) => mapErrors(copyPart(context, input)),
    completeUpload: (input) => mapErrors(completeUpload(context, input)),
    abortUpload: (upload) => mapErrors(abortUpload(context, upload)),
    getUpload: (upload) => mapErrors(getUpload(context, upload)),
    listParts: (input) => mapErrors(listParts(context, input)),
    listUploads: (input) => mapErrors(listUploads(context, input)),
  } satisfies Partial<Engine>
}

function backgroundOperations(context: EngineContext) {
  return {
    readOutbox: (input) => mapErrors(readOutbox(context, input)),
    saveCursor: (consumer, cursor) => mapErrors(saveCursor(context, consumer, cursor)),
    loadCursor: (consumer) => mapErrors(loadCursor(context, consumer)),
    collectGarbage: () => mapErrors(collectGarbage(context)),
    sweepOrphans: () => mapErrors(sweepOrphans(context)),
    trimOutbox: () => mapErrors(trimOutbox(context)),
  } satisfies Partial<Engine>
}

function usageOperations(context: EngineContext): UsageCounting {
  const counting = usageCounting(context)
  return {
    usageOf: (ownerId) => mapErrors(counting.usageOf(ownerId)),
    bucketUsageOf: (bucketId) => mapErrors(counting.bucketUsageOf(bucketId)),
    countUsage: () => mapErrors(counting.countUsage()),
    recountUsage: () => mapErrors(counting.recountUsage()),
  }
}

function mappedExtensions(context: EngineContext): Engine['extensions'] {
  const reader = extensionReader(context.metadata)
  return { get: (key) => mapErrors(reader.get(key)), list: (range) => mapErrors(reader.list(range)) }
}
