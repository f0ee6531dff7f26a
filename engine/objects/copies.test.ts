import { describe, expect, it } from 'vitest'
import { dayMs, KiB } from '../../base/units.ts'
import { fsck } from '../fsck/fsck.ts'
import { MetadataError, type MetadataStore } from '../metadata/metadata-store.ts'
import { openEngine } from '../open-engine.ts'
import { bodyOf, bytesOf, digestOf, memoryEngine, owner, plain, put, textOf } from './test-engine.ts'

const bucket = 'bucket'
const settings = { inlineBytes: 16, garbageGraceMs: 1000, orphanGraceMs: 10_000 }

async function openBucket(versioning?: 'Enabled' | 'Suspended') {
  const all = memoryEngine(settings)
  await all.engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1', ...(versioning === undefined ? {} : { versioning }) })
  const blobIds = async () => {
    const ids: string[] = []
    for await (const { blobId } of all.blobs.list()) ids.push(blobId)
    return ids
  }
  const collect = async () => {
    all.clock.advance(2000)
    // Layouts release their blobs in the round that takes them: a second round takes the blobs.
    for (let round = 0; round < 3; round++) await all.engine.collectGarbage()
  }
  return { ...all, blobIds, collect }
}

const long = 'longer than sixteen bytes'
const append = (key: string, text: string, offsetBytes: number) => ({
  bucket,
  key,
  body: bodyOf(text),
  offsetBytes,
  finish: (before: { readonly sizeBytes: number } | undefined, appendedBytes: number) => ({ etag: `size-${(before?.sizeBytes ?? 0) + appendedBytes}`, checksums: [] }),
  attributes: plain,
  ownerId: owner,
})

describe('copies', () => {
  it('share a blob until the last use is gone', async () => {
    const { engine, metadata, blobs, blobIds, collect } = await openBucket()
    await put(engine, 'source', long)
    const { version, source } = await engine.copyObject({ source: { bucket, key: 'source' }, bucket, key: 'copy', ownerId: owner })
    expect([source.key, version.key, version.etag]).toEqual(['source', 'copy', digestOf(long).etag])
    expect(await blobIds()).toHaveLength(1)
    await engine.deleteObject({ bucket, key: 'source', ownerId: owner })
    await collect()
    expect(await textOf(engine, 'copy')).toBe(long)
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
    await engine.deleteObject({ bucket, key: 'copy', ownerId: owner })
    await collect()
    expect(await blobIds()).toEqual([])
    expect(await fsck({ metadata, blobs })).toMatchObject({ verdict: 'clean', findings: [], awaitingCollection: 0 })
  })

  it('copy inline bytes, onto themselves too, and take attributes when given', async () => {
    const { engine, metadata, blobs } = await openBucket()
    await put(engine, 'source', 'short', { tags: { a: '1' } })
    await engine.copyObject({ source: { bucket, key: 'source' }, bucket, key: 'copy', ownerId: owner })
    const attributes = { ...plain, userMetadata: { colour: 'blue' } }
    const { version } = await engine.copyObject({ source: { bucket, key: 'source' }, bucket, key: 'source', attributes, ownerId: owner })
    expect([version.attributes, version.tags]).toEqual([attributes, { a: '1' }])
    expect([await textOf(engine, 'copy'), await textOf(engine, 'source')]).toEqual(['short', 'short'])
    expect(await fsck({ metadata, blobs })).toMatchObject({ verdict: 'clean', findings: [] })
  })

  it('take what becomes of the source\'s attributes, and other checksums', async () => {
    const { engine } = await openBucket()
    await put(engine, 'source', long)
    const checksums = [{ algorithm: 'CRC32', type: 'FULL_OBJECT' as const, value: 'AAAAAA==' }]
    const amend = (source: typeof plain) => ({ ...source, storageClass: 'STANDARD_IA' })
    const { version } = await engine.copyObject({ source: { bucket, key: 'source' }, bucket, key: 'copy', amend, checksums, ownerId: owner })
    expect(version).toMatchObject({ attributes: { ...plain, storageClass: 'STANDARD_IA' }, checksums })
  })

  it('refuse what the caller does not admit, and sources that are not there', async () => {
    const { engine } = await openBucket('Enabled')
    await put(engine, 'source', 'short')
    const refuse = () => {
      throw new TypeError('refused')
    }
    const copy = { bucket, key: 'copy', ownerId: owner }
    await expect(engine.copyObject({ ...copy, source: { bucket, key: 'source' }, admit: refuse })).rejects.toThrow('refused')
    const { versionId } = (await engine.deleteObject({ bucket, key: 'source', ownerId: owner })) as { versionId: string }
    await expect(engine.copyObject({ ...copy, source: { bucket, key: 'source' } })).rejects.toMatchObject({ code: 'NoSuchKey' })
    await expect(engine.copyObject({ ...copy, source: { bucket, key: 'source', versionId } })).rejects.toMatchObject({ code: 'IsDeleteMarker' })
    await expect(engine.copyObject({ ...copy, source: { bucket, key: 'source', versionId: 'null' } })).rejects.toMatchObject({ code: 'NoSuchVersion' })
  })
})

