import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { describeDrive } from './drive-suite.ts'
import { makeDirectoryDurably, NodeDrive } from './node-drive.ts'
import { KiB } from '../../base/units.ts'
import { beginsPage, pageBuffer, pageBytes } from './page-memory.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-drive-'))
afterAll(() => rmSync(root, { recursive: true }))

let opened = 0
describeDrive('NodeDrive', async () => {
  const directory = join(root, String(opened++))
  mkdirSync(directory)
  return new NodeDrive(directory)
})

test('makeDirectoryDurably makes what is missing, and nothing when all is there', () => {
  const directory = join(root, 'x/y/z')
  makeDirectoryDurably(directory)
  makeDirectoryDurably(directory)
  expect(existsSync(directory)).toBe(true)
})

test('large writes from page memory, and what is left of their last page, make one file', async () => {
  const directory = join(root, 'pages')
  mkdirSync(directory)
  const file = await new NodeDrive(directory).create('file')
  const first = pageBuffer(512 * KiB)
  randomBytes(first.length).copy(first)
  const second = pageBuffer(300 * KiB + 5)
  randomBytes(second.length).copy(second)
  const inner = second.subarray(1, 270 * KiB)
  expect([first, second, second.subarray(pageBytes), inner, Buffer.alloc(pageBytes)].map(beginsPage)).toEqual([true, true, true, false, false])
  await Promise.all([file.write(first, 0), file.write(second, first.length)])
  await file.write(inner, first.length + second.length)
  await file.sync()
  await file.close()
  expect(readFileSync(join(directory, 'file')).equals(Buffer.concat([first, second, inner]))).toBe(true)
})

test('records that are synced from page memory, from other memory, and of less than a page make one file', async () => {
  const directory = join(root, 'records')
  mkdirSync(directory)
  const file = await new NodeDrive(directory).create('file')
  await file.write(Buffer.alloc(64 * KiB), 0)
  await file.sync()
  const paged = pageBuffer(16 * KiB)
  const other = Buffer.alloc(8 * KiB)
  const short = pageBuffer(100)
  for (const bytes of [paged, other, short]) randomBytes(bytes.length).copy(bytes)
  await file.writeSynced(paged, 0)
  await file.writeSynced(other, 16 * KiB)
  await file.writeSynced(paged, 24 * KiB)
  await file.writeSynced(short, 40 * KiB)
  // Over what went past the page cache, which must not give back what it held.
  await file.writeSynced(paged, 16 * KiB)
  await file.close()
  const stored = readFileSync(join(directory, 'file'))
  expect(stored.length).toBe(64 * KiB)
  expect(stored.subarray(0, 32 * KiB).equals(Buffer.concat([paged, paged]))).toBe(true)
  expect(stored.subarray(32 * KiB, 40 * KiB).equals(paged.subarray(8 * KiB))).toBe(true)
  expect(stored.subarray(40 * KiB, 40 * KiB + short.length).equals(short)).toBe(true)
  expect(stored.subarray(40 * KiB + short.length).every(byte => byte === 0)).toBe(true)
})
