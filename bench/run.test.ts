import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, 'run.ts')

// What it measures is not asserted: only that every operation runs, without an error, and is printed.
test('every operation runs against a server of its own', { timeout: 180_000 }, async () => {
  const args = ['--seconds', '0.3', '--warm-up', '0.1', '--rounds', '1', '--objects', '20', '--concurrency', '4', '--moraine', '--ceiling']
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
  const rows = stdout.split('\n').filter(line => line.includes('/s  '))
  expect(rows.map(row => row.slice(0, 6).trim())).toEqual(['PUT', 'PUT', 'GET', 'HEAD', 'HEAD', 'LIST', 'LIST', 'DELETE', 'DELETE', 'MIXED', 'MIXED'])
  expect(stdout).not.toContain('errors')
})