describe('renames', () => {
  it('move the object, and keep the versions of a versioned source', async () => {
    for (const versioning of [undefined, 'Enabled'] as const) {
      const { engine, metadata, blobs, collect } = await openBucket(versioning)
      await put(engine, 'old', long)
      await engine.renameObject({ bucket, sourceKey: 'old', key: 'new', ownerId: owner })
      expect(await textOf(engine, 'new')).toBe(long)
      await expect(textOf(engine, 'old')).rejects.toMatchObject({ code: 'NoSuchKey' })
      expect((await engine.listVersions({ bucket, limit: 10 })).entries).toHaveLength(versioning === undefined ? 1 : 3)
      await collect()
      expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
    }
  })

  it('to itself change nothing', async () => {
    const { engine } = await openBucket()
    const { version } = await put(engine, 'key', long)
    expect((await engine.renameObject({ bucket, sourceKey: 'key', key: 'key', ownerId: owner })).version).toEqual(version)
    const conditions = { ifNoneMatch: ['*'] }
    await expect(engine.renameObject({ bucket, sourceKey: 'key', key: 'key', conditions, ownerId: owner })).rejects.toMatchObject({ code: 'PreconditionFailed' })
  })
})

describe('renames under a client token', () => {
  const rename = { bucket, sourceKey: 'old', key: 'new', clientToken: 'token', ownerId: owner }

  it.each([undefined, 'Enabled'] as const)('answer alike when repeated, whatever has happened since (%s)', async (versioning) => {
    const { engine, metadata, blobs, clock, collect } = await openBucket(versioning)
    await put(engine, 'old', long)
    const first = await engine.renameObject(rename)
    await put(engine, 'old', 'another')
    await put(engine, 'new', 'yet another')
    expect(await engine.renameObject(rename)).toEqual(first)
    expect([await textOf(engine, 'old'), await textOf(engine, 'new')]).toEqual(['another', 'yet another'])
    await expect(engine.renameObject({ ...rename, key: 'elsewhere' })).rejects.toMatchObject({ code: 'IdempotencyParameterMismatch' })
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
    clock.advance(8 * dayMs)
    await collect()
    await engine.renameObject({ ...rename, key: 'elsewhere' })
    expect(await textOf(engine, 'elsewhere')).toBe('another')
  })

  it('that failed are not remembered', async () => {
    const { engine } = await openBucket()
    await expect(engine.renameObject(rename)).rejects.toMatchObject({ code: 'NoSuchKey' })
    await put(engine, 'old', long)
    const admit = (): never => {
      throw new Error('refused')
    }
    await expect(engine.renameObject({ ...rename, admit })).rejects.toThrow('refused')
    await engine.renameObject(rename)
    expect(await textOf(engine, 'new')).toBe(long)
  })
})

