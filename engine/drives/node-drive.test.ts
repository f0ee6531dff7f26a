import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { describeDrive } from './drive-suite.ts'
import { makeDirectoryDurably, NodeDrive } from './node-drive.ts'

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
