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
