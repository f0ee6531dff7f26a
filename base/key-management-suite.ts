import { describe, expect, it } from 'vitest'
import { KeyManagementError, type KeyManagement } from './key-management.ts'

export interface KeyManagementFixture {
  /** Two openings of the same master keys, as two processes have them. */
  open(): Promise<{ readonly first: KeyManagement; readonly second: KeyManagement }>
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act
  } catch (error) {
    if (error instanceof KeyManagementError) return error.code
    throw error
  }
  return 'none'
}

const context = { purpose: 'test', bucket: 'b' }

/** The contract of `KeyManagement`, for every implementation. */
export function keyManagementSuite(name: string, fixture: KeyManagementFixture): void {
  describe(`KeyManagement: ${name}`, () => {
    it('unwraps in any process what it wrapped', async () => {
      const { first, second } = await fixture.open()
      const key = await first.generateDataKey({ context })
      expect(key.plaintext).toHaveLength(32)
      expect(key.keyName).toBe(first.defaultKeyName)
      expect(await second.unwrapDataKey(key, context)).toEqual(key.plaintext)
      expect(await second.unwrapDataKey(key, { bucket: 'b', purpose: 'test' })).toEqual(key.plaintext)
    })

    it('wraps each data key differently, and never shows it', async () => {
      const { first } = await fixture.open()
      const [one, two] = [await first.generateDataKey({ context }), await first.generateDataKey({ context })]
      expect(one.plaintext).not.toEqual(two.plaintext)
      expect(one.wrapped.includes(one.plaintext)).toBe(false)
    })

    it('names its master keys, the default among them', async () => {
      const { first } = await fixture.open()
      const names = await first.keyNames()
      expect(names).toContain(first.defaultKeyName)
      for (const keyName of names) {
        const key = await first.generateDataKey({ keyName, context })
        expect(await first.unwrapDataKey(key, context)).toEqual(key.plaintext)
      }
    })

    it('rejects another context', async () => {
      const { first } = await fixture.open()
      const key = await first.generateDataKey({ context })
      for (const other of [{}, { purpose: 'test' }, { ...context, more: '' }, { purpose: 'b', bucket: 'test' }]) {
        expect(await codeOf(first.unwrapDataKey(key, other))).toBe('Rejected')
      }
    })

    it('rejects every changed byte and every cut', async () => {
      const { first } = await fixture.open()
      const { keyName, wrapped } = await first.generateDataKey({ context })
      for (let at = 0; at < wrapped.length; at++) {
        const changed = Buffer.from(wrapped)
        changed[at] = (changed[at] ?? 0) ^ 1
        expect(await codeOf(first.unwrapDataKey({ keyName, wrapped: changed }, context))).toBe('Rejected')
        expect(await codeOf(first.unwrapDataKey({ keyName, wrapped: wrapped.subarray(0, at) }, context))).toBe('Rejected')
      }
    })

    it('wraps a data key anew, under the same binding, by the key that it would use now', async () => {
      const { first, second } = await fixture.open()
      const key = await first.generateDataKey({ context })
      expect(first.isCurrent(key)).toBe(true)
      const again = await second.wrapDataKey(key.plaintext, context)
      expect(again.wrapped.equals(key.wrapped)).toBe(false)
      expect(second.isCurrent(again)).toBe(true)
      expect(await first.unwrapDataKey(again, context)).toEqual(key.plaintext)
      expect(await codeOf(first.unwrapDataKey(again, { purpose: 'other' }))).toBe('Rejected')
    })

    it('has no key of another name', async () => {
      const { first } = await fixture.open()
      expect(await codeOf(first.generateDataKey({ keyName: 'no-such-key', context }))).toBe('NoSuchKey')
      const { wrapped } = await first.generateDataKey({ context })
      expect(await codeOf(first.unwrapDataKey({ keyName: 'no-such-key', wrapped }, context))).toBe('NoSuchKey')
    })
  })
}
