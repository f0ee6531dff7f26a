import { describe, expect, it } from 'vitest'
import { hourMs } from '../../base/units.ts'
import { fsck } from '../fsck/fsck.ts'
import { tableRange, tables } from '../keys.ts'
import { bodyOf, bytesOf, digestOf, owner, plain, put, textOf } from '../objects/test-engine.ts'
import type { MoveInput, MoveProgress } from './blob-mover.ts'
import { usesIn, usingRows } from './blob-uses.ts'
import { countUses } from './count-uses.ts'
import { beginDrain, cancelDrain, setStateOf } from './set-states.ts'
import { openSets, storedOn, type TestSets } from './test-sets.ts'

const bucket = 'bucket'
const two = [{ drives: 4, parity: 2 }, { drives: 3, parity: 1 }] as const
const textFor = (key: string): string => `${key} `.repeat(3000)

/** Something of everything that can use a blob, all on the first set. */
async function fill(sets: TestSets): Promise<void> {
  const { engine, keeper } = sets
  keeper.intake.avoid([1])
  for (const key of ['a', 'b', 'old', 'old']) await put(engine, key, textFor(key))
  await put(engine, 'reduced', textFor('reduced'), { attributes: { ...plain, storageClass: 'REDUCED_REDUNDANCY' } })
  await put(engine, 'gone', textFor('gone'))
  await engine.deleteObject({ bucket, key: 'gone', ownerId: owner })
  await engine.copyObject({ bucket, key: 'copy', source: { bucket, key: 'a' }, ownerId: owner })
  const upload = { bucket, key: 'parts', attributes: plain, ownerId: owner }
  const { uploadId } = await engine.createUpload(upload)
  const parts = []
  for (const partNumber of [1, 2]) parts.push(await engine.putPart({ ...upload, uploadId, partNumber, body: bodyOf(textFor('parts')), finish: () => digestOf('p') }))
  await engine.completeUpload({ ...upload, uploadId, parts, combine: () => digestOf('x'), minimumPartBytes: 1 })
  const { uploadId: open } = await engine.createUpload({ ...upload, key: 'open' })
  await engine.putPart({ ...upload, key: 'open', uploadId: open, partNumber: 1, body: bodyOf(textFor('open')), finish: () => digestOf('p') })
  keeper.intake.avoid([])
}

async function verify({ engine }: TestSets): Promise<void> {
  for (const key of ['a', 'b', 'old', 'reduced']) expect(await textOf(engine, key)).toBe(textFor(key))
  expect(await textOf(engine, 'copy')).toBe(textFor('a'))
  expect(await textOf(engine, 'parts')).toBe(textFor('parts').repeat(2))
  const { entries } = await engine.listVersions({ bucket, limit: 100 })
  for (const entry of entries) if (entry.kind === 'object' && entry.key === 'gone') expect(await textOf(engine, 'gone', entry.versionId)).toBe(textFor('gone'))
}

const input = (more: Partial<MoveInput> = {}): MoveInput => ({ bytesPerSecond: Infinity, onProgress: async () => {}, signal: new AbortController().signal, ...more })

/** Lets the simulated clock follow what waits on it. */
async function finish<T>(sets: TestSets, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    sets.clock.advance(1000)
  }
  return done
}

async function drain(sets: TestSets, set = 0, more: Partial<MoveInput> = {}, from?: MoveProgress) {
  const sinceMs = sets.clock.nowMs()
  sets.keeper.intake.avoid([set])
  return finish(sets, sets.mover.drain(set, sinceMs, from, input(more)))
}

