import { describe, expect, test } from 'vitest'
import { CatalogStoreError, type CatalogStore, type CatalogTransaction, type FilePart, type NewFilePart } from './catalog-store.ts'

/** What every CatalogStore must do. `open` gives an empty one whose only bucket is `lake`. */
export function catalogStoreSuite(name: string, open: () => Promise<CatalogStore>): void {
  describe(`CatalogStore: ${name}`, () => {
    const bytes = (text: string): Buffer => Buffer.from(text)
    const textOf = async (store: Pick<CatalogStore, 'get'>, key: string): Promise<string | undefined> => {
      const value = await store.get(bytes(key))
      return value === undefined ? undefined : Buffer.from(value).toString()
    }

    const readText = async (store: CatalogStore, location: string): Promise<string> => Buffer.from(await store.readFile(location)).toString()

    test('a transaction writes rows and files together', async () => {
      const store = await open()
      const result = await store.transact(async (tx) => {
        tx.put(bytes('a'), bytes('1'))
        await tx.putFile('s3://lake/db/file.json', bytes('{}'), 'application/json')
        return 'done'
      })
      expect(result).toBe('done')
      expect(await textOf(store, 'a')).toBe('1')
      expect(Buffer.from(await store.readFile('s3://lake/db/file.json')).toString()).toBe('{}')
      await store.transact((tx) => tx.unpinFile('s3://lake/db/file.json'))
      await store.transact(async (tx) => {
        tx.delete(bytes('a'))
        await tx.deleteFile('s3://lake/db/file.json')
        await tx.deleteFile('s3://lake/db/never-there.json')
      })
      expect(await textOf(store, 'a')).toBeUndefined()
      expect(await store.fileExists('s3://lake/db/file.json')).toBe(false)
    })

    test('a body that throws writes nothing', async () => {
      const store = await open()
      const failing = store.transact(async (tx) => {
        tx.put(bytes('a'), bytes('1'))
        await tx.putFile('s3://lake/file', bytes('x'), 'text/plain')
        throw new RangeError('no')
      })
      await expect(failing).rejects.toThrow(RangeError)
      expect(await textOf(store, 'a')).toBeUndefined()
      expect(await store.fileExists('s3://lake/file')).toBe(false)
    })

    test('a file in parts reads as one and shares them', async () => {
      const store = await open()
      const [first, second] = ['s3://lake/db/1.json', 's3://lake/db/2.json'] as const
      const own = (text: string): NewFilePart => ({ kind: 'own', bytes: bytes(text) })
      const shareable = (text: string): NewFilePart => ({ kind: 'shareable', bytes: bytes(text) })
      const shared = async (location: string) => (await store.readParts(location)).filter((part) => part.kind === 'shared')
      const put = async (location: string, content: readonly NewFilePart[], sharedBy?: string): Promise<readonly FilePart[]> => {
        let linked: readonly FilePart[] = []
        const onLinked = (told: readonly FilePart[]): void => {
          linked = told
        }
        await store.transact((tx) => tx.putParts(location, content, { sharedBy, contentType: 'application/json', onLinked }))
        return linked
      }
      expect(await put(first, [own('['), shareable('1,2'), own(']')])).toEqual(await store.readParts(first))
      const parts = await shared(first)
      expect(await put(second, [own('[ '), ...parts, shareable(',3'), own(' ]')], first)).toEqual(await store.readParts(second))
      expect([await readText(store, first), await readText(store, second)]).toEqual(['[1,2]', '[ 1,2,3 ]'])
      expect(await shared(second)).toMatchObject([{ sharedId: parts[0]?.sharedId, offset: 0 }])
      const range: Buffer[] = []
      for await (const chunk of store.readRange(second, { offset: 3, length: 4 })) range.push(Buffer.from(chunk))
      expect(Buffer.concat(range).toString()).toBe(',2,3')
      await expect(put('s3://lake/db/3.json', parts)).rejects.toMatchObject({ code: 'Unavailable' })
      await expect(store.readParts('s3://lake/db/3.json')).rejects.toMatchObject({ code: 'FileNotFound' })
      await store.transact((tx) => tx.putFile('s3://lake/db/4.json', bytes('{}'), 'application/json'))
      expect((await store.readParts('s3://lake/db/4.json')).map((part) => part.kind)).toEqual(['own'])
    })

    test('a pinned file stays until each of its holders has let go', async () => {
      const store = await open()
      const location = 's3://lake/db/file.json'
      const remove = (): Promise<void> => store.transact((tx) => tx.deleteFile(location))
      await store.transact((tx) => tx.putFile(location, bytes('{}'), 'application/json'))
      await store.transact(async (tx) => {
        await tx.pinFile(location)
        await tx.pinFile(location)
        await tx.unpinFile(location)
      })
      await store.transact((tx) => tx.unpinFile(location))
      await remove()
      expect(await store.fileExists(location)).toBe(true)
      await store.transact((tx) => tx.unpinFile(location))
      await store.transact((tx) => tx.unpinFile(location))
      await remove()
      expect(await store.fileExists(location)).toBe(false)
      await store.transact((tx) => tx.unpinFile(location))
      await expect(store.transact((tx) => tx.pinFile(location))).rejects.toMatchObject({ code: 'FileNotFound' })
    })

    test('a body that throws after it pinned has pinned nothing', async () => {
      const store = await open()
      const location = 's3://lake/db/file.json'
      await store.transact((tx) => tx.putFile(location, bytes('{}'), 'application/json'))
      const failing = store.transact(async (tx) => {
        await tx.pinFile(location)
        throw new RangeError('no')
      })
      await expect(failing).rejects.toThrow(RangeError)
      await store.transact((tx) => tx.unpinFile(location))
      await store.transact((tx) => tx.deleteFile(location))
      expect(await store.fileExists(location)).toBe(false)
    })

    test('what a body read is checked: increments of many writers all count', async () => {
      const store = await open()
      const increment = async (tx: CatalogTransaction): Promise<void> => {
        const count = Number((await textOf(tx, 'counter')) ?? 0)
        tx.put(bytes('counter'), bytes(String(count + 1)))
      }
      await Promise.all(Array.from({ length: 20 }, () => store.transact(increment)))
      expect(await textOf(store, 'counter')).toBe('20')
    })

    test('an absent row that was read is checked too: one of many creators wins', async () => {
      const store = await open()
      const create = (who: number): Promise<boolean> =>
        store.transact(async (tx) => {
          if ((await tx.get(bytes('name'))) !== undefined) return false
          tx.put(bytes('name'), bytes(String(who)))
          return true
        })
      const won = await Promise.all(Array.from({ length: 10 }, (_, who) => create(who)))
      expect(won.filter(Boolean)).toHaveLength(1)
    })

    test('requireEmpty holds at the commit', async () => {
      const store = await open()
      const range = { start: bytes('child/'), end: bytes('child0') }
      let attempts = 0
      await store.transact(async (tx) => {
        attempts++
        const children = await tx.list({ ...range, limit: 1 })
        if (children.length > 0) return
        tx.requireEmpty(range)
        if (attempts === 1) await store.transact(async (other) => other.put(bytes('child/1'), bytes('x')))
        tx.put(bytes('parent-dropped'), bytes('1'))
      })
      expect(attempts).toBe(2)
      expect(await textOf(store, 'parent-dropped')).toBeUndefined()
    })

    test('lists a range in order, bounded', async () => {
      const store = await open()
      await store.transact(async (tx) => {
        for (const key of ['b2', 'b1', 'a', 'b3', 'c']) tx.put(bytes(key), bytes(key))
      })
      const rows = await store.list({ start: bytes('b'), end: bytes('c'), limit: 2 })
      expect(rows.map(({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()])).toEqual([['b1', 'b1'], ['b2', 'b2']])
    })

    test('says what is wrong with a file', async () => {
      const store = await open()
      const codeOf = async (location: string): Promise<string> => {
        try {
          await store.readFile(location)
          return 'none'
        } catch (error) {
          return error instanceof CatalogStoreError ? error.code : String(error)
        }
      }
      expect(await codeOf('s3://lake/missing')).toBe('FileNotFound')
      expect(await codeOf('s3://sea/missing')).toBe('BadLocation')
      expect(await codeOf('file:///etc/passwd')).toBe('BadLocation')
    })

    test('reads no file that is larger than its reader takes', async () => {
      const store = await open()
      await store.transact((tx) => tx.putFile('s3://lake/file', bytes('moraine'), 'text/plain'))
      expect(Buffer.from(await store.readFile('s3://lake/file', { maxBytes: 7 })).toString()).toBe('moraine')
      await expect(store.readFile('s3://lake/file', { maxBytes: 6 })).rejects.toMatchObject({ code: 'FileTooLarge' })
    })

    test('keeps a large file', async () => {
      const store = await open()
      const large = Buffer.alloc(300_000, 'moraine ')
      await store.transact((tx) => tx.putFile('s3://lake/large', large, 'text/plain'))
      expect(Buffer.from(await store.readFile('s3://lake/large')).equals(large)).toBe(true)
    })
  })
}
