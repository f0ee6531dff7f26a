import { expect, it } from 'vitest'
import fc from 'fast-check'
import { must } from '../../base/assert.ts'
import type { Engine } from '../engine.ts'
import { bodyOf, digestOf, memoryEngine, owner, plain, put } from '../objects/test-engine.ts'

const other = 'b'.repeat(64)

async function opened(settings?: Parameters<typeof memoryEngine>[0], versioning?: 'Enabled') {
  const all = memoryEngine(settings)
  const made = await all.engine.createBucket({ bucket: 'bucket', ownerId: owner, region: 'r', ...(versioning && { versioning }) })
  return { ...all, bucketId: made.bucketId }
}

async function putPart(engine: Engine, uploadId: string, partNumber: number, text: string): Promise<void> {
  await engine.putPart({ bucket: 'bucket', key: 'm', uploadId, partNumber, body: bodyOf(text), finish: () => digestOf(text) })
}

/** What is really there, by what clients can list. */
async function listed(engine: Engine): Promise<{ bytes: number; objects: number }> {
  const { entries } = await engine.listVersions({ bucket: 'bucket', limit: 10_000 })
  const sizes = entries.flatMap((entry) => (entry.kind === 'object' ? [entry.sizeBytes] : []))
  let bytes = sizes.reduce((sum, size) => sum + size, 0)
  for (const upload of (await engine.listUploads({ bucket: 'bucket', limit: 1000 })).entries) {
    if (upload.kind !== 'upload') continue
    for (const { sizeBytes } of (await engine.listParts({ ...upload, after: 0, limit: 1000 })).parts) bytes += sizeBytes
  }
  return { bytes, objects: sizes.length }
}

type Act = (engine: Engine) => Promise<unknown>

const keys = fc.constantFrom('a', 'b', 'm')
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(keys, fc.string({ maxLength: 40 })).map(([key, text]): Act => (engine) => put(engine, key, text)),
  keys.map((key): Act => (engine) => engine.deleteObject({ bucket: 'bucket', key, ownerId: owner })),
  keys.map((key): Act => async (engine) => {
    const { entries } = await engine.listVersions({ bucket: 'bucket', prefix: key, limit: 10 })
    const last = entries.at(-1)
    if (last !== undefined && last.kind !== 'commonPrefix') await engine.deleteObject({ bucket: 'bucket', key, versionId: last.versionId, ownerId: owner })
  }),
  fc.tuple(keys, keys).map(([source, key]): Act => (engine) => engine.copyObject({ source: { bucket: 'bucket', key: source }, bucket: 'bucket', key, ownerId: owner })),
  fc.tuple(keys, keys).map(([sourceKey, key]): Act => (engine) => engine.renameObject({ bucket: 'bucket', sourceKey, key, ownerId: owner })),
  fc.constantFrom<'Enabled' | 'Suspended'>('Enabled', 'Suspended').map((to): Act => (engine) => engine.setVersioning('bucket', to)),
  fc.constant<Act>(async (engine) => {
    const { uploadId } = await engine.createUpload({ bucket: 'bucket', key: 'm', attributes: plain, ownerId: owner })
    await putPart(engine, uploadId, 1, 'first')
    await putPart(engine, uploadId, 1, 'again, and longer')
    await putPart(engine, uploadId, 2, 'left out')
  }),
  fc.boolean().map((isAborted): Act => async (engine) => {
    const [upload] = (await engine.listUploads({ bucket: 'bucket', limit: 1 })).entries
    if (upload === undefined || upload.kind !== 'upload') return
    if (isAborted) await engine.abortUpload(upload)
    else await engine.completeUpload({ ...upload, parts: [{ partNumber: 1, etag: digestOf('again, and longer').etag }], combine: () => digestOf('m'), minimumPartBytes: 0, ownerId: owner })
  }),
  fc.constant<Act>((engine) => engine.countUsage()),
)

it('is what can be listed, whatever was done, and however often it was counted in between', async () => {
  await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 40 }), fc.nat(45), async (acts, countAt) => {
    const { engine, clock, bucketId } = await opened({ garbageGraceMs: 0 })
    for (const [index, step] of acts.entries()) {
      await step(engine).catch(() => undefined)
      if (index === countAt) await engine.countUsage()
      clock.advance(1)
    }
    await engine.collectGarbage()
    const expected = await listed(engine)
    expect(await engine.usageOf(owner)).toEqual({ buckets: 1, ...expected })
    expect(await engine.bucketUsageOf(bucketId)).toEqual(expected)
    while ((await engine.countUsage()).countedEvents > 0);
    expect(await engine.usageOf(owner)).toEqual({ buckets: 1, ...expected })
  }), { numRuns: 60 })
})

