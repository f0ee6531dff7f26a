import { unreachable } from '../../base/assert.ts'
import type { Attributes, Engine, PutResult } from '../engine.ts'
import { EngineError } from '../engine.ts'
import { bytesOfPiece, etagOfPiece, type Operation, type Outcome, type Piece } from './operation.ts'

export const ownerId = 'a'.repeat(64)
const attributes: Attributes = { headers: {}, userMetadata: {}, storageClass: 'STANDARD' }
const bodyChunkBytes = 3000

/** Lets the scheduler interleave something else. */
export type Pause = () => Promise<void>

/** Asks the engine for an operation. Errors of the engine are outcomes; others are our own mistakes. */
export async function execute(engine: Engine, operation: Operation, pause: Pause): Promise<Outcome> {
  try {
    return await ask(engine, operation, pause)
  } catch (error) {
    if (error instanceof EngineError) return { kind: 'refused', code: error.code }
    throw error
  }
}

async function* bodyOf(piece: Piece, pause: Pause): AsyncGenerator<Uint8Array> {
  const bytes = bytesOfPiece(piece)
  for (let at = 0; at < bytes.length; at += bodyChunkBytes) {
    await pause()
    yield bytes.subarray(at, at + bodyChunkBytes)
  }
}

function digest(piece: Piece) {
  return () => ({ etag: etagOfPiece(piece), checksums: [] })
}

function created({ version }: PutResult): Outcome {
  return { kind: 'created', versionIds: [version.versionId] }
}

async function ask(engine: Engine, operation: Operation, pause: Pause): Promise<Outcome> {
  switch (operation.op) {
    case 'put': {
      const { content, op: _, ...place } = operation
      return created(await engine.putObject({ ...place, body: bodyOf(content, pause), finish: digest(content), attributes, ownerId }))
    }
    case 'delete':
      return { kind: 'deleted', result: await engine.deleteObject({ ...operation, ownerId }) }
    case 'copy':
      return created(await engine.copyObject({ ...operation, ownerId }))
    case 'rename':
      return created(await engine.renameObject({ ...operation, ownerId }))
    case 'append': {
      const { content, op: _, ...place } = operation
      const finish = (before: { readonly etag: string } | undefined) => ({ etag: `${before?.etag ?? ''}+${etagOfPiece(content)}`, checksums: [] })
      return created(await engine.appendObject({ ...place, body: bodyOf(content, pause), finish, attributes, ownerId }))
    }
    case 'tag':
      await engine.putTags(operation)
      return { kind: 'done' }
    case 'versioning':
      await engine.setVersioning(operation.bucket, operation.status)
      return { kind: 'done' }
    case 'transact':
      return transact(engine, operation)
    case 'compose':
      return compose(engine, operation)
    case 'get':
      return read(engine, operation, pause)
    case 'list': {
      const { entries } = await engine.listVersions({ bucket: operation.bucket, prefix: operation.key, limit: 1000 })
      const versionIds = entries.flatMap((entry) => (entry.kind === 'commonPrefix' || entry.key !== operation.key ? [] : [entry.versionId]))
      return { kind: 'listed', versionIds }
    }
    case 'maintain':
      await engine[operation.what]()
      return { kind: 'done' }
    default:
      return askUpload(engine, operation, pause)
  }
}

type UploadOperation = Extract<Operation, { op: 'createUpload' | 'putPart' | 'copyPart' | 'complete' | 'abort' }>

async function askUpload(engine: Engine, operation: UploadOperation, pause: Pause): Promise<Outcome> {
  switch (operation.op) {
    case 'createUpload':
      return { kind: 'begun', uploadId: (await engine.createUpload({ ...operation, attributes, ownerId })).uploadId }
    case 'putPart': {
      const { content, op: _, ...part } = operation
      return { kind: 'part', etag: (await engine.putPart({ ...part, body: bodyOf(content, pause), finish: digest(content) })).etag }
    }
    case 'copyPart': {
      let etag = ''
      const admit = (source: { readonly etag: string }) => {
        etag = source.etag
      }
      const copied = { update: () => undefined, finish: () => ({ etag, checksums: [] }) }
      return { kind: 'part', etag: (await engine.copyPart({ ...operation, admit, digest: () => copied })).etag }
    }
    case 'complete': {
      const combine = (parts: readonly { readonly etag: string }[]) => ({ etag: parts.map(({ etag }) => etag).join('&'), checksums: [] })
      return created(await engine.completeUpload({ ...operation, combine, minimumPartBytes: 0, ownerId }))
    }
    case 'abort':
      await engine.abortUpload(operation)
      return { kind: 'done' }
    default:
      return unreachable(operation)
  }
}

async function transact(engine: Engine, { bucket, objects }: Extract<Operation, { op: 'transact' }>): Promise<Outcome> {
  const versionIds = await engine.transact(async (tx) => {
    const ids: string[] = []
    for (const { key, content } of objects) {
      const object = { bucket, key, bytes: bytesOfPiece(content), etag: etagOfPiece(content), checksums: [], attributes, ownerId }
      ids.push((await tx.putObject(object)).versionId)
    }
    return ids
  })
  return { kind: 'created', versionIds }
}

async function compose(engine: Engine, { bucket, key, sourceKey, first, shareable, last }: Extract<Operation, { op: 'compose' }>): Promise<Outcome> {
  const etag = [first, shareable, last].map(etagOfPiece).join('|')
  const version = await engine.transact(async (tx) => {
    const source = { bucket, key: sourceKey }
    const extents = (await tx.headObject(source)) === undefined ? [] : await tx.extentsOf(source)
    const shared = extents.flatMap((extent) => (extent.shared === undefined ? [] : [{ kind: 'shared' as const, sizeBytes: extent.sizeBytes, ...extent.shared }]))
    const parts = [
      { kind: 'own' as const, bytes: bytesOfPiece(first) },
      ...shared,
      { kind: 'shareable' as const, bytes: bytesOfPiece(shareable) },
      { kind: 'own' as const, bytes: bytesOfPiece(last) },
    ]
    return tx.putObject({ bucket, key, bytes: { parts, sharedBy: source }, etag, checksums: [], attributes, ownerId })
  })
  return { kind: 'created', versionIds: [version.versionId] }
}

async function read(engine: Engine, operation: Extract<Operation, { op: 'get' }>, pause: Pause): Promise<Outcome> {
  const reader = await engine.getObject(operation)
  const { version } = reader
  const chunks: Buffer[] = []
  for await (const chunk of reader.read({ offset: 0, length: version.sizeBytes })) {
    chunks.push(Buffer.from(chunk))
    await pause()
  }
  return { kind: 'read', versionId: version.versionId, etag: version.etag, bytes: Buffer.concat(chunks) }
}
