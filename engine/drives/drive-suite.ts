import { beforeEach, describe, expect, test } from 'vitest'
import { KiB } from '../../base/units.ts'
import { DriveError } from './drive.ts'
import type { Drive, DriveErrorCode } from './drive.ts'

/** The contract of `Drive` that does not need a power loss to show: every implementation runs this. */
export function describeDrive(name: string, open: () => Promise<Drive>): void {
  describe(`${name}`, () => {
    let drive: Drive
    beforeEach(async () => {
      drive = await open()
    })

    test('a file keeps what was written where it was written', async () => {
      const file = await drive.create('a')
      await file.write(Buffer.from('world'), 6)
      await file.write(Buffer.from('hello '), 0)
      await file.sync()
      await file.close()
      await drive.syncDirectory('')
      expect(await drive.sizeOf('a')).toBe(11)
      expect((await contentOf(drive, 'a')).toString()).toBe('hello world')
    })

    test('a gap reads as zeros, and a read ends with the file', async () => {
      const file = await drive.create('a')
      await file.write(Buffer.from('x'), 4)
      await file.close()
      const open = await drive.open('a')
      const target = Buffer.alloc(10, 0xff)
      expect(await open.read(target, 2)).toBe(3)
      expect([...target]).toEqual([0, 0, 0x78, ...Array.from({ length: 7 }, () => 0xff)])
      expect(await open.read(target, 5)).toBe(0)
      expect(await open.read(target, 500)).toBe(0)
      await open.close()
    })

    test('a read fills one target after the other, and ends with the file', async () => {
      const file = await drive.create('a')
      await file.write(Buffer.from('0123456789'), 0)
      await file.close()
      const open = await drive.open('a')
      const read = async (lengths: readonly number[], position: number): Promise<unknown[]> => {
        const targets = lengths.map((length) => Buffer.alloc(length, '.'))
        return [await open.readInto(targets, position), ...targets.map(String)]
      }
      expect(await read([2, 3, 1], 1)).toEqual([6, '12', '345', '6'])
      expect(await read([2, 3, 4], 4)).toEqual([6, '45', '678', '9...'])
      expect(await read([6, 3], 4)).toEqual([6, '456789', '...'])
      expect(await read([1, 1], 10)).toEqual([0, '.', '.'])
      await open.close()
    })

    test('a record that is written and synced in one step is there', async () => {
      const file = await drive.create('a')
      await file.writeSynced(Buffer.from('first, '), 0)
      await file.writeSynced(Buffer.from('second'), 7)
      await file.close()
      expect((await contentOf(drive, 'a')).toString()).toBe('first, second')
    })

    test('large and concurrent writes all arrive', async () => {
      const file = await drive.create('large')
      const blocks = Array.from({ length: 20 }, (_, i) => Buffer.alloc(256 * KiB + 1, i))
      await Promise.all(blocks.map((block, i) => file.write(block, i * block.length)))
      await file.sync()
      await file.close()
      expect((await contentOf(drive, 'large')).equals(Buffer.concat(blocks))).toBe(true)
    })

    test('an open file keeps its bytes when it is removed', async () => {
      const file = await drive.create('a')
      await file.write(Buffer.from('still here'), 0)
      await file.close()
      const open = await drive.open('a')
      await drive.remove('a')
      expect(await codeOf(drive.open('a'))).toBe('NotFound')
      const target = Buffer.alloc(10)
      await open.read(target, 0)
      expect(target.toString()).toBe('still here')
      await open.close()
    })

    test('directories list what is in them', async () => {
      await drive.createDirectory('d')
      await drive.createDirectory('d/e')
      await (await drive.create('d/e/f')).close()
      await (await drive.create('d/g')).close()
      await drive.syncDirectory('d')
      expect((await drive.list('d')).toSorted()).toEqual(['e', 'g'])
      expect(await drive.list('d/e')).toEqual(['f'])
      expect(await drive.list('')).toEqual(['d'])
      await drive.remove('d/e/f')
      expect(await drive.list('d/e')).toEqual([])
    })

    test('a renamed file replaces what was there, under its new name alone', async () => {
      await drive.createDirectory('d')
      for (const [path, text] of [['d/old', 'old'], ['d/new', 'newer']] as const) {
        const file = await drive.create(path)
        await file.write(Buffer.from(text), 0)
        await file.sync()
        await file.close()
      }
      const open = await drive.open('d/old')
      await drive.rename('d/new', 'd/old')
      await drive.syncDirectory('d')
      expect(await drive.list('d')).toEqual(['old'])
      expect((await contentOf(drive, 'd/old')).toString()).toBe('newer')
      const target = Buffer.alloc(3)
      await open.read(target, 0)
      expect(target.toString()).toBe('old')
      await open.close()
    })

    test('says how much space there is', async () => {
      const { totalBytes, freeBytes } = await drive.space()
      expect(freeBytes).toBeGreaterThan(0)
      expect(totalBytes).toBeGreaterThanOrEqual(freeBytes)
    })

    test('names the reason of a failure', async () => {
      await drive.createDirectory('d')
      await (await drive.create('f')).close()
      const failures: Record<DriveErrorCode, (() => Promise<unknown>)[]> = {
        Exists: [() => drive.create('f'), () => drive.createDirectory('d'), () => drive.createDirectory('f'), () => drive.create('d')],
        NotFound: [
          () => drive.open('none'),
          () => drive.remove('none'),
          () => drive.list('none'),
          () => drive.sizeOf('none'),
          () => drive.syncDirectory('none'),
          () => drive.rename('none', 'f'),
          () => drive.create('none/f'),
          () => drive.createDirectory('none/d'),
          () => drive.create('f/below'),
        ],
        Full: [],
        Io: [],
      }
      for (const [code, operations] of Object.entries(failures)) {
        for (const operation of operations) expect(await codeOf(operation())).toBe(code)
      }
    })
  })
}

async function contentOf(drive: Drive, path: string): Promise<Buffer> {
  const target = Buffer.alloc(await drive.sizeOf(path))
  const file = await drive.open(path)
  expect(await file.read(target, 0)).toBe(target.length)
  await file.close()
  return target
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    if (error instanceof DriveError) return error.code
    throw error
  }
}
