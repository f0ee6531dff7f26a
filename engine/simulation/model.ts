import { must } from '../../base/assert.ts'
import type { DeleteResult, Tags, Versioning, WriteConditions } from '../engine.ts'
import { bytesOfPiece, etagOfPiece, type NamedPart, type Operation, type Outcome, type Place } from './operation.ts'

/**
 * The oracle: what the buckets hold, as plain maps and lists, and what each operation does to them.
 * Written from the documentation and on purpose nothing like the engine. States are never changed:
 * an operation makes a new one, so that every state of a run can be looked at again.
 */
export interface Model {
  readonly versioning: ReadonlyMap<string, Versioning>
  /** By `bucket/key`: newest first. */
  readonly keys: ReadonlyMap<string, readonly ModelVersion[]>
  readonly uploads: ReadonlyMap<string, ModelUpload>
  /** By upload: which parts it was completed with, and the version it became. */
  readonly completed: ReadonlyMap<string, { readonly parts: string; readonly versionId: string }>
}

export type ModelVersion =
  | { readonly kind: 'object'; readonly id: string; readonly bytes: Buffer; readonly etag: string; readonly tags: Tags; readonly shared?: Buffer }
  | { readonly kind: 'deleteMarker'; readonly id: string }

type ModelObject = Extract<ModelVersion, { readonly kind: 'object' }>

export interface ModelUpload extends Place {
  readonly parts: ReadonlyMap<number, { readonly etag: string; readonly bytes: Buffer }>
}

/** What the engine decided. Ids are stand-ins where no client has seen them. */
export interface Granted {
  readonly versionIds: readonly string[]
  readonly uploadId: string
  /** It got past the reading of a source that is not part of its commit: that source was there. */
  readonly hasReadSource: boolean
}

export interface Applied {
  readonly model: Model
  readonly outcome: Outcome
}

export function emptyModel(buckets: readonly string[]): Model {
  return { versioning: new Map(buckets.map((bucket) => [bucket, 'Unversioned'])), keys: new Map(), uploads: new Map(), completed: new Map() }
}

export function nameOf({ bucket, key }: Place): string {
  return `${bucket}/${key}`
}

/** What an operation does, all at once. */
export function apply(model: Model, operation: Operation, granted: Granted): Applied {
  try {
    return applyAdmitted(model, operation, granted)
  } catch (error) {
    if (error instanceof Refusal) return { model, outcome: { kind: 'refused', code: error.code } }
    throw error
  }
}

class Refusal extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

function applyAdmitted(model: Model, operation: Operation, granted: Granted): Applied {
  switch (operation.op) {
    case 'put': {
      admitWrite(latest(model, operation), operation.conditions)
      return created(model, operation, { bytes: bytesOfPiece(operation.content), etag: etagOfPiece(operation.content), tags: {} }, granted)
    }
    case 'delete':
      return applyDelete(model, operation, granted)
    case 'copy': {
      const source = found(model, operation.source, operation.source.versionId)
      admitWrite(latest(model, operation), operation.conditions)
      return created(model, operation, source, granted)
    }
    case 'rename': {
      const source = found(model, { bucket: operation.bucket, key: operation.sourceKey }, undefined)
      if (operation.sourceKey === operation.key) return { model, outcome: { kind: 'created', versionIds: [source.id] } }
      const { model: moved, outcome } = created(model, operation, source, granted)
      const marker = must(granted.versionIds[1], 'an id is granted')
      return { model: deleteLatest(moved, { bucket: operation.bucket, key: operation.sourceKey }, marker).model, outcome }
    }
    case 'append': {
      const before = latest(model, operation)
      const { bytes, etag, tags, shared } = before?.kind === 'object' ? before : { bytes: Buffer.alloc(0), etag: '', tags: {}, shared: undefined }
      if (bytes.length !== operation.offsetBytes) throw new Refusal('InvalidWriteOffset')
      const grown = Buffer.concat([bytes, bytesOfPiece(operation.content)])
      return created(model, operation, { bytes: grown, etag: `${etag}+${etagOfPiece(operation.content)}`, tags, ...(shared !== undefined && { shared }) }, granted)
    }
    case 'tag':
      return applyTag(model, operation)
    case 'versioning':
      return { model: { ...model, versioning: withEntry(model.versioning, operation.bucket, operation.status) }, outcome: { kind: 'done' } }
    case 'compose':
      return applyCompose(model, operation, granted)
    case 'transact':
      return applyTransact(model, operation, granted)
    case 'get': {
      const { id, etag, bytes } = found(model, operation, operation.versionId)
      return { model, outcome: { kind: 'read', versionId: id, etag, bytes } }
    }
    case 'list':
      return { model, outcome: { kind: 'listed', versionIds: versionsOf(model, operation).map(({ id }) => id) } }
    case 'maintain':
      return { model, outcome: { kind: 'done' } }
    default:
      return applyToUpload(model, operation, granted)
  }
}

