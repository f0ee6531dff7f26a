import { describe, expect, it } from 'vitest'
import type { Account } from '../identity/caller.ts'
import { admitted, createStorageQuota } from './storage-quota.ts'

const accountOf = (name: string, bytes?: number): Account => ({
  name, id: name, accountId: '111111111111', displayName: '', email: '', ...(bytes === undefined ? {} : { quotas: { bytes } }),
})

function opened({ stored = 0, others = [] }: { readonly stored?: number; readonly others?: readonly Account[] } = {}) {
  const state = { stored, usageReads: 0, accountReads: 0 }
  const quota = createStorageQuota({
    usageOf: async () => {
      state.usageReads++
      return { bytes: state.stored, objects: 0, buckets: 0 }
    },
    accountOf: async ownerId => {
      state.accountReads++
      return others.find(({ id }) => id === ownerId)
    },
  })
  return { quota, state }
}

const codeOf = async (act: Promise<unknown>): Promise<string> => act.then(() => 'admitted', (error: { readonly code: string }) => error.code)
const full = 'XMinioAdminBucketQuotaExceeded'

async function* pieces(...sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (const size of sizes) yield Buffer.alloc(size)
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const piece of source) bytes += piece.length
  return bytes
}

describe('a quota of bytes', () => {
  it('is filled to the last byte, and not beyond', async () => {
    const { quota } = opened({ stored: 90 })
    const owner = accountOf('a', 100)
    expect(await codeOf(quota.open(owner, 'a').admit(11))).toBe(full)
    expect(await codeOf(quota.open(owner, 'a').admit(10))).toBe('admitted')
  })

  it('knows what the worker is writing: of many at once no more are admitted than fit, and what failed makes room', async () => {
    const { quota } = opened()
    const owner = accountOf('a', 100)
    const writes = Array.from({ length: 20 }, () => quota.open(owner, 'a'))
    const answers = await Promise.all(writes.map(write => codeOf(write.admit(10))))
    expect(answers.filter(answer => answer === 'admitted').length).toBeLessThanOrEqual(10)
    for (const write of writes) write.release()
    for (const write of writes) write.release()
    expect(await codeOf(quota.open(owner, 'a').admit(100))).toBe('admitted')
    expect(await codeOf(quota.open(accountOf('b', 100), 'b').admit(100))).toBe('admitted')
  })

  it('is the owner’s, whoever writes, and costs an account without one no look-up', async () => {
    const { quota, state } = opened({ stored: 50, others: [accountOf('a', 60)] })
    const rich = accountOf('b')
    expect(await codeOf(quota.open(rich, 'b').admit(1000))).toBe('admitted')
    expect(await quota.open(rich, 'b').isLimited()).toBe(false)
    expect(state).toMatchObject({ usageReads: 0, accountReads: 0 })
    expect(await codeOf(quota.open(rich, 'a').admit(11))).toBe(full)
    expect(await quota.open(rich, 'a').isLimited()).toBe(true)
    expect(await codeOf(quota.open(accountOf('a', 60), 'b').admit(1000))).toBe('admitted')
  })

  it('asks for no byte of a body that does not fit, and ends one of unknown length where it is full', async () => {
    const { quota } = opened()
    const owner = accountOf('a', 100)
    let asked = 0
    async function* watched(): AsyncGenerator<Buffer> {
      for await (const piece of pieces(60, 60)) {
        asked++
        yield piece
      }
    }
    expect(await codeOf(drain(admitted(watched(), 120, quota.open(owner, 'a'))))).toBe(full)
    expect(asked).toBe(0)
    const write = quota.open(owner, 'a')
    expect(await codeOf(drain(admitted(watched(), undefined, write)))).toBe(full)
    expect(asked).toBe(2)
    write.release()
    expect(await drain(admitted(pieces(50, 50), undefined, quota.open(owner, 'a')))).toBe(100)
  })
})
