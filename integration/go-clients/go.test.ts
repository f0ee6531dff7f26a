/** Runs the Go tests beside it once, and is a test for each of theirs. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { documented, holds } from '../documented.ts'

interface TestEvent {
  readonly Action: string
  readonly Test?: string
  readonly Output?: string
}

const here = import.meta.dirname
const done = spawnSync('go', ['test', '-count=1', '-json', './...'], { cwd: here, encoding: 'utf8', maxBuffer: 1 << 26, timeout: 200_000 })
const events = done.stdout.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line) as TestEvent)
const outcomes = new Map(events.flatMap(({ Action, Test }) => (Test !== undefined && /^(pass|fail|skip)$/.test(Action) ? [[Test, Action] as const] : [])))

test('the Go tests are built and run', () => {
  expect(outcomes.size, done.stdout + done.stderr).toBeGreaterThan(0)
})

test.each([...outcomes])('%s', (name, outcome) => {
  expect(outcome, events.filter(event => event.Test === name).map(({ Output }) => Output ?? '').join('')).toBe('pass')
})

test.each([
  ['AWS SDK for Go', 'awssdk_test.go', 'endpoint'],
  ['minio-go', 'minio_test.go', 'strings.TrimPrefix(endpoint, "http://")'],
])('the settings documented for %s are those of %s', (heading, file, endpoint) => {
  expect(holds(readFileSync(join(here, file), 'utf8'), documented(heading, 'go'), endpoint)).toBe(true)
})