// ---- versions

function versionsOf(model: Model, place: Place): readonly ModelVersion[] {
  return model.keys.get(nameOf(place)) ?? []
}

function latest(model: Model, place: Place): ModelVersion | undefined {
  return versionsOf(model, place)[0]
}

function withVersions(model: Model, place: Place, versions: readonly ModelVersion[]): Model {
  return { ...model, keys: withEntry(model.keys, nameOf(place), versions) }
}

function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map([...map, [key, value]])
}

function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  return new Map([...map].filter(([other]) => other !== key))
}

/** The id that a new version gets, and the versions that stay beside it. */
function makeRoom(model: Model, place: Place, grantedId: string): { id: string; rest: readonly ModelVersion[] } {
  const versions = versionsOf(model, place)
  if (model.versioning.get(place.bucket) === 'Enabled') return { id: grantedId, rest: versions }
  return { id: 'null', rest: versions.filter(({ id }) => id !== 'null') }
}

function created(model: Model, place: Place, object: Pick<ModelObject, 'bytes' | 'etag' | 'tags' | 'shared'>, { versionIds }: Granted): Applied {
  const { id, rest } = makeRoom(model, place, must(versionIds[0], 'an id is granted'))
  const { bytes, etag, tags, shared } = object
  return {
    model: withVersions(model, place, [{ kind: 'object', id, bytes, etag, tags, ...(shared !== undefined && { shared }) }, ...rest]),
    outcome: { kind: 'created', versionIds: [id] },
  }
}

function deleteLatest(model: Model, place: Place, grantedId: string): { model: Model; result: DeleteResult } {
  if (model.versioning.get(place.bucket) !== 'Unversioned') {
    const { id, rest } = makeRoom(model, place, grantedId)
    return { model: withVersions(model, place, [{ kind: 'deleteMarker', id }, ...rest]), result: { did: 'createdMarker', versionId: id } }
  }
  if (latest(model, place) === undefined) return { model, result: { did: 'nothing' } }
  return { model: withVersions(model, place, []), result: { did: 'deletedVersion', versionId: undefined } }
}

function applyDelete(model: Model, operation: Extract<Operation, { op: 'delete' }>, granted: Granted): Applied {
  const { versionId, conditions } = operation
  const versions = versionsOf(model, operation)
  const target = versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId)
  if (conditions?.ifMatch !== undefined) {
    if (target === undefined) throw new Refusal('NoSuchKey')
    if (target.kind === 'deleteMarker' || !conditions.ifMatch.includes(target.etag)) throw new Refusal('PreconditionFailed')
  }
  if (versionId === undefined) {
    const deleted = deleteLatest(model, operation, must(granted.versionIds[0], 'an id is granted'))
    return { model: deleted.model, outcome: { kind: 'deleted', result: deleted.result } }
  }
  if (target === undefined) return { model, outcome: { kind: 'deleted', result: { did: 'nothing' } } }
  const isUnversioned = model.versioning.get(operation.bucket) === 'Unversioned'
  const result: DeleteResult =
    target.kind === 'deleteMarker'
      ? { did: 'deletedMarker', versionId }
      : { did: 'deletedVersion', versionId: isUnversioned ? undefined : versionId }
  return { model: withVersions(model, operation, versions.filter((version) => version !== target)), outcome: { kind: 'deleted', result } }
}

function admitWrite(current: ModelVersion | undefined, conditions: WriteConditions | undefined): void {
  const object = current?.kind === 'object' ? current : undefined
  if (conditions?.ifMatch !== undefined && object === undefined) throw new Refusal('NoSuchKey')
  if (conditions?.ifMatch !== undefined && !conditions.ifMatch.includes(object?.etag ?? '')) throw new Refusal('PreconditionFailed')
  if (conditions?.ifNoneMatch !== undefined && object !== undefined) throw new Refusal('PreconditionFailed')
}

function found(model: Model, place: Place, versionId: string | undefined): ModelObject {
  const versions = versionsOf(model, place)
  const version = versionId === undefined ? versions[0] : versions.find(({ id }) => id === versionId)
  if (version?.kind === 'object') return version
  if (versionId === undefined) throw new Refusal('NoSuchKey')
  throw new Refusal(version === undefined ? 'NoSuchVersion' : 'IsDeleteMarker')
}