it('is seen by every process at once, and counts nothing twice where two count', async () => {
  const { engine, metadata, blobs, clock, random } = await opened()
  const { openEngine } = await import('../open-engine.ts')
  const second = openEngine({ metadata, blobs, clock, random })
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    await put(index === 1 ? second : engine, name, '12345')
    expect((await second.usageOf(owner)).bytes).toBe(5 * (index + 1))
    expect((await engine.usageOf(owner)).bytes).toBe(5 * (index + 1))
    await Promise.all([engine.countUsage(), second.countUsage()])
  }
  expect(await engine.usageOf(owner)).toEqual({ buckets: 1, bytes: 15, objects: 3 })
  expect(await engine.usageOf(other)).toEqual({ buckets: 0, bytes: 0, objects: 0 })
})

it('counts anew what was stored before anything was counted, and after events were lost', async () => {
  const { engine, metadata, blobs, clock, random } = await opened({ outboxEvents: 2 }, 'Enabled')
  for (const name of ['a', 'a', 'b', 'c', 'd']) await put(engine, name, '12345')
  const { uploadId } = await engine.createUpload({ bucket: 'bucket', key: 'm', attributes: plain, ownerId: owner })
  await putPart(engine, uploadId, 1, 'part')
  await engine.trimOutbox()
  await engine.countUsage()
  expect((await engine.usageOf(owner)).bytes).toBeLessThan(29)
  const { openEngine } = await import('../open-engine.ts')
  const restarted = openEngine({ metadata, blobs, clock, random })
  await restarted.recountUsage()
  expect(await restarted.usageOf(owner)).toEqual({ buckets: 1, bytes: 29, objects: 5 })
  await put(restarted, 'e', '1')
  await restarted.recountUsage()
  expect(await restarted.usageOf(owner)).toEqual({ buckets: 1, bytes: 30, objects: 6 })
})

it('keeps events that are not counted, though every consumer has passed them', async () => {
  const { engine } = await opened()
  await engine.recountUsage()
  for (let index = 0; index < 10; index++) await put(engine, `k${index}`, '1')
  const { cursor = '' } = await engine.readOutbox({ cursor: undefined, limit: 100 })
  await engine.saveCursor('quick', cursor)
  await engine.trimOutbox()
  expect((await engine.usageOf(owner)).bytes).toBe(10)
  await engine.countUsage()
  await engine.trimOutbox()
  expect((await engine.readOutbox({ cursor: undefined, limit: 100 })).events).toEqual([])
  expect((await engine.usageOf(owner)).bytes).toBe(10)
})

it('keeps events that are not counted beyond the bound of the others', async () => {
  const { engine } = await opened({ outboxEvents: 2 })
  await engine.recountUsage()
  for (let index = 0; index < 10; index++) await put(engine, `k${index}`, '1')
  await engine.trimOutbox()
  await engine.countUsage()
  expect((await engine.usageOf(owner)).bytes).toBe(10)
})

it('counts buckets with the commit that makes them: of those made at once, no more than may be', async () => {
  const { engine } = memoryEngine()
  const make = (bucket: string) => engine.createBucket({ bucket, ownerId: owner, region: 'r', mostBuckets: 3 }).then(() => 'made', (error: { code: string }) => error.code)
  const answers = await Promise.all(['b1', 'b2', 'b3', 'b4', 'b5', 'b6'].map(make))
  expect(answers.filter((answer) => answer === 'made')).toHaveLength(3)
  expect(answers.filter((answer) => answer === 'TooManyBuckets')).toHaveLength(3)
  expect((await engine.usageOf(owner)).buckets).toBe(3)
  const [one] = await engine.listBuckets({ limit: 1 })
  await engine.deleteBucket(must(one, 'there is a bucket').name)
  expect(await make('b7')).toBe('made')
  expect(await engine.createBucket({ bucket: 'by-others', ownerId: other, region: 'r', mostBuckets: 1 })).toBeDefined()
})
