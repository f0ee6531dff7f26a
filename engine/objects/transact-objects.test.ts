import { describe, expect, it } from 'vitest'
import { fsck } from '../fsck/fsck.ts'
import { digestOf, memoryEngine, owner, plain, textOf } from './test-engine.ts'

const bucket = 'bucket'
const key = (text: string) => Buffer.from(text)

async function openBucket() {
  const all = memoryEngine({ transactionInlineBytes: 16 })
  await all.engine.createBucket({ bucket, ownerId: owner, region: 'us-east-1' })
  return all
}

const object = (name: string, text: string) => ({ bucket, key: name, bytes: Buffer.from(text), ...digestOf(text), attributes: plain, ownerId: owner })
const long = 'longer than sixteen bytes'

describe('a transaction of an adapter', () => {
  it('commits rows, objects and events together', async () => {
    const { engine, metadata, blobs } = await openBucket()
    const version = await engine.transact(async (tx) => {
      tx.extensions.put(key('t/1'), key('v1'))
      await tx.putObject(object('small', 'short'))
      return tx.putObject(object('large', long))
    })
    expect(version).toMatchObject({ kind: 'object', key: 'large', sizeBytes: long.length })
    expect([await textOf(engine, 'small'), await textOf(engine, 'large')]).toEqual(['short', long])
    expect((await engine.extensions.get(key('t/1')))?.toString()).toBe('v1')
    const rows = await engine.extensions.list({ start: key('t/'), end: key('t0'), limit: 10 })
    expect(rows.map((row) => [row.key.toString(), row.value.toString()])).toEqual([['t/1', 'v1']])
    await engine.transact(async (tx) => {
      tx.extensions.delete(key('t/1'))
      await tx.deleteObject({ bucket, key: 'small' })
    })
    expect(await engine.extensions.get(key('t/1'))).toBeUndefined()
    await expect(textOf(engine, 'small')).rejects.toMatchObject({ code: 'NoSuchKey' })
    expect(await fsck({ metadata, blobs, readBytes: true })).toMatchObject({ verdict: 'clean', findings: [] })
  })

  it('that throws leaves nothing, blobs included', async () => {
    const { engine, blobs } = await openBucket()
    const failing = engine.transact(async (tx) => {
      tx.extensions.put(key('row'), key('v'))
      await tx.putObject(object('large', long))
      throw new TypeError('refused')
    })
    await expect(failing).rejects.toThrow('refused')
    expect(await engine.extensions.get(key('row'))).toBeUndefined()
    for await (const blob of blobs.list()) expect(blob).toBeUndefined()
  })

  it('runs again when what it read has changed, and keeps one blob', async () => {
    const { engine, blobs } = await openBucket()
    const increment = () =>
      engine.transact(async (tx) => {
        const count = Number((await tx.extensions.get(key('count')))?.toString() ?? 0) + 1
        tx.extensions.put(key('count'), key(String(count)))
        await tx.putObject(object(`${long} ${count}`, `${long} ${count}`))
      })
    await Promise.all(Array.from({ length: 20 }, increment))
    expect((await engine.extensions.get(key('count')))?.toString()).toBe('20')
    const ids: string[] = []
    for await (const { blobId } of blobs.list()) ids.push(blobId)
    expect(ids).toHaveLength(20)
  })

  it('sees the current version and checks conditions', async () => {
    const { engine } = await openBucket()
    await engine.transact(async (tx) => {
      expect(await tx.headObject({ bucket, key: 'a' })).toBeUndefined()
      await tx.putObject(object('a', 'one'))
    })
    const again = engine.transact((tx) => tx.putObject({ ...object('a', 'two'), conditions: { ifNoneMatch: ['*'] } }))
    await expect(again).rejects.toMatchObject({ code: 'PreconditionFailed' })
    expect(await engine.transact(async (tx) => (await tx.headObject({ bucket, key: 'a' }))?.etag)).toBe(digestOf('one').etag)
  })

  it('requires a range to be empty', async () => {
    const { engine } = await openBucket()
    const claim = (name: string) =>
      engine.transact(async (tx) => {
        const range = { start: key('lock/'), end: key('lock0') }
        if ((await tx.extensions.list({ ...range, limit: 1 })).length > 0) return false
        tx.extensions.requireEmpty(range)
        tx.extensions.put(key(`lock/${name}`), key(''))
        return true
      })
    expect((await Promise.all(['a', 'b', 'c'].map(claim))).filter(Boolean)).toHaveLength(1)
  })
})