function applyTag(model: Model, operation: Extract<Operation, { op: 'tag' }>): Applied {
  const versions = versionsOf(model, operation)
  if (operation.versionId === undefined && latest(model, operation)?.kind === 'deleteMarker') throw new Refusal('IsDeleteMarker')
  const target = found(model, operation, operation.versionId)
  const tagged = versions.map((version) => (version === target ? { ...target, tags: operation.tags } : version))
  return { model: withVersions(model, operation, tagged), outcome: { kind: 'done' } }
}

function applyTransact(model: Model, { bucket, objects }: Extract<Operation, { op: 'transact' }>, granted: Granted): Applied {
  const versionIds: string[] = []
  for (const [index, { key, content }] of objects.entries()) {
    const object = { bytes: bytesOfPiece(content), etag: etagOfPiece(content), tags: {} }
    const grantedId = must(granted.versionIds[index], 'an id is granted')
    const { model: next, outcome } = created(model, { bucket, key }, object, { ...granted, versionIds: [grantedId] })
    model = next
    if (outcome.kind === 'created') versionIds.push(...outcome.versionIds)
  }
  return { model, outcome: { kind: 'created', versionIds } }
}

function applyCompose(model: Model, operation: Extract<Operation, { op: 'compose' }>, granted: Granted): Applied {
  const { bucket, sourceKey, first, shareable, last } = operation
  const source = latest(model, { bucket, key: sourceKey })
  const shared = Buffer.concat([(source?.kind === 'object' && source.shared) || Buffer.alloc(0), bytesOfPiece(shareable)])
  const bytes = Buffer.concat([bytesOfPiece(first), shared, bytesOfPiece(last)])
  return created(model, operation, { bytes, etag: [first, shareable, last].map(etagOfPiece).join('|'), tags: {}, shared }, granted)
}

// ---- uploads

type UploadOperation = Extract<Operation, { op: 'createUpload' | 'putPart' | 'copyPart' | 'complete' | 'abort' }>

function applyToUpload(model: Model, operation: UploadOperation, granted: Granted): Applied {
  const { bucket, key } = operation
  if (operation.op === 'createUpload') {
    const uploads = withEntry(model.uploads, granted.uploadId, { bucket, key, parts: new Map() })
    return { model: { ...model, uploads }, outcome: { kind: 'begun', uploadId: granted.uploadId } }
  }
  if (operation.op === 'complete') return applyComplete(model, operation, granted)
  // The source of a part copy is read before the upload is looked at, and may be gone at the commit.
  if (operation.op === 'copyPart' && !granted.hasReadSource) found(model, operation.source, operation.source.versionId)
  const upload = model.uploads.get(operation.uploadId)
  if (upload === undefined || nameOf(upload) !== nameOf(operation)) throw new Refusal('NoSuchUpload')
  if (operation.op === 'abort') {
    return { model: { ...model, uploads: withoutEntry(model.uploads, operation.uploadId) }, outcome: { kind: 'done' } }
  }
  const content = operation.op === 'putPart' ? operation.content : operation.source.content
  const part = { etag: etagOfPiece(content), bytes: bytesOfPiece(content) }
  const parts = withEntry(upload.parts, operation.partNumber, part)
  const uploads = withEntry(model.uploads, operation.uploadId, { ...upload, parts })
  return { model: { ...model, uploads }, outcome: { kind: 'part', etag: part.etag } }
}

function applyComplete(model: Model, operation: Extract<Operation, { op: 'complete' }>, granted: Granted): Applied {
  const { uploadId } = operation
  const named = fingerprint(operation.parts)
  const upload = model.uploads.get(uploadId)
  if (upload === undefined) {
    const before = model.completed.get(uploadId)
    if (before?.parts !== named) throw new Refusal('NoSuchUpload')
    return { model, outcome: { kind: 'created', versionIds: [before.versionId] } }
  }
  const parts = operation.parts.map(({ partNumber, etag }) => {
    const part = upload.parts.get(partNumber)
    if (part?.etag !== etag) throw new Refusal('InvalidPart')
    return part
  })
  admitWrite(latest(model, operation), operation.conditions)
  const object = { bytes: Buffer.concat(parts.map(({ bytes }) => bytes)), etag: parts.map(({ etag }) => etag).join('&'), tags: {} }
  const { model: next, outcome } = created(model, operation, object, granted)
  const versionId = outcome.kind === 'created' ? must(outcome.versionIds[0], 'it has an id') : ''
  const completed = withEntry(next.completed, uploadId, { parts: named, versionId })
  return { model: { ...next, uploads: withoutEntry(next.uploads, uploadId), completed }, outcome }
}

function fingerprint(parts: readonly NamedPart[]): string {
  return parts.map(({ partNumber, etag }) => `${partNumber} ${etag}`).join('\n')
}
