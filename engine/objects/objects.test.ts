import { describe, expect, it } from 'vitest'
import { KiB } from '../../base/units.ts'
import { tables } from '../keys.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { openEngine } from '../open-engine.ts'
import { bytesOf, memoryEngine, owner, put, textOf } from './test-engine.ts'

const bucket = 'bucket'

async function openBucket(versioning?: 'Enabled' | 'Suspended') {
  const all = memoryEngine()
  await all.engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1', ...(versioning === undefined ? {} : { versioning }) })
  return all
}

describe('buckets', () => {
  it('are created once, listed in order, and deleted when empty', async () => {
    const { engine } = await openBucket()
    for (const name of ['b', 'a', 'ab', 'zoo']) await engine.createBucket({ bucket: name, ownerId: owner, region: 'us-east-1' })
    await expect(engine.createBucket({ bucket: 'a', ownerId: 'x', region: 'r' })).rejects.toMatchObject({ code: 'BucketAlreadyExists', detail: { ownerId: owner } })
    const names = async (page: object) => (await engine.listBuckets({ limit: 10, ...page })).map(({ name }) => name)
    expect(await names({})).toEqual(['a', 'ab', 'b', 'bucket', 'zoo'])
    expect(await names({ after: 'a', limit: 2 })).toEqual(['ab', 'b'])
    expect(await names({ prefix: 'b' })).toEqual(['b', 'bucket'])
    expect(await names({ prefix: 'b', after: 'b' })).toEqual(['bucket'])
    expect(await names({ limit: 0 })).toEqual([])
    await put(engine, 'key', 'x')
    await expect(engine.deleteBucket(bucket)).rejects.toMatchObject({ code: 'BucketNotEmpty' })
    await engine.deleteObject({ bucket, key: 'key', ownerId: owner })
    await engine.deleteBucket(bucket)
    await expect(engine.headBucket(bucket)).rejects.toMatchObject({ code: 'NoSuchBucket' })
  })

  it('are not empty while a version or a marker is left', async () => {
    const { engine } = await openBucket('Enabled')
    const { version } = await put(engine, 'key', 'x')
    const marker = await engine.deleteObject({ bucket, key: 'key', ownerId: owner })
    await engine.deleteObject({ bucket, key: 'key', versionId: version.versionId, ownerId: owner })
    await expect(engine.deleteBucket(bucket)).rejects.toMatchObject({ code: 'BucketNotEmpty' })
    const versionId = 'versionId' in marker ? (marker.versionId ?? '') : ''
    expect(await engine.deleteObject({ bucket, key: 'key', versionId, ownerId: owner })).toEqual({ did: 'deletedMarker', versionId })
    await engine.deleteBucket(bucket)
  })

  it('lose no write to a deletion at the same time', async () => {
    for (let round = 0; round < 20; round++) {
      const { engine } = await openBucket()
      const [deleted, written] = await Promise.allSettled([engine.deleteBucket(bucket), put(engine, 'key', 'x')])
      expect([deleted.status, written.status].toSorted()).toEqual(['fulfilled', 'rejected'])
    }
  })

  it('keep documents, which a new bucket of the same name does not have', async () => {
    const { engine } = await openBucket()
    await engine.putBucketDocument(bucket, 'cors', Buffer.from('rules'))
    expect((await engine.getBucketDocument(bucket, 'cors'))?.toString()).toBe('rules')
    await engine.deleteBucketDocument(bucket, 'none')
    await engine.deleteBucket(bucket)
    await engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
    expect(await engine.getBucketDocument(bucket, 'cors')).toBeUndefined()
    await engine.putBucketDocument(bucket, 'cors', Buffer.from('rules'))
    await engine.deleteBucketDocument(bucket, 'cors')
    expect(await engine.getBucketDocument(bucket, 'cors')).toBeUndefined()
  })
})

