import { expect, test } from 'vitest'
import { assert } from '../../base/assert.ts'
import { MemoryMetadataStore } from './memory-metadata-store.ts'
import { describeMetadataStore } from './metadata-store-suite.ts'
import type { Commit } from './metadata-store.ts'

describeMetadataStore('MemoryMetadataStore', {
  open: async () => new MemoryMetadataStore(),
  tamper: async (store, key, change) => {
    assert(store instanceof MemoryMetadataStore, 'the harness opened it')
    store.tamper(key, change)
    return store
  },
  misplace: async (store, key, stored) => {
    assert(store instanceof MemoryMetadataStore, 'the harness opened it')
    return store.misplace(key, stored)
  },
})

const put = (key: string): Commit => ({ checks: [], puts: [{ key: Buffer.from(key), value: Buffer.from(key) }], deletes: [], appends: [] })

/** A sync that ends when the test says so. */
function gate(): { sync: () => Promise<void>; open: () => void; syncs: () => number } {
  let waiting: (() => void)[] = []
  let syncs = 0
  return {
    sync: () => new Promise((resolve) => {
      syncs++
      waiting.push(resolve)
    }),
    open: () => {
      for (const resolve of waiting) resolve()
      waiting = []
    },
    syncs: () => syncs,
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

async function keysOf(store: MemoryMetadataStore): Promise<string[]> {
  const rows = await store.list({ start: Buffer.alloc(0), end: Buffer.from('~'), limit: 100 })
  return rows.map(({ key }) => key.toString())
}

test('concurrent commits share one sync, and nothing shows before it', async () => {
  const { sync, open, syncs } = gate()
  const store = new MemoryMetadataStore({ sync })
  const commits = Promise.all([store.commit(put('a')), store.commit(put('b'))])
  await turn()
  expect(await keysOf(store)).toEqual([])
  open()
  await commits
  expect(syncs()).toBe(1)
  expect(await keysOf(store)).toEqual(['a', 'b'])
})

test('a crash keeps what was synced, and the batch in flight wholly or not at all', async () => {
  for (const keeps of [true, false]) {
    const { sync, open } = gate()
    const store = new MemoryMetadataStore({ sync })
    const first = store.commit(put('a'))
    await turn()
    open()
    await first
    const lost = [store.commit(put('b')), store.commit(put('c'))]
    await turn()
    const waiting = store.commit(put('d'))
    const recovered = store.crash(keeps)
    for (const commit of [...lost, waiting]) await expect(commit).rejects.toMatchObject({ code: 'OutcomeUnknown' })
    await expect(store.get(Buffer.from('a'))).rejects.toMatchObject({ code: 'Closed' })
    open()
    await turn()
    expect(await keysOf(recovered)).toEqual(keeps ? ['a', 'b', 'c'] : ['a'])
  }
})

test('acknowledgeEarly is the mistake it stands for: an acknowledged commit can be lost', async () => {
  const { sync } = gate()
  const store = new MemoryMetadataStore({ sync, acknowledgeEarly: true })
  expect((await store.commit(put('a'))).ok).toBe(true)
  expect(await keysOf(store)).toEqual(['a'])
  expect(await keysOf(store.crash(false))).toEqual([])
})
