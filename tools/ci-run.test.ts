import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = join(import.meta.dirname, '..', '.ci', 'run')
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'moraine-ci-'))
  mkdirSync(join(root, 'bin'))
  cpSync(script, join(root, '.ci', 'run'), { recursive: true })
  for (const name of ['python3', 'java', 'mvn']) program(name, 'exit 0')
})

afterEach(() => rmSync(root, { recursive: true }))

describe('.ci/run', () => {
  const green = {
    ci: 'echo added 9 packages',
    test: 'echo 40 passed, 0 failed, 1 skipped',
    list: 'echo sdk-js; echo spark',
    'sdk-js': 'echo 5 passed, 0 failed; echo noise',
    spark: 'echo 3 passed, 0 failed',
    'test:clone': 'echo 5 passed, 0 failed',
  }

  it('adds up its parts and closes with their sum', () => {
    const { status, lines } = run(green)
    expect(lines.at(-1)).toBe('53 passed, 0 failed')
    expect(lines.filter((line) => line.startsWith('== '))).toHaveLength(6)
    expect(status).toBe(0)
  })

  it.each([
    ['a failed test', { spark: 'echo 2 passed, 1 failed; exit 1' }, '52 passed, 1 failed'],
    ['a crash after all tests passed', { spark: 'echo 3 passed, 0 failed; exit 7' }, '53 passed, 1 failed'],
    ['a part that ran no test', { spark: 'echo nothing to do' }, '50 passed, 1 failed'],
    ['a part that counts none', { spark: 'echo 0 passed, 0 failed' }, '50 passed, 1 failed'],
    ['no engine at all', { list: 'exit 1' }, '45 passed, 1 failed'],
    ['a failed installation, and stops there', { ci: 'exit 1' }, '0 passed, 1 failed'],
  ])('fails on %s', (_, change, closing) => {
    const { status, lines } = run({ ...green, ...change })
    expect(lines.at(-1)).toBe(closing)
    expect(status).toBe(1)
  })

  it('tells at its end what failed, though other parts ran since', () => {
    const spark = 'echo early; echo "Failed Tests 1"; echo a table was lost; echo 2 passed, 1 failed; exit 1'
    const { lines } = run({ ...green, spark })
    const again = lines.slice(lines.indexOf('== spark failed'))
    expect(again).toContain('a table was lost')
    expect(again).not.toContain('early')
    expect(run(green).lines.filter((line) => line.endsWith(' failed') && line.startsWith('=='))).toEqual([])
  })

  it('ends a part at its deadline, and says which', () => {
    const { status, lines } = run({ ...green, test: 'sleep 60 & sleep 60' }, { CI_BUDGET_SECONDS: '2' })
    expect(lines.at(-1)).toBe('0 passed, 4 failed')
    expect(lines.find((line) => line.startsWith('test '))).toMatch(/FAILED: over its deadline of [12] s/)
    expect(status).toBe(1)
  })
})

function program(name: string, text: string): void {
  const path = join(root, 'bin', name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}

/** Runs a copy of the script with an `npm` that does as `answers` says, by the last word it is given. */
function run(answers: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): { status: number | null; lines: string[] } {
  const cases = Object.entries(answers).map(([name, text]) => `${name}) ${text} ;;`)
  program('npm', `for word; do case $word in --list) last=list ;; -*) ;; *) last=$word ;; esac; done\ncase $last in\n${cases.join('\n')}\n*) exit 9 ;;\nesac`)
  const path = `${join(root, 'bin')}:${process.env['PATH']}`
  const { status, stdout } = spawnSync('bash', [join(root, '.ci', 'run')], { encoding: 'utf8', env: { ...process.env, ...env, PATH: path } })
  return { status, lines: stdout.trim().split('\n') }
}
