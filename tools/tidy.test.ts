import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const tidyPath = join(import.meta.dirname, 'tidy.ts')
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'moraine-tidy-'))
  execFileSync('git', ['init', '--quiet'], { cwd: root })
  write('package.json', '{"scripts":{"lint":"true"}}')
  write('docs/dependencies.md', '')
  write('docs/ARCHITECTURE.md', '## Who may import whom\n\n| `base` | | |\n\n## Invariants\n\n1. One. Held by `npm run lint`.\n')
})

afterEach(() => rmSync(root, { recursive: true }))

describe('npm run tidy', () => {
  it('exits 0 on a tidy checkout, without looking at ignored files', () => {
    write('.gitignore', 'ignored/\n')
    write('ignored/a.ts', "import 'x'")
    expect(tidy()).toEqual({ status: 0, problems: [] })
  })

  it('names the place and the rule, and exits 1', () => {
    write('base/a.test.ts', "import { x } from 'fastify'\n")
    expect(tidy()).toEqual({
      status: 1,
      problems: ['base/a.test.ts:1: base may not import the package fastify (docs/ARCHITECTURE.md, "Who may import whom") [importDirection]'],
    })
  })

  it('leaves links and binary files alone', () => {
    writeFileSync(join(root, 'image.png'), Buffer.from([0, 1, 2]))
    symlinkSync('image.png', join(root, 'link.png'))
    expect(tidy().status).toBe(0)
  })
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function tidy(): { status: number | null; problems: string[] } {
  const { status, stdout } = spawnSync(process.execPath, [tidyPath], { cwd: root, encoding: 'utf8' })
  return { status, problems: stdout.trim().split('\n').slice(0, -1) }
}
