import { describe, expect, it } from 'vitest'
import { KiB } from '../../base/units.ts'
import { bytesOf, memoryEngine, owner, put, textOf } from './test-engine.ts'

describe('objects in a bucket that was never versioned', () => {
  it('puts, gets, lists and deletes', async () => {
    const { engine } = memoryEngine()
    await engine.createBucket({ bucket: 'bucket', ownerId: owner, region: 'us-east-1' })
    await put(engine, 'a/1', 'one')
    await put(engine, 'a/2', 'two')
    await put(engine, 'b', 'three')
    expect(await textOf(engine, 'a/2')).toBe('two')
    const { entries } = await engine.listObjects({ bucket: 'bucket', delimiter: '/', limit: 10 })
    expect(entries.map((entry) => (entry.kind === 'object' ? entry.key : entry.prefix))).toEqual(['a/', 'b'])
    expect(await engine.deleteObject({ bucket: 'bucket', key: 'a/1', ownerId: owner })).toEqual({ did: 'deletedVersion', versionId: undefined })
    await expect(textOf(engine, 'a/1')).rejects.toMatchObject({ code: 'NoSuchKey' })
    await expect(engine.deleteBucket('bucket')).rejects.toMatchObject({ code: 'BucketNotEmpty' })
  })

  it('stores bodies beyond the inline size as blobs and reads any range of them', async () => {
    const { engine } = memoryEngine()
    await engine.createBucket({ bucket: 'bucket', ownerId: owner, region: 'us-east-1' })
    const bytes = Buffer.alloc(300 * KiB, 'moraine ')
    const chunks = [bytes.subarray(0, 100 * KiB), bytes.subarray(100 * KiB)]
    const body = (async function* () {
      yield* chunks
    })()
    await put(engine, 'large', bytes, { body })
    const reader = await engine.getObject({ bucket: 'bucket', key: 'large' })
    expect(reader.version.sizeBytes).toBe(bytes.length)
    const range = await bytesOf(reader.read({ offset: 70 * KiB, length: 100 * KiB }))
    expect(range.equals(bytes.subarray(70 * KiB, 170 * KiB))).toBe(true)
  })
})