async function expectClean(sets: TestSets): Promise<void> {
  expect(await fsck({ metadata: sets.metadata, blobs: sets.blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
}

describe('a drain', () => {
  it('moves everything that uses a blob, once for all that share it, and leaves the old one for the grace period', async () => {
    const sets = await openSets(two)
    await fill(sets)
    const uses = await countUses(sets.metadata, 0)
    const [before] = [await storedOn(sets, 0)]
    expect([uses, before]).toEqual([10, 9])
    expect(await beginDrain(sets.context, 0, [0, 1])).toBe('begun')
    const { isEmpty, progress } = await drain(sets)
    expect(isEmpty).toBe(true)
    expect(progress).toMatchObject({ totalBlobs: 9, movedBlobs: 9, failedBlobs: 0 })
    expect(progress.movedBytes).toBe(progress.totalBytes)
    expect([await countUses(sets.metadata, 0), await storedOn(sets, 0), await storedOn(sets, 1)]).toEqual([0, 9, 9])
    expect(await setStateOf(sets.metadata, 0)).toBe('empty')
    expect(await sets.metadata.list({ ...tableRange(tables.moved), limit: 1 })).toEqual([])
    await verify(sets)
    await expectClean(sets)
    sets.clock.advance(2 * hourMs)
    while ((await sets.engine.collectGarbage()).deletedBlobs > 0);
    expect([await storedOn(sets, 0), await storedOn(sets, 1)]).toEqual([0, 9])
    await verify(sets)
    await expectClean(sets)
  })

  it('lets a reader finish that has read the row before', async () => {
    const sets = await openSets(two)
    await fill(sets)
    const reader = await sets.engine.getObject({ bucket, key: 'b' })
    await beginDrain(sets.context, 0, [0, 1])
    await drain(sets)
    sets.clock.advance(hourMs / 2)
    await sets.engine.collectGarbage()
    expect((await bytesOf(reader.read({ offset: 0, length: reader.version.sizeBytes }))).toString()).toBe(textFor('b'))
  })

  it('goes on where another process left it', async () => {
    const sets = await openSets(two)
    await fill(sets)
    await beginDrain(sets.context, 0, [0, 1])
    const stop = new AbortController()
    let last: MoveProgress | undefined
    const stopped = await drain(sets, 0, { signal: stop.signal, onProgress: async (progress) => {
      last = progress
      if (progress.movedBlobs > 2) stop.abort()
    } })
    expect(stopped.isEmpty).toBe(false)
    await verify(sets)
    await expectClean(sets)
    const { isEmpty, progress } = await drain(sets, 0, {}, last)
    expect(isEmpty).toBe(true)
    expect(progress.totalBlobs).toBe(9)
    expect(await countUses(sets.metadata, 0)).toBe(0)
    await verify(sets)
  })

  it('follows what clients do meanwhile: replaced, copied, appended, completed, promoted', async () => {
    const sets = await openSets(two)
    await fill(sets)
    await beginDrain(sets.context, 0, [0, 1])
    let round = 0
    const { engine } = sets
    await drain(sets, 0, { onProgress: async () => {
      // Workers that do not know yet still write there.
      sets.keeper.intake.avoid(round < 3 ? [1] : [0])
      if (round++ > 6) return
      await put(engine, `late/${round}`, textFor(`late/${round}`))
      await put(engine, 'old', textFor('old'))
      await engine.copyObject({ bucket, key: `0/${round}`, source: { bucket, key: 'b' }, ownerId: owner })
      const { entries } = await engine.listVersions({ bucket, prefix: 'old', limit: 1 })
      const [newest] = entries
      if (newest?.kind === 'object' && round % 2 === 0) await engine.deleteObject({ bucket, key: 'old', versionId: newest.versionId, ownerId: owner })
    } })
    expect(round).toBeGreaterThan(6)
    expect(await countUses(sets.metadata, 0)).toBe(0)
    await verify(sets)
    await expectClean(sets)
  })

  it('does not end while a blob cannot be read, and says which', async () => {
    const sets = await openSets(two)
    await fill(sets)
    await beginDrain(sets.context, 0, [0, 1])
    const stop = new AbortController()
    sets.sets[0]?.members.slice(0, 3).forEach((member) => member.takeOut('missing', 'gone'))
    const { isEmpty, progress } = await drain(sets, 0, { signal: stop.signal, onProgress: async ({ pass }) => {
      if (pass > 2) stop.abort()
    } })
    expect(isEmpty).toBe(false)
    expect(progress.lastFailure).toMatch(/^blob [0-9A-Z]{26}: /)
    sets.sets[0]?.members.forEach((member) => member.takeBack())
    expect((await drain(sets, 0, {}, progress)).isEmpty).toBe(true)
    await verify(sets)
  })

  it('refuses what is written to an empty set by those who do not know, and to drain the last one', async () => {
    const sets = await openSets(two)
    expect(await beginDrain(sets.context, 0, [0, 1])).toBe('begun')
    expect(await beginDrain(sets.context, 0, [0, 1])).toBe('already')
    expect(await beginDrain(sets.context, 1, [0, 1])).toBe('lastSet')
    expect(await cancelDrain(sets.context, 0)).toBe(true)
    expect(await cancelDrain(sets.context, 0)).toBe(false)
    expect(await beginDrain(sets.context, 0, [0, 1])).toBe('begun')
    expect((await drain(sets)).isEmpty).toBe(true)
    expect(await cancelDrain(sets.context, 0)).toBe(false)
    expect(await beginDrain(sets.context, 0, [0, 1])).toBe('already')
    expect(await setStateOf(sets.metadata, 0)).toBe('verifying')
    expect(await cancelDrain(sets.context, 0)).toBe(false)
    sets.keeper.intake.avoid([1])
    await expect(put(sets.engine, 'late', textFor('late'))).rejects.toMatchObject({ code: 'Unwritable' })
    expect(await storedOn(sets, 0)).toBe(0)
    sets.keeper.intake.avoid([0])
    await put(sets.engine, 'late', textFor('late'))
    await expectClean(sets)
  })
})

describe('a rebalance', () => {
  it('moves blobs to an emptier set until both are about as full', async () => {
    const capacityBytes = 40_000_000
    const sets = await openSets([{ drives: 2, parity: 1, capacityBytes }, { drives: 2, parity: 1, capacityBytes }])
    sets.keeper.intake.avoid([1])
    for (let index = 0; index < 100; index++) await put(sets.engine, `key/${index}`, `${index} `.repeat(1000 + 13 * index))
    sets.keeper.intake.avoid([])
    await sets.keeper.examine()
    const { isDone, progress } = await finish(sets, sets.mover.rebalance(undefined, input()))
    expect(isDone).toBe(true)
    const bytesOn = async (set: number): Promise<number> => {
      const { entries } = await sets.engine.listVersions({ bucket, limit: 1000 })
      let bytes = 0
      for await (const rows of usingRows(sets.metadata, tables.object, undefined)) {
        for (const row of rows) for (const { blob } of usesIn(row)) if (blob.layout.kind === 'stripes' && blob.layout.set === set) bytes += blob.sizeBytes
      }
      expect(entries.length).toBe(100)
      return bytes
    }
    const [first, second] = [await bytesOn(0), await bytesOn(1)]
    expect(Math.abs(first - second) / (first + second)).toBeLessThan(0.03)
    expect(progress.movedBlobs).toBeGreaterThan(20)
    for (let index = 0; index < 100; index++) expect(await textOf(sets.engine, `key/${index}`)).toBe(`${index} `.repeat(1000 + 13 * index))
    await expectClean(sets)
    const again = await finish(sets, sets.mover.rebalance(undefined, input()))
    expect(again.progress.movedBlobs).toBe(0)
  })
})
