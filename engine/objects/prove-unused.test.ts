import { describe, expect, it } from 'vitest'
import { must } from '../../base/assert.ts'
import { hourMs } from '../../base/units.ts'
import { layoutRange, parseReferenceRow, tableRange, tables } from '../keys.ts'
import { bodyOf, digestOf, memoryEngine, owner, plain, put, textOf } from './test-engine.ts'

const bucket = 'bucket'
const graceMs = hourMs
const long = (name: string): string => `${name} is longer than sixteen bytes`

async function openBucket() {
  const all = memoryEngine({ inlineBytes: 16, garbageGraceMs: graceMs, orphanGraceMs: graceMs })
  await all.engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
  const blobIds = async () => (await Array.fromAsync(all.blobs.list())).map(({ blobId }) => blobId)
  /** References in use, of a kind. */
  const references = async (kind: 'blob' | 'layout') => {
    const rows = await all.metadata.list({ ...tableRange(tables.reference), limit: 1000 })
    return rows.filter(({ key, value }) => parseReferenceRow(key).held.kind === kind && value[0] === 1)
  }
  return { ...all, blobIds, references }
}

describe('a reference that a damaged page hides', () => {
  it('does not make the sweep take what is used; other orphans stay too, until the table is whole again', async () => {
    const { engine, metadata, blobs, clock, blobIds, references } = await openBucket()
    await put(engine, 'used', long('used'))
    await blobs.write(bodyOf(long('orphan')))
    clock.advance(2 * graceMs)
    const { key } = must((await references('blob'))[0], 'the object has a reference')
    const stored = metadata.misplace(key, undefined)
    await expect(engine.sweepOrphans()).rejects.toMatchObject({ code: 'Corrupt' })
    expect(await blobIds()).toHaveLength(2)
    expect(await textOf(engine, 'used')).toBe(long('used'))
    metadata.misplace(key, stored)
    expect(await engine.sweepOrphans()).toEqual({ deletedBlobs: 1 })
    expect(await textOf(engine, 'used')).toBe(long('used'))
  })

  it('does not make the collector take what a copy still uses', async () => {
    const { engine, metadata, clock, blobIds, references } = await openBucket()
    await put(engine, 'one', long('one'))
    await engine.copyObject({ source: { bucket, key: 'one' }, bucket, key: 'two', ownerId: owner })
    await engine.deleteObject({ bucket, key: 'one', ownerId: owner })
    clock.advance(2 * graceMs)
    const { key } = must((await references('blob'))[0], 'the copy has a reference')
    const stored = metadata.misplace(key, undefined)
    await expect(engine.collectGarbage()).rejects.toMatchObject({ code: 'Corrupt' })
    expect(await blobIds()).toHaveLength(1)
    metadata.misplace(key, stored)
    expect(await engine.collectGarbage()).toEqual({ deletedBlobs: 0 })
    expect(await textOf(engine, 'two')).toBe(long('one'))
  })

  it('does not make the collector take a layout, nor what it is made of', async () => {
    const { engine, metadata, clock, references } = await openBucket()
    const upload = { bucket, key: 'parts', attributes: plain, ownerId: owner }
    const { uploadId } = await engine.createUpload(upload)
    const part = await engine.putPart({ ...upload, uploadId, partNumber: 1, body: bodyOf(long('part')), finish: () => digestOf(long('part')) })
    await engine.completeUpload({ ...upload, uploadId, parts: [part], combine: () => digestOf('x'), minimumPartBytes: 1 })
    await engine.copyObject({ source: { bucket, key: 'parts' }, bucket, key: 'copy', ownerId: owner })
    await engine.deleteObject({ bucket, key: 'parts', ownerId: owner })
    clock.advance(2 * graceMs)
    const { key } = must((await references('layout'))[0], 'the copy has a reference')
    const stored = metadata.misplace(key, undefined)
    for (let round = 0; round < 3; round++) await expect(engine.collectGarbage()).rejects.toMatchObject({ code: 'Corrupt' })
    metadata.misplace(key, stored)
    const { held } = parseReferenceRow(key)
    expect(await metadata.list({ ...layoutRange(held.kind === 'layout' ? held.layoutId : ''), limit: 10 })).toHaveLength(1)
    expect(await textOf(engine, 'copy')).toBe(long('part'))
  })
})

describe('a proof', () => {
  it('serves many releases, and is made only where something fell due', async () => {
    const { engine, metadata, clock, blobIds } = await openBucket()
    for (let n = 0; n < 50; n++) await put(engine, `key ${n}`, long(`object ${n}`))
    const walk = metadata.walk.bind(metadata)
    let walks = 0
    metadata.walk = async (input) => {
      walks++
      clock.advance(1000)
      await walk(input)
    }
    const deleteAndCollect = async (first: number, count: number): Promise<number> => {
      for (let n = first; n < first + count; n++) await engine.deleteObject({ bucket, key: `key ${n}`, ownerId: owner })
      clock.advance(2 * graceMs)
      return (await engine.collectGarbage()).deletedBlobs
    }
    expect(await deleteAndCollect(0, 20)).toBe(20)
    expect(walks).toBe(1)
    // What fell due meanwhile waits for the next proof.
    for (let n = 20; n < 30; n++) await engine.deleteObject({ bucket, key: `key ${n}`, ownerId: owner })
    clock.advance(graceMs)
    expect((await engine.collectGarbage()).deletedBlobs).toBe(10)
    for (let n = 30; n < 40; n++) await engine.deleteObject({ bucket, key: `key ${n}`, ownerId: owner })
    clock.advance(graceMs - 1)
    expect((await engine.collectGarbage()).deletedBlobs).toBe(0)
    expect(walks).toBe(2)
    // Nothing to prove, nothing walked.
    clock.advance(1)
    expect((await engine.collectGarbage()).deletedBlobs).toBe(10)
    clock.advance(graceMs)
    expect((await engine.collectGarbage()).deletedBlobs).toBe(0)
    expect(walks).toBe(3)
    expect(await blobIds()).toHaveLength(10)
  })

  it('is rested from for fifty times as long as it took', async () => {
    const { engine, metadata, clock } = await openBucket()
    const walk = metadata.walk.bind(metadata)
    metadata.walk = async (input) => {
      clock.advance(graceMs)
      await walk(input)
    }
    const collected: number[] = []
    for (let n = 0; n < 60; n++) {
      await put(engine, 'key', long(`object ${n}`))
      clock.advance(graceMs)
      collected.push((await engine.collectGarbage()).deletedBlobs)
    }
    expect(collected.flatMap((blobs, n) => (blobs > 0 ? [[n, blobs]] : []))).toEqual([[1, 1], [51, 50]])
  })
})
