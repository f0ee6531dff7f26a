import { describe, expect, it } from 'vitest'
import type { Engine } from '../engine.ts'
import { fsck } from '../fsck/fsck.ts'
import { bodyOf, digestOf, memoryEngine, owner, plain, put, textOf } from './test-engine.ts'

const bucket = 'bucket'
const pin = (engine: Engine, key: string) => engine.transact(async (tx) => void (await tx.pinObject({ bucket, key })))
const unpin = (engine: Engine, key: string) => engine.transact((tx) => tx.unpinObject({ bucket, key }))

async function openBucket(versioning?: 'Enabled' | 'Suspended') {
  const all = memoryEngine({ inlineBytes: 16 })
  await all.engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1', ...(versioning !== undefined && { versioning }) })
  return all
}

/** Every way to replace or delete the current version of `kept`. `other` is an object beside it. */
const attacks: Readonly<Record<string, (engine: Engine, versionId: string) => Promise<unknown>>> = {
  put: (engine) => put(engine, 'kept', 'new'),
  'put with the right ETag': (engine) => put(engine, 'kept', 'new', { conditions: { ifMatch: [digestOf('content').etag] } }),
  delete: (engine) => engine.deleteObject({ bucket, key: 'kept', ownerId: owner }),
  'delete of the version': (engine, versionId) => engine.deleteObject({ bucket, key: 'kept', versionId, ownerId: owner }),
  'copy onto it': (engine) => engine.copyObject({ source: { bucket, key: 'other' }, bucket, key: 'kept', ownerId: owner }),
  'copy onto itself': (engine) => engine.copyObject({ source: { bucket, key: 'kept' }, bucket, key: 'kept', attributes: plain, ownerId: owner }),
  'rename onto it': (engine) => engine.renameObject({ bucket, sourceKey: 'other', key: 'kept', ownerId: owner }),
  'rename away': (engine) => engine.renameObject({ bucket, sourceKey: 'kept', key: 'elsewhere', ownerId: owner }),
  append: (engine) =>
    engine.appendObject({ bucket, key: 'kept', body: bodyOf('more'), offsetBytes: 7, finish: () => digestOf('contentmore'), attributes: plain, ownerId: owner }),
  'multipart upload': async (engine) => {
    const { uploadId } = await engine.createUpload({ bucket, key: 'kept', attributes: plain, ownerId: owner })
    const part = await engine.putPart({ bucket, key: 'kept', uploadId, partNumber: 1, body: bodyOf('part'), finish: () => digestOf('part') })
    const combine = () => digestOf('part')
    return engine.completeUpload({ bucket, key: 'kept', uploadId, parts: [part], combine, minimumPartBytes: 0, ownerId: owner })
  },
  "an adapter's put": (engine) =>
    engine.transact((tx) => tx.putObject({ bucket, key: 'kept', bytes: Buffer.from('x'), ...digestOf('x'), attributes: plain, ownerId: owner })),
  "an adapter's delete": (engine) => engine.transact((tx) => tx.deleteObject({ bucket, key: 'kept' })),
}

describe.each([undefined, 'Enabled', 'Suspended'] as const)('a pinned object, versioning %s', (versioning) => {
  it.each(Object.entries(attacks))('survives: %s', async (_, attack) => {
    const { engine, metadata, blobs, clock } = await openBucket(versioning)
    const { version } = await put(engine, 'kept', 'content')
    await put(engine, 'other', 'other')
    await pin(engine, 'kept')
    await expect(attack(engine, version.versionId)).rejects.toMatchObject({ code: 'Pinned' })
    expect(await textOf(engine, 'kept')).toBe('content')
    expect(await textOf(engine, 'other')).toBe('other')
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean' })
    await unpin(engine, 'kept')
    clock.advance(1000)
    await attack(engine, version.versionId)
    const still = await engine.headObject({ bucket, key: 'kept' }).catch(() => undefined)
    expect(still?.version.lastModifiedMs).not.toBe(version.lastModifiedMs)
  })
})

describe('pins', () => {
  it('count their holders, within a transaction and over several', async () => {
    const { engine } = await openBucket()
    await put(engine, 'kept', 'content')
    await engine.transact(async (tx) => {
      await tx.pinObject({ bucket, key: 'kept' })
      await tx.pinObject({ bucket, key: 'kept' })
      await tx.unpinObject({ bucket, key: 'kept' })
    })
    await pin(engine, 'kept')
    await unpin(engine, 'kept')
    await expect(put(engine, 'kept', 'new')).rejects.toMatchObject({ code: 'Pinned' })
    await unpin(engine, 'kept')
    await unpin(engine, 'kept')
    await put(engine, 'kept', 'new')
    expect(await textOf(engine, 'kept')).toBe('new')
  })

  it('need an object, and are let go of where there is none', async () => {
    const { engine } = await openBucket('Enabled')
    await expect(pin(engine, 'nowhere')).rejects.toMatchObject({ code: 'NoSuchKey' })
    await unpin(engine, 'nowhere')
    await put(engine, 'gone', 'x')
    await engine.deleteObject({ bucket, key: 'gone', ownerId: owner })
    await expect(pin(engine, 'gone')).rejects.toMatchObject({ code: 'NoSuchKey' })
  })

  it('leave tags and older versions free', async () => {
    const { engine } = await openBucket('Enabled')
    const older = await put(engine, 'kept', 'older')
    await engine.transact((tx) =>
      tx.putObject({ bucket, key: 'kept', bytes: Buffer.from('content'), ...digestOf('content'), attributes: plain, ownerId: owner, pinned: true }),
    )
    await engine.putTags({ bucket, key: 'kept', tags: { a: 'b' } })
    expect(await engine.deleteObject({ bucket, key: 'kept', versionId: older.version.versionId, ownerId: owner })).toMatchObject({ did: 'deletedVersion' })
    await expect(engine.deleteObject({ bucket, key: 'kept', ownerId: owner })).rejects.toMatchObject({ code: 'Pinned' })
    await unpin(engine, 'kept')
    expect(await engine.deleteObject({ bucket, key: 'kept', ownerId: owner })).toMatchObject({ did: 'createdMarker' })
  })

  it('and deletes that race leave no pin without its object', async () => {
    for (let round = 0; round < 50; round++) {
      const { engine } = await openBucket()
      await put(engine, 'kept', 'content')
      const deleting = engine.deleteObject({ bucket, key: 'kept', ownerId: owner }).then(() => 'deleted', ({ code }: { code: string }) => code)
      const pinning = engine.transact(async (tx) => {
        await tx.pinObject({ bucket, key: 'kept' })
        for (let turn = 0; turn < round % 7; turn++) await Promise.resolve()
        tx.extensions.put(Buffer.from('pointer'), Buffer.from('kept'))
      })
      const pinned = await pinning.then(() => true, () => false)
      expect(await deleting).toBe(pinned ? 'Pinned' : 'deleted')
      expect((await engine.extensions.get(Buffer.from('pointer'))) !== undefined).toBe(pinned)
      if (pinned) expect(await textOf(engine, 'kept')).toBe('content')
    }
  })
})
