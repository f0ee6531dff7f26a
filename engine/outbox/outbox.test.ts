import { describe, expect, it } from 'vitest'
import type { Engine, OutboxPage } from '../engine.ts'
import { memoryEngine, owner, put } from '../objects/test-engine.ts'

async function openBucket(outboxEvents: number, roundLimit = 1000) {
  const all = memoryEngine({ outboxEvents, roundLimit })
  await all.engine.createBucket({ bucket: 'bucket', ownerId: owner, region: 'us-east-1', versioning: 'Enabled' })
  return all
}

const subjects = ({ events }: OutboxPage) => events.map(({ type, subject }) => `${type} ${subject}`)

async function readAll(engine: Engine, cursor: string | undefined, limit: number): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const page: OutboxPage = await engine.readOutbox({ cursor, limit })
    all.push(...subjects(page))
    if (page.events.length === 0) return all
    cursor = page.cursor
  }
}

describe('the outbox', () => {
  it('tells what every commit did, in order, from any cursor', async () => {
    const { engine } = await openBucket(100)
    await put(engine, 'a', 'x')
    await engine.deleteObject({ bucket: 'bucket', key: 'a', ownerId: owner })
    await engine.transact(async (tx) => {
      tx.emit({ type: 'iceberg:commit', subject: 'ns.table', detail: { snapshot: 1 } })
    })
    const expected = ['BucketCreated bucket', 'ObjectCreated:Put bucket/a', 'ObjectRemoved:DeleteMarkerCreated bucket/a', 'iceberg:commit ns.table']
    for (const limit of [1, 2, 10]) expect(await readAll(engine, undefined, limit)).toEqual(expected)
    const first = await engine.readOutbox({ cursor: undefined, limit: 3 })
    expect(await readAll(engine, first.cursor, 10)).toEqual(expected.slice(3))
    const last = await engine.readOutbox({ cursor: undefined, limit: 10 })
    expect(await engine.readOutbox({ cursor: last.cursor, limit: 10 })).toEqual({ events: [], cursor: last.cursor, missedEvents: false })
  })

  it('keeps a cursor for each consumer', async () => {
    const { engine } = await openBucket(100)
    const { cursor } = await engine.readOutbox({ cursor: undefined, limit: 1 })
    expect(await engine.loadCursor('replication')).toBeUndefined()
    await engine.saveCursor('replication', cursor ?? '')
    expect(await engine.loadCursor('replication')).toBe(cursor)
    expect(await engine.loadCursor('other')).toBeUndefined()
  })

  it('drops what is over the bound, in bounded rounds, and tells a consumer that missed it', async () => {
    const { engine } = await openBucket(5, 4)
    const { cursor } = await engine.readOutbox({ cursor: undefined, limit: 1 })
    for (let n = 0; n < 20; n++) await put(engine, `key-${n}`, 'x')
    const deleted: number[] = []
    for (let round = 0; round < 12; round++) deleted.push((await engine.trimOutbox()).deletedEvents)
    expect(deleted.reduce((sum, n) => sum + n, 0)).toBe(16)
    expect(Math.max(...deleted)).toBeLessThanOrEqual(4)
    const late = await engine.readOutbox({ cursor, limit: 100 })
    expect(late.missedEvents).toBe(true)
    expect(subjects(late)).toEqual([15, 16, 17, 18, 19].map((n) => `ObjectCreated:Put bucket/key-${n}`))
    await put(engine, 'more', 'x')
    const next = await engine.readOutbox({ cursor: late.cursor, limit: 100 })
    expect([next.missedEvents, subjects(next)]).toEqual([false, ['ObjectCreated:Put bucket/more']])
  })

  it('drops what every consumer has read, and nothing that one has not', async () => {
    const { engine } = await openBucket(100)
    for (let n = 0; n < 6; n++) await put(engine, `key-${n}`, 'x')
    const two = await engine.readOutbox({ cursor: undefined, limit: 2 })
    const five = await engine.readOutbox({ cursor: undefined, limit: 5 })
    await engine.saveCursor('slow', two.cursor ?? '')
    await engine.saveCursor('quick', five.cursor ?? '')
    expect(await engine.trimOutbox()).toEqual({ deletedEvents: 2 })
    expect((await engine.readOutbox({ cursor: two.cursor, limit: 10 })).missedEvents).toBe(false)
    await engine.saveCursor('slow', five.cursor ?? '')
    expect(await engine.trimOutbox()).toEqual({ deletedEvents: 3 })
    expect(await engine.trimOutbox()).toEqual({ deletedEvents: 0 })
    expect(await readAll(engine, five.cursor, 10)).toHaveLength(2)
  })
})
