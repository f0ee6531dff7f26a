import { describe, expect, it } from 'vitest'
import type { CompleteUpload, Engine, Part } from '../engine.ts'
import { fsck } from '../fsck/fsck.ts'
import { bodyOf, bytesOf, digestOf, memoryEngine, owner, plain, put, textOf } from './test-engine.ts'

const bucket = 'bucket'
const key = 'key'

async function openBucket() {
  const all = memoryEngine({ inlineBytes: 16, garbageGraceMs: 1000, completedUploadMs: 5000 })
  await all.engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
  return all
}

const begin = (engine: Engine, more: { key?: string } = {}) => engine.createUpload({ bucket, key, attributes: plain, ownerId: owner, ...more })

function putPart(engine: Engine, uploadId: string, partNumber: number, text: string): Promise<Part> {
  return engine.putPart({ bucket, key, uploadId, partNumber, body: bodyOf(text), finish: () => digestOf(text) })
}

function complete(engine: Engine, uploadId: string, parts: CompleteUpload['parts'], more: object = {}) {
  const combine = (named: readonly Part[]) => ({ etag: `combined-${named.length}`, checksums: [] })
  return engine.completeUpload({ bucket, key, uploadId, parts, combine, minimumPartBytes: 1, ownerId: owner, ...more })
}

describe('a multipart upload', () => {
  it('becomes the parts that the completion names, in order', async () => {
    const { engine, metadata, blobs, clock } = await openBucket()
    const { uploadId } = await begin(engine)
    const third = await putPart(engine, uploadId, 3, 'short')
    await putPart(engine, uploadId, 1, 'replaced, and longer than sixteen bytes')
    const first = await putPart(engine, uploadId, 1, 'the first part of three, a long one; ')
    await putPart(engine, uploadId, 2, 'left out, and longer than sixteen bytes')
    expect((await engine.listParts({ bucket, key, uploadId, after: 0, limit: 2 })).truncated).toBe(true)
    const { version } = await complete(engine, uploadId, [first, third])
    expect(version).toMatchObject({ etag: 'combined-2', partsCount: 2, sizeBytes: first.sizeBytes + third.sizeBytes })
    expect(await textOf(engine, key)).toBe('the first part of three, a long one; short')
    expect(await (await engine.headObject({ bucket, key })).parts()).toEqual([first, third])
    clock.advance(2000)
    for (let round = 0; round < 3; round++) await engine.collectGarbage()
    expect(await textOf(engine, key)).toBe('the first part of three, a long one; short')
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [], awaitingCollection: 0, checked: { blobs: 1 } })
  })

  it('of thousands of parts is read from anywhere', async () => {
    const { engine } = await openBucket()
    const { uploadId } = await begin(engine)
    const numbers = Array.from({ length: 1000 }, (_, index) => index + 1)
    const parts = await Promise.all(numbers.map((partNumber) => putPart(engine, uploadId, partNumber, `part ${String(partNumber).padStart(4, '0')};`)))
    await complete(engine, uploadId, parts)
    const reader = await engine.getObject({ bucket, key })
    expect(await reader.parts()).toHaveLength(1000)
    for (const from of [1, 128, 129, 640, 998]) {
      const bytes = await bytesOf(reader.read({ offset: (from - 1) * 10 + 5, length: 20 }))
      expect(bytes.toString()).toBe(`${String(from).padStart(4, '0')};part ${String(from + 1).padStart(4, '0')};part `)
    }
  })

  it('answers a repeated completion alike until it is forgotten, and is gone for everything else', async () => {
    const { engine, clock, metadata, blobs } = await openBucket()
    const { uploadId } = await begin(engine)
    const part = await putPart(engine, uploadId, 1, 'x')
    const first = await complete(engine, uploadId, [part])
    await engine.deleteObject({ bucket, key, ownerId: owner })
    expect(await complete(engine, uploadId, [part])).toEqual(first)
    const gone = { code: 'NoSuchUpload' }
    await expect(complete(engine, uploadId, [{ partNumber: 1, etag: 'other' }])).rejects.toMatchObject(gone)
    await expect(engine.abortUpload({ bucket, key, uploadId })).rejects.toMatchObject(gone)
    await expect(putPart(engine, uploadId, 2, 'x')).rejects.toMatchObject(gone)
    await expect(engine.listParts({ bucket, key, uploadId, after: 0, limit: 1 })).rejects.toMatchObject(gone)
    clock.advance(6000)
    for (let round = 0; round < 3; round++) await engine.collectGarbage()
    await expect(complete(engine, uploadId, [part])).rejects.toMatchObject(gone)
    expect(await fsck({ metadata, blobs })).toMatchObject({ verdict: 'clean', findings: [], awaitingCollection: 0 })
  })

  it('refuses wrong completions and stays', async () => {
    const { engine } = await openBucket()
    const { uploadId } = await begin(engine)
    const one = await putPart(engine, uploadId, 1, 'one')
    const two = await putPart(engine, uploadId, 2, 'two')
    const refused = (parts: CompleteUpload['parts'], code: string, more?: object) =>
      expect(complete(engine, uploadId, parts, more)).rejects.toMatchObject({ code })
    await refused([two, one], 'InvalidPartOrder')
    await refused([one, one], 'InvalidPartOrder')
    await refused([], 'InvalidPart')
    await refused([{ partNumber: 1, etag: 'other' }], 'InvalidPart')
    await refused([one, { partNumber: 3, etag: 'x' }], 'InvalidPart')
    await refused([{ ...one, checksums: [{ algorithm: 'CRC32', value: 'x' }] }], 'InvalidPart')
    await refused([one, two], 'EntityTooSmall', { minimumPartBytes: 4 })
    await refused([one, two], 'SizeMismatch', { expectedSizeBytes: 7 })
    await refused([one, two], 'NoSuchKey', { conditions: { ifMatch: ['*'] } })
    expect((await complete(engine, uploadId, [one, two], { expectedSizeBytes: 6 })).version.sizeBytes).toBe(6)
  })

  it('that is aborted leaves nothing, however many parts it had', async () => {
    const { engine, clock, metadata, blobs } = await openBucket()
    const { uploadId } = await begin(engine)
    await Promise.all(Array.from({ length: 300 }, (_, index) => putPart(engine, uploadId, index + 1, index % 9 === 0 ? 'longer than sixteen bytes' : 'x')))
    await expect(engine.deleteBucket(bucket)).rejects.toMatchObject({ code: 'BucketNotEmpty' })
    await engine.abortUpload({ bucket, key, uploadId })
    clock.advance(1)
    for (let round = 0; round < 3; round++) await engine.collectGarbage()
    expect(await fsck({ metadata, blobs })).toMatchObject({ verdict: 'clean', findings: [], awaitingCollection: 0, checked: { blobs: 0, parts: 0 } })
    await engine.deleteBucket(bucket)
  })

  it('takes a range of an object as a part', async () => {
    const { engine } = await openBucket()
    await put(engine, 'source', 'the middle of this is wanted')
    const { uploadId } = await begin(engine)
    const seen: Buffer[] = []
    const digest = () => ({ update: (bytes: Uint8Array) => void seen.push(Buffer.from(bytes)), finish: () => ({ etag: 'copied', checksums: [] }) })
    const source = { bucket, key: 'source' }
    const part = await engine.copyPart({ bucket, key, uploadId, partNumber: 1, source, range: { offset: 4, length: 6 }, digest })
    expect(Buffer.concat(seen).toString()).toBe('middle')
    await complete(engine, uploadId, [part])
    expect(await textOf(engine, key)).toBe('middle')
    const beyond = engine.copyPart({ bucket, key, uploadId, partNumber: 1, source, range: { offset: 20, length: 60 }, digest })
    await expect(beyond).rejects.toMatchObject({ code: 'InvalidRange' })
  })

  it('cannot be completed with a part that is replaced at the same time', async () => {
    for (let round = 0; round < 50; round++) {
      const { engine, metadata, blobs, clock } = await openBucket()
      const { uploadId } = await begin(engine)
      const part = await putPart(engine, uploadId, 1, 'the old part, longer than sixteen bytes')
      const racing = [complete(engine, uploadId, [part]), putPart(engine, uploadId, 1, 'the new part, longer than sixteen bytes'), putPart(engine, uploadId, 2, 'late')]
      await Promise.allSettled(round % 2 === 0 ? racing : racing.reverse())
      clock.advance(2000)
      for (let collection = 0; collection < 3; collection++) await engine.collectGarbage()
      expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
    }
  })
})

