import { describe, expect, it } from 'vitest'
import { dayMs } from '../../base/units.ts'
import type { Engine, ObjectVersion } from '../engine.ts'
import { fsck } from '../fsck/fsck.ts'
import { tableRange, tables } from '../keys.ts'
import type { NewPart } from '../shared-parts.ts'
import { bytesOf, digestOf, memoryEngine, owner, plain, textOf } from './test-engine.ts'

const bucket = 'bucket'

async function openBucket() {
  const all = memoryEngine({ transactionInlineBytes: 16 })
  await all.engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
  return all
}

const own = (text: string): NewPart => ({ kind: 'own', bytes: Buffer.from(text) })
const shareable = (text: string): NewPart => ({ kind: 'shareable', bytes: Buffer.from(text) })

function publish(engine: Engine, key: string, parts: readonly NewPart[], sharedBy?: string): Promise<ObjectVersion> {
  return engine.transact((tx) =>
    tx.putObject({
      bucket, key, ...digestOf(key), attributes: plain, ownerId: owner, bytes: { parts, ...(sharedBy !== undefined && { sharedBy: { bucket, key: sharedBy } }) },
    }),
  )
}

/** The shared parts of an object, to be used again. */
async function sharedOf(engine: Engine, key: string): Promise<NewPart[]> {
  const extents = await (await engine.headObject({ bucket, key })).extents()
  return extents.flatMap(({ sizeBytes, shared }) => (shared === undefined ? [] : [{ kind: 'shared' as const, sizeBytes, ...shared }]))
}

const long = 'longer than sixteen bytes'

describe('an object made of parts', () => {
  it('reads as one, from anywhere to anywhere', async () => {
    const { engine, metadata, blobs } = await openBucket()
    await publish(engine, 'one', [own('head,'), shareable('first,'), shareable(long), own(',tail')])
    await publish(engine, 'two', [own('HEAD,'), ...(await sharedOf(engine, 'one')), shareable(',second'), own(',TAIL')], 'one')
    const text = `HEAD,first,${long},second,TAIL`
    expect([await textOf(engine, 'one'), await textOf(engine, 'two')]).toEqual([`head,first,${long},tail`, text])
    const reader = await engine.getObject({ bucket, key: 'two' })
    for (let offset = 0; offset < text.length; offset += 3) {
      for (let length = 0; offset + length <= text.length; length += 5) {
        expect((await bytesOf(reader.read({ offset, length }))).toString()).toBe(text.slice(offset, offset + length))
      }
    }
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
  })

  it('costs what is its own: shared bytes are neither written nor referred to one by one', async () => {
    const { engine, metadata } = await openBucket()
    await publish(engine, '0', [shareable(`${long} 0,`), own('end')])
    const rows = async (table: number) => (await metadata.list({ ...tableRange(table), limit: 10_000 })).length
    const perVersion: number[] = []
    for (let n = 1; n < 300; n++) {
      const before = (await rows(tables.reference)) + (await rows(tables.content)) + (await rows(tables.layout))
      await publish(engine, String(n), [...(await sharedOf(engine, String(n - 1))), shareable(`${n},`), own('end')], String(n - 1))
      perVersion.push((await rows(tables.reference)) + (await rows(tables.content)) + (await rows(tables.layout)) - before)
    }
    // Its layout, the two references, its own bytes and the shareable ones; now and then a row of the shared layout.
    expect(Math.max(...perVersion)).toBe(6)
    expect(await textOf(engine, '299')).toBe(`${long} 0,${Array.from({ length: 299 }, (_, n) => `${n + 1},`).join('')}end`)
  })

  it('keeps shared bytes as long as one object has them, and no longer', async () => {
    const { engine, metadata, blobs, clock } = await openBucket()
    await publish(engine, 'one', [own('1:'), shareable(long)])
    await publish(engine, 'two', [own('2:'), ...(await sharedOf(engine, 'one')), shareable(' and more')], 'one')
    await engine.copyObject({ source: { bucket, key: 'two' }, bucket, key: 'copy', ownerId: owner })
    const collect = async () => {
      for (let round = 0; round < 4; round++) {
        clock.advance(2 * dayMs)
        await engine.collectGarbage()
      }
      await engine.sweepOrphans()
    }
    for (const gone of ['one', 'two']) {
      await engine.deleteObject({ bucket, key: gone, ownerId: owner })
      await collect()
      expect(await textOf(engine, 'copy')).toBe(`2:${long} and more`)
      expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [], awaitingCollection: 0 })
    }
    await engine.deleteObject({ bucket, key: 'copy', ownerId: owner })
    await collect()
    for (const table of [tables.reference, tables.content, tables.layout, tables.due]) expect(await metadata.list({ ...tableRange(table), limit: 1 })).toEqual([])
    for await (const blob of blobs.list()) expect(blob).toBeUndefined()
  })

  it('can leave out what others have: ranges within shared bytes', async () => {
    const { engine } = await openBucket()
    await publish(engine, 'one', [shareable('abcdefgh')])
    const [part] = await sharedOf(engine, 'one')
    if (part?.kind !== 'shared') throw new Error('it shares bytes')
    await publish(engine, 'two', [{ ...part, sizeBytes: 2 }, own('-'), { ...part, offset: 5, sizeBytes: 3 }, shareable('i')], 'one')
    expect(await textOf(engine, 'two')).toBe('ab-fghi')
    // The sequence has grown by another: what follows now begins a sequence of its own.
    await publish(engine, 'three', [part, shareable('j'), own('.')], 'one')
    expect(await textOf(engine, 'three')).toBe('abcdefghj.')
    expect(await textOf(engine, 'two')).toBe('ab-fghi')
  })

  it('takes shared bytes from an object that has them only', async () => {
    const { engine, metadata, blobs } = await openBucket()
    await publish(engine, 'one', [own('own'), shareable('shared')])
    const [part] = await sharedOf(engine, 'one')
    if (part?.kind !== 'shared') throw new Error('it shares bytes')
    const refused: [NewPart, string | undefined][] = [
      [{ ...part, sizeBytes: 7 }, 'one'],
      [{ ...part, sharedId: '00'.repeat(16) }, 'one'],
      [part, 'missing'],
      [part, undefined],
    ]
    for (const [wrong, holder] of refused) await expect(publish(engine, 'two', [shareable(long), wrong], holder)).rejects.toMatchObject({ code: 'InvalidPart' })
    await engine.deleteObject({ bucket, key: 'one', ownerId: owner })
    await expect(publish(engine, 'two', [part], 'one')).rejects.toMatchObject({ code: 'InvalidPart' })
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
  })

  it('can be appended to and copied from like any other', async () => {
    const { engine, metadata, blobs } = await openBucket()
    await publish(engine, 'one', [own('1:'), shareable('shared'), own('.')])
    const appended = { bucket, key: 'one', attributes: plain, ownerId: owner, offsetBytes: 9, finish: () => digestOf('x') }
    await engine.appendObject({ ...appended, body: (async function* () { yield Buffer.from('more') })() })
    expect(await textOf(engine, 'one')).toBe('1:shared.more')
    await publish(engine, 'two', [...(await sharedOf(engine, 'one')), own('!')], 'one')
    expect(await textOf(engine, 'two')).toBe('shared!')
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
  })
})