describe('appends', () => {
  it.each([undefined, 'Enabled'] as const)('grow an object byte by byte and block by block (%s)', async (versioning) => {
    const { engine, metadata, blobs, collect } = await openBucket(versioning)
    let expected = ''
    const pieces = ['', 'a', 'bc', 'fourteen bytes', long, '', ...Array.from({ length: 300 }, (_, index) => `piece ${index}`), long]
    for (const piece of pieces) {
      const { version } = await engine.appendObject(append('log', piece, expected.length))
      expected += piece
      expect([version.sizeBytes, version.etag]).toEqual([expected.length, `size-${expected.length}`])
    }
    expect(await textOf(engine, 'log')).toBe(expected)
    const reader = await engine.getObject({ bucket, key: 'log' })
    for (const offset of [0, 10, 33, 500, 1500]) {
      expect((await bytesOf(reader.read({ offset, length: 100 }))).toString()).toBe(expected.slice(offset, offset + 100))
    }
    expect(await reader.parts()).toEqual([])
    await collect()
    expect(await textOf(engine, 'log')).toBe(expected)
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
  })

  it('to two copies of one object do not meet', async () => {
    const { engine, metadata, blobs } = await openBucket()
    for (const [index, text] of [long, 'x', 'y'].entries()) {
      await engine.appendObject(append('a', text, index === 0 ? 0 : long.length + index - 1))
    }
    await engine.copyObject({ source: { bucket, key: 'a' }, bucket, key: 'b', ownerId: owner })
    await Promise.all([engine.appendObject(append('a', ' first', long.length + 2)), engine.appendObject(append('b', ' second', long.length + 2))])
    expect([await textOf(engine, 'a'), await textOf(engine, 'b')]).toEqual([`${long}xy first`, `${long}xy second`])
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
  })

  it('need the right offset', async () => {
    const { engine } = await openBucket()
    await put(engine, 'key', 'four')
    for (const offset of [0, 3, 5]) {
      await expect(engine.appendObject(append('key', 'x', offset))).rejects.toMatchObject({ code: 'InvalidWriteOffset', detail: { sizeBytes: '4' } })
    }
    await expect(engine.appendObject(append('other', 'x', 1))).rejects.toMatchObject({ code: 'InvalidWriteOffset' })
    const racers = await Promise.allSettled(['a', 'b', 'c', 'd'].map((text) => engine.appendObject(append('key', text, 4))))
    expect(racers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('tags', () => {
  it('change a version in place, the latest or a noncurrent one', async () => {
    const { engine } = await openBucket('Enabled')
    const { version: first } = await put(engine, 'key', 'one')
    const { version: second } = await put(engine, 'key', 'two')
    await engine.putTags({ bucket, key: 'key', tags: { latest: 'yes' } })
    await engine.putTags({ bucket, key: 'key', versionId: first.versionId, tags: { old: 'yes' } })
    expect((await engine.headObject({ bucket, key: 'key' })).version).toEqual({ ...second, tags: { latest: 'yes' } })
    expect((await engine.headObject({ bucket, key: 'key', versionId: first.versionId })).version).toEqual({ ...first, tags: { old: 'yes' } })
    await engine.deleteObject({ bucket, key: 'key', ownerId: owner })
    await expect(engine.putTags({ bucket, key: 'key', tags: {} })).rejects.toMatchObject({ code: 'IsDeleteMarker' })
  })
})

describe('a failed write', () => {
  it('leaves nothing behind, whoever failed', async () => {
    const { engine, blobIds } = await openBucket()
    const refuse = () => {
      throw new TypeError('refused')
    }
    await expect(put(engine, 'key', long, { finish: refuse })).rejects.toThrow('refused')
    await expect(put(engine, 'key', long, { conditions: { ifMatch: ['*'] } })).rejects.toMatchObject({ code: 'NoSuchKey' })
    async function* broken() {
      yield Buffer.alloc(100 * KiB)
      throw new TypeError('cut off')
    }
    await expect(put(engine, 'key', long, { body: broken() })).rejects.toThrow('cut off')
    await expect(put(engine, 'key', long, { bucket: 'other' })).rejects.toMatchObject({ code: 'NoSuchBucket' })
    expect(await blobIds()).toEqual([])
    expect((await engine.listObjects({ bucket, limit: 1 })).entries).toEqual([])
  })

  it('whose outcome is unknown keeps its blob, which may be in use', async () => {
    const { metadata, blobs, clock, random, engine } = await openBucket()
    const cutOff: MetadataStore = {
      get: (key) => metadata.get(key),
      list: (range) => metadata.list(range),
      walk: (walk) => metadata.walk(walk),
      close: () => metadata.close(),
      commit: async (commit) => {
        await metadata.commit(commit)
        throw new MetadataError('OutcomeUnknown', 'the connection was lost')
      },
    }
    const unlucky = openEngine({ metadata: cutOff, blobs, clock, random, settings })
    await expect(put(unlucky, 'key', long)).rejects.toMatchObject({ code: 'OutcomeUnknown' })
    expect(await textOf(engine, 'key')).toBe(long)
  })

  it('of sixty-four writers one wins, and the bytes are the winner\'s', async () => {
    const { engine } = await openBucket()
    for (const [round, text] of ['short', long].entries()) {
      const writers = Array.from({ length: 64 }, (_, index) => put(engine, `key-${round}`, `${text} ${index}`, { conditions: { ifNoneMatch: ['*'] } }))
      const outcomes = await Promise.allSettled(writers)
      const winners = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []))
      expect(winners).toHaveLength(1)
      expect(await textOf(engine, `key-${round}`)).toBe(`${text} ${winners[0]}`)
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'PreconditionFailed' })
    }
  })
})