describe('ListMultipartUploads', () => {
  it('lists by key and then by initiation, from any marker', async () => {
    const { engine, clock } = await openBucket()
    const ids: string[] = []
    for (const each of ['b', 'a/1', 'b', 'a/2', 'c', 'b']) {
      clock.advance(1)
      ids.push(`${each} ${(await begin(engine, { key: each })).uploadId}`)
    }
    const expected = [...ids.filter((id) => id.startsWith('a')), ...ids.filter((id) => id.startsWith('b')), ...ids.filter((id) => id.startsWith('c'))]
    const names = async (input: object) =>
      (await engine.listUploads({ bucket, limit: 10, ...input })).entries.map((entry) => (entry.kind === 'upload' ? `${entry.key} ${entry.uploadId}` : entry.prefix))
    expect(await names({})).toEqual(expected)
    for (const [index, entry] of expected.entries()) {
      const [keyMarker, uploadIdMarker] = entry.split(' ')
      expect(await names({ keyMarker, uploadIdMarker })).toEqual(expected.slice(index + 1))
      expect(await names({ keyMarker })).toEqual(expected.filter((other) => (other.split(' ')[0] ?? '') > (keyMarker ?? '')))
    }
    expect(await names({ delimiter: '/' })).toEqual(['a/', ...expected.slice(2)])
    expect(await names({ delimiter: '/', keyMarker: 'a/', limit: 1 })).toEqual(expected.slice(2, 3))
  })
})
