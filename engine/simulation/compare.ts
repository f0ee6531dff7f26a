import type { Engine, UploadListing, VersionListing } from '../engine.ts'
import type { Model, ModelUpload, ModelVersion } from './model.ts'
import { isStandIn, Violation } from './replay.ts'

const pageLimit = 3

/**
 * Compares everything that a client can see with the model: listings, versions with their bytes,
 * uploads and parts. Returns the model with the engine's ids in the place of stand-ins.
 */
export async function compare(engine: Engine, model: Model): Promise<Model> {
  const keys = new Map<string, readonly ModelVersion[]>()
  const renamed = new Map<string, string>()
  for (const bucket of model.versioning.keys()) {
    const { versioning } = await engine.headBucket(bucket)
    expectSame(`versioning of ${bucket}`, versioning, model.versioning.get(bucket))
    for (const [name, versions] of await compareVersions(engine, model, bucket, renamed)) keys.set(name, versions)
    await compareObjects(engine, model, bucket)
  }
  const uploads = await compareUploads(engine, model)
  const completed = new Map([...model.completed].map(([id, { parts, versionId }]) => [id, { parts, versionId: renamed.get(versionId) ?? versionId }]))
  return { ...model, keys, uploads, completed }
}

type Listed = Exclude<VersionListing['entries'][number], { readonly kind: 'commonPrefix' }>

async function compareVersions(
  engine: Engine,
  model: Model,
  bucket: string,
  renamed: Map<string, string>,
): Promise<Map<string, readonly ModelVersion[]>> {
  const listed = await listAllVersions(engine, bucket)
  const found = new Map<string, readonly ModelVersion[]>()
  const names = [...model.keys.keys()].filter((name) => name.startsWith(`${bucket}/`) && model.keys.get(name)?.length !== 0).sort()
  const keys = names.map((name) => name.slice(bucket.length + 1))
  expectSame(`keys with versions in ${bucket}`, [...new Set(listed.map(({ key }) => key))], keys)
  for (const [index, name] of names.entries()) {
    const expected = model.keys.get(name) ?? []
    const actual = listed.filter(({ key }) => key === keys[index])
    expectSame(`versions of ${name}`, actual.map(describeListed), expected.map((version, at) => describeExpected(version, at, actual[at])))
    found.set(name, await Promise.all(expected.map((version, at) => resolveVersion(engine, bucket, version, actual[at], renamed))))
  }
  return found
}

function describeListed(entry: Listed): string {
  const { versionId, isLatest } = entry
  if (entry.kind === 'deleteMarker') return `${versionId} marker ${isLatest}`
  return `${versionId} ${entry.etag} ${entry.sizeBytes} ${JSON.stringify(entry.tags)} ${isLatest}`
}

function describeExpected(version: ModelVersion, at: number, actual: Listed | undefined): string {
  // A stand-in is an id that no client was told: any id that is not the null version's will do.
  const isGranted = isStandIn(version.id) && actual !== undefined && actual.versionId !== 'null'
  const id = isGranted ? actual.versionId : version.id
  if (version.kind === 'deleteMarker') return `${id} marker ${at === 0}`
  return `${id} ${version.etag} ${version.bytes.length} ${JSON.stringify(version.tags)} ${at === 0}`
}

async function resolveVersion(
  engine: Engine,
  bucket: string,
  version: ModelVersion,
  actual: Listed | undefined,
  renamed: Map<string, string>,
): Promise<ModelVersion> {
  if (actual === undefined) return version
  const { key, versionId } = actual
  renamed.set(version.id, versionId)
  if (version.kind === 'object') {
    const chunks: Buffer[] = []
    const reader = await engine.getObject({ bucket, key, versionId })
    for await (const chunk of reader.read({ offset: 0, length: version.bytes.length })) chunks.push(Buffer.from(chunk))
    if (!Buffer.concat(chunks).equals(version.bytes)) throw new Violation(`${bucket}/${key} ${versionId} has other bytes than were put`)
  }
  return { ...version, id: versionId }
}

async function listAllVersions(engine: Engine, bucket: string): Promise<Listed[]> {
  const all: Listed[] = []
  let marker: { keyMarker?: string; versionIdMarker?: string } = {}
  for (;;) {
    const { entries, truncated } = await engine.listVersions({ bucket, limit: pageLimit, ...marker })
    for (const entry of entries) if (entry.kind !== 'commonPrefix') all.push(entry)
    const last = all[all.length - 1]
    if (!truncated || last === undefined) return all
    marker = { keyMarker: last.key, versionIdMarker: last.versionId }
  }
}

/** ListObjects shows the keys whose latest version is an object, and their common prefixes. */
async function compareObjects(engine: Engine, model: Model, bucket: string): Promise<void> {
  const live = [...model.keys].filter(([name, [latest]]) => name.startsWith(`${bucket}/`) && latest?.kind === 'object')
  const keys = live.map(([name]) => name.slice(bucket.length + 1)).sort()
  const grouped = [...new Set(keys.map((key) => (key.includes('/') ? key.slice(0, key.indexOf('/') + 1) : key)))].sort()
  for (const [delimiter, expected] of [[undefined, keys], ['/', grouped]] as const) {
    const { entries } = await engine.listObjects({ bucket, limit: 1000, ...(delimiter === undefined ? {} : { delimiter }) })
    expectSame(`objects in ${bucket}`, entries.map((entry) => (entry.kind === 'object' ? entry.key : entry.prefix)), expected)
  }
}

async function compareUploads(engine: Engine, model: Model): Promise<Map<string, ModelUpload>> {
  const found = new Map<string, ModelUpload>()
  const listed: Extract<UploadListing['entries'][number], { kind: 'upload' }>[] = []
  for (const bucket of model.versioning.keys()) {
    const { entries } = await engine.listUploads({ bucket, limit: 1000 })
    for (const entry of entries) if (entry.kind === 'upload') listed.push(entry)
  }
  const unknown = [...model.uploads].filter(([id]) => isStandIn(id))
  for (const { bucket, key, uploadId } of listed) {
    const at = unknown.findIndex(([, upload]) => upload.bucket === bucket && upload.key === key)
    const known = model.uploads.get(uploadId) ?? unknown.splice(at, at === -1 ? 0 : 1)[0]?.[1]
    if (known === undefined) throw new Violation(`upload ${uploadId} of ${bucket}/${key} should not be there`)
    const { parts } = await engine.listParts({ bucket, key, uploadId, after: 0, limit: 1000 })
    const expected = [...known.parts].sort(([a], [b]) => a - b).map(([n, { etag, bytes }]) => `${n} ${etag} ${bytes.length}`)
    expectSame(`parts of ${uploadId}`, parts.map(({ partNumber, etag, sizeBytes }) => `${partNumber} ${etag} ${sizeBytes}`), expected)
    found.set(uploadId, known)
  }
  if (found.size !== model.uploads.size) throw new Violation(`${model.uploads.size - found.size} uploads are gone`)
  return found
}

function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (found !== wanted) throw new Violation(`${what}: ${found} instead of ${wanted}`)
}