describe('objects', () => {
  it('are put, read and deleted in a bucket that was never versioned', async () => {
    const { engine } = await openBucket()
    const { version, versioning } = await put(engine, 'key', 'text')
    expect([version.versionId, versioning]).toEqual(['null', 'Unversioned'])
    expect(await textOf(engine, 'key')).toBe('text')
    expect(await textOf(engine, 'key', 'null')).toBe('text')
    expect(await engine.deleteObject({ bucket, key: 'key', ownerId: owner })).toEqual({ did: 'deletedVersion', versionId: undefined })
    expect(await engine.deleteObject({ bucket, key: 'key', ownerId: owner })).toEqual({ did: 'nothing' })
    const missing = textOf(engine, 'key')
    await expect(missing).rejects.toMatchObject({ code: 'NoSuchKey', detail: { key: 'key' } })
    await expect(missing).rejects.not.toMatchObject({ detail: { deleteMarker: 'true' } })
    await expect(textOf(engine, 'key', 'null')).rejects.toMatchObject({ code: 'NoSuchVersion' })
  })

  it('say what hides them', async () => {
    const { engine } = await openBucket('Enabled')
    await put(engine, 'key', 'text')
    const marker = await engine.deleteObject({ bucket, key: 'key', ownerId: owner })
    const versionId = 'versionId' in marker ? (marker.versionId ?? '') : ''
    await expect(textOf(engine, 'key')).rejects.toMatchObject({ code: 'NoSuchKey', detail: { deleteMarker: 'true', versionId } })
    await expect(textOf(engine, 'key', versionId)).rejects.toMatchObject({ code: 'IsDeleteMarker', detail: { versionId } })
    await expect(textOf(engine, 'key', 'not-an-id')).rejects.toMatchObject({ code: 'NoSuchVersion' })
  })

  it('beyond the inline size are blobs, readable in any range', async () => {
    const { engine } = await openBucket()
    const bytes = Buffer.alloc(300 * KiB, 'moraine ')
    async function* body() {
      yield bytes.subarray(0, 100 * KiB)
      yield bytes.subarray(100 * KiB)
    }
    await put(engine, 'large', bytes, { body: body() })
    for (const key of ['large', 'small']) {
      if (key === 'small') await put(engine, key, bytes.subarray(0, 50 * KiB))
      const reader = await engine.getObject({ bucket, key })
      const { sizeBytes } = reader.version
      const [offset, length] = [sizeBytes / 5, sizeBytes / 2]
      expect((await bytesOf(reader.read({ offset, length }))).equals(bytes.subarray(offset, offset + length))).toBe(true)
      expect(await bytesOf(reader.read({ offset: sizeBytes, length: 0 }))).toHaveLength(0)
      await expect(bytesOf(reader.read({ offset: 1, length: sizeBytes }))).rejects.toMatchObject({ code: 'InvalidRange' })
    }
  })
})

/** Runs `interfere` once, just before the first read that touches the table. */
function interfering(store: MetadataStore, table: number, interfere: () => Promise<unknown>): MetadataStore {
  let isDue = true
  const meet = async (key: Uint8Array) => {
    if (!isDue || key[0] !== table) return
    isDue = false
    await interfere()
  }
  return {
    get: async (key) => {
      await meet(key)
      return store.get(key)
    },
    list: async (range) => {
      await meet(range.start)
      return store.list(range)
    },
    walk: (walk) => store.walk(walk),
    commit: (commit) => store.commit(commit),
    close: () => store.close(),
  }
}

describe('a reader that meets a writer', () => {
  async function openMeeting(table: number, interfere: (all: Awaited<ReturnType<typeof openBucket>>, latestId: string) => Promise<unknown>) {
    const all = await openBucket('Enabled')
    const first = await put(all.engine, 'key', 'first')
    const second = await put(all.engine, 'key', 'second')
    const latestId = second.version.versionId
    const metadata = interfering(all.metadata, table, () => interfere(all, latestId))
    return { ...all, reader: openEngine({ ...all, metadata }), firstId: first.version.versionId, latestId }
  }
  const deleteLatest = ({ engine }: Awaited<ReturnType<typeof openBucket>>, versionId: string) =>
    engine.deleteObject({ bucket, key: 'key', versionId, ownerId: owner })
  const overwrite = ({ engine }: Awaited<ReturnType<typeof openBucket>>) => put(engine, 'key', 'third')

  it('finds a noncurrent version that is promoted meanwhile', async () => {
    const { reader, firstId } = await openMeeting(tables.version, deleteLatest)
    expect(await textOf(reader, 'key', firstId)).toBe('first')
  })

  it('lists a key as it was at one time', async () => {
    for (const table of [tables.version, tables.marker]) {
      for (const interfere of [deleteLatest, overwrite]) {
        const { reader, engine } = await openMeeting(table, interfere)
        const listed = await reader.listVersions({ bucket, limit: 10 })
        expect(listed).toEqual(await engine.listVersions({ bucket, limit: 10 }))
      }
    }
  })

  it('gets the bytes of the version that it is told of', async () => {
    const all = await openBucket()
    await put(all.engine, 'key', 'first')
    const metadata = interfering(all.metadata, tables.content, () => put(all.engine, 'key', 'second'))
    expect(await textOf(openEngine({ ...all, metadata }), 'key')).toBe('second')
  })

  it('copies the bytes of the version that it checks', async () => {
    const all = await openBucket()
    await put(all.engine, 'key', 'first')
    const metadata = interfering(all.metadata, tables.content, () => put(all.engine, 'key', 'second'))
    const { source } = await openEngine({ ...all, metadata }).copyObject({ source: { bucket, key: 'key' }, bucket, key: 'copy', ownerId: owner })
    expect([await textOf(all.engine, 'copy'), source.sizeBytes]).toEqual(['second', 6])
  })
})
