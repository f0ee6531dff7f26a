import { describe, expect, it } from 'vitest'
import { deadFiles } from './dead-files.ts'
import { dependencyRows } from './dependencies-page.ts'
import { docLinks } from './doc-links.ts'
import { importDirection } from './import-direction.ts'
import { invariants } from './invariants.ts'
import { completeLock } from './lock-file.ts'
import { sizes } from './sizes.ts'
import { barrels, foreignPlaceNames, leftovers, suppressions, wallClock } from './source-text.ts'
import { type Rule, treeOf } from './tree.ts'

/** What `rule` says of a tree of these files, as `path:line message`. */
function judge(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule(treeOf(new Map(Object.entries(files)))).map(({ path, line, message }) => `${path}:${line} ${message}`)
}

const table = `# Architecture

## Who may import whom

| from | may import | and packages |
|---|---|---|
| \`base\` | | \`node:*\` |
| \`engine\` | \`base\` | \`node:*\`, \`lmdb\` |
| \`src/s3\`, \`src/iceberg\` | \`base\`, \`engine/index.ts\`, \`src/wire\` | \`*\` |
| \`src/wire\` | \`base\` | \`*\` |
| \`src/main.ts\` | \`*\` | \`*\` |

## Next
`

describe('importDirection', () => {
  const page = { 'docs/ARCHITECTURE.md': table }
  const inner = { 'engine/store-suite.ts': '', 'engine/inner.ts': 'export const inner = 1', 'engine/index.ts': 'export const door = 1', 'base/a.ts': 'export const a = 1' }

  it('lets imports go down and through the door', () => {
    const files = {
      ...page,
      ...inner,
      'engine/other.ts': "import { a } from '../base/a.ts'\nimport { open } from 'lmdb'\nimport { inner } from './inner.ts'",
      'src/s3/put.ts': "import { door } from '../../engine/index.ts'\nimport fastify from 'fastify'",
      'src/main.ts': "import { inner } from '../engine/inner.ts'",
      'engine/inner.test.ts': "import { it } from 'vitest'\nimport fc from 'fast-check'",
      'engine/store-suite.ts': 'export const suite = 1',
      'src/s3/store.test.ts': "import { suite } from '../../engine/store-suite.ts'",
    }
    expect(judge(importDirection, files)).toEqual([])
  })

  it.each([
    ['up', 'base/b.ts', "import { inner } from '../engine/inner.ts'", 'base may not import engine/inner.ts'],
    ['past the door', 'src/s3/put.ts', "import { inner } from '../../engine/inner.ts'", 'src/s3 may not import engine/inner.ts'],
    ['as a type', 'base/b.ts', "import type { inner } from '../engine/inner.ts'", 'base may not import engine/inner.ts'],
    ['when called', 'base/b.ts', "export const x = await import('../engine/inner.ts')", 'base may not import engine/inner.ts'],
    ['by re-export', 'base/b.ts', "export { inner } from '../engine/inner.ts'", 'base may not import engine/inner.ts'],
    ['of a package', 'engine/b.ts', "import fastify from 'fastify'", 'engine may not import the package fastify'],
    ['of a package whose name only begins alike', 'engine/b.ts', "import x from 'lmdb-store'", 'engine may not import the package lmdb-store'],
    ['of a suite outside tests', 'src/s3/put.ts', "import { suite } from '../../engine/store-suite.ts'", 'src/s3 may not import engine/store-suite.ts'],
    ['of nothing', 'base/b.ts', "import { x } from './gone.ts'", './gone.ts is not a committed file'],
  ])('refuses an import %s', (_, path, text, message) => {
    expect(judge(importDirection, { ...page, ...inner, [path]: text }).join()).toContain(`${path}:1 ${message}`)
  })

  it('keeps adapters of one row apart', () => {
    const files = { ...page, 'src/s3/a.ts': "import { b } from '../iceberg/b.ts'", 'src/iceberg/b.ts': 'export const b = 1' }
    expect(judge(importDirection, files).join()).toContain('src/s3 may not import src/iceberg/b.ts')
  })

  it('wants a row for every file, and a table', () => {
    expect(judge(importDirection, { ...page, 'elsewhere/a.ts': '' }).join()).toContain('elsewhere/a.ts:0 no row')
    expect(judge(importDirection, { 'docs/ARCHITECTURE.md': '# Nothing' }).join()).toContain('no import table')
  })
})

describe('sizes', () => {
  const longFunction = `export function long(): void {\n${'  void 0\n'.repeat(69)}}\n`
  const longFile = 'export {}\n'.repeat(501)
  const ratchet = (entries: Record<string, number>): Record<string, string> => ({ 'tools/tidy-ratchet.json': JSON.stringify(entries) })

  it('measures functions, whatever their strings, templates and comments hold', () => {
    const tricky = `export function long(): string {\n  // }\n  const a = '}' + \`}\${'}'}\`\n  const b = /[}"]/\n${'  void 0\n'.repeat(69)}  return a + b\n}\n`
    expect(judge(sizes, { 'base/a.ts': tricky })).toEqual(['base/a.ts:1 base/a.ts#long has 75 lines, the limit is 70'])
  })

  it('takes a method, an arrow function and a file for what they are', () => {
    const body = '{\n' + 'void 0\n'.repeat(69) + '}'
    const text = `export class A {\n  run(): void ${body}\n}\nexport const arrow = () => ${body}\n`
    expect(judge(sizes, { 'base/a.ts': text })).toEqual([
      'base/a.ts:2 base/a.ts#run has 71 lines, the limit is 70',
      'base/a.ts:74 base/a.ts#arrow has 71 lines, the limit is 70',
    ])
    expect(judge(sizes, { 'integration/a.py': longFile })).toEqual(['integration/a.py:0 integration/a.py has 501 lines, the limit is 500'])
  })

  it('lets a function of 70 lines, a file of 500 and a list of tests be', () => {
    const tests = `describe('x', () => {\n${"  it('y', () => {\n    void 0\n  })\n".repeat(40)}})\n`
    const fits = longFunction.replace('  void 0\n', '')
    expect(judge(sizes, { 'base/a.ts': fits, 'base/b.ts': longFile.replace('export {}\n', ''), 'base/a.test.ts': tests })).toEqual([])
  })

  it('holds the ratchet to the exact length', () => {
    const name = 'base/a.ts#long'
    expect(judge(sizes, { 'base/a.ts': longFunction, ...ratchet({ [name]: 71 }) })).toEqual([])
    expect(judge(sizes, { 'base/a.ts': longFunction, ...ratchet({ [name]: 70 }) }).join()).toContain('grew from 70 to 71')
    expect(judge(sizes, { 'base/a.ts': longFunction, ...ratchet({ [name]: 72 }) }).join()).toContain('shrank to 71')
    expect(judge(sizes, { 'base/a.ts': 'export {}', ...ratchet({ [name]: 71 }) }).join()).toContain('remove its line')
  })
})

describe('barrels', () => {
  it('lets only the doors re-export', () => {
    const text = "export { a } from './a.ts'\nexport * from './b.ts'\nexport const c = 1\n"
    expect(judge(barrels, { 'engine/index.ts': text, 'catalog/index.ts': text })).toEqual([])
    expect(judge(barrels, { 'engine/metadata/index.ts': text })).toHaveLength(2)
    expect(judge(barrels, { 'engine/a.ts': "export type { A } from './b.ts'" })).toHaveLength(1)
  })
})

describe('deadFiles', () => {
  it('finds a file that only its own test imports', () => {
    const files = { 'base/a.ts': 'export const a = 1', 'base/a.test.ts': "import { a } from './a.ts'" }
    expect(judge(deadFiles, files)).toEqual(['base/a.ts:0 no other file uses it'])
  })

  it('knows entry points, scripts, imports and names in literals', () => {
    const files = {
      'src/main.ts': "import './a.ts'\nnew URL('./worker.ts', import.meta.url)\nconst name = ''\nawait import(`./parts/${name}.ts`)\njoin(here, 'load', 'generator.ts')",
      'src/load/generator.ts': '',
      'bench/micro/a.ts': '/** `node bench/micro/a.ts` */',
      'bench/micro/b.ts': '',
      'docs/benchmarks.md': 'Run `node bench/micro/b.ts`.',
      'src/a.ts': '',
      'src/worker.ts': '',
      'src/parts/one.ts': '',
      'bench/run.ts': '',
      'integration/probe.ts': '',
      'package.json': '{"scripts":{"bench":"node bench/run.ts"}}',
      '.ci/run': 'node integration/probe.ts',
    }
    expect(judge(deadFiles, files)).toEqual([])
    expect(judge(deadFiles, { ...files, 'src/parts.ts': '', 'generator.ts': '', 'bench/micro/c.ts': '' })).toEqual([
      'src/parts.ts:0 no other file uses it',
      'generator.ts:0 no other file uses it',
      'bench/micro/c.ts:0 no other file uses it',
    ])
  })
})

describe('docLinks', () => {
  const target = { 'docs/errors.md': '# Errors\n\n## No such key\n' }

  it('follows links, anchors and paths in code', () => {
    const text = 'See [errors](docs/errors.md#no-such-key), [docs](docs), [web](https://example.com) and `docs/errors.md`.\n```\n[x](gone.md)\n```\n'
    expect(judge(docLinks, { ...target, 'README.md': text })).toEqual([])
  })

  it.each([
    ['a missing file', 'README.md', '\n[x](docs/gone.md)', 'README.md:2 the link docs/gone.md leads nowhere'],
    ['a missing heading', 'README.md', '[x](docs/errors.md#gone)', 'README.md:1 docs/errors.md has no heading #gone'],
    ['a missing path in code', 'README.md', 'the file `engine/gone.ts`', 'README.md:1 there is no engine/gone.ts'],
    ['a missing page in a comment', 'base/a.ts', '// see docs/gone.md', 'base/a.ts:1 there is no docs/gone.md'],
  ])('finds %s', (_, path, text, message) => {
    expect(judge(docLinks, { ...target, [path]: text })).toEqual([message])
  })
})

describe('invariants', () => {
  const files = { 'package.json': '{"scripts":{"lint":"x"}}', 'base/a.test.ts': "it('holds water', () => undefined)" }
  const page = (list: string): Record<string, string> => ({ ...files, 'docs/ARCHITECTURE.md': `# A\n\n## Invariants\n\n${list}\n\n## After\n\n9. not one\n` })

  it('accepts a file, a test by its title and a script', () => {
    const list = '1. One. Held by `base/a.test.ts`.\n2. Two,\n   long. Held by `base/a.test.ts › holds water` and `npm run lint`.'
    expect(judge(invariants, page(list))).toEqual([])
  })

  it.each([
    ['a missing test', '1. One. Held by `base/gone.test.ts`.', 'there is no base/gone.test.ts'],
    ['a missing title', '1. One. Held by `base/a.test.ts › holds wine`.', 'there is no base/a.test.ts › holds wine'],
    ['a missing script', '1. One. Held by `npm run gone`.', 'there is no npm run gone'],
    ['nothing that holds it', '1. One, `base/a.test.ts`.', 'names nothing that holds it'],
    ['a wrong number', '2. One. Held by `base/a.test.ts`.', 'expected number 1'],
  ])('finds %s', (_, list, message) => {
    expect(judge(invariants, page(list)).join()).toContain(message)
  })

  it('wants the list', () => {
    expect(judge(invariants, { 'docs/ARCHITECTURE.md': '# A' })).toHaveLength(1)
    expect(judge(invariants, page('none'))).toHaveLength(1)
  })
})

describe('dependencyRows', () => {
  const manifest = { 'package.json': '{"dependencies":{"a":"1"},"optionalDependencies":{"b":"1"}}' }

  it('ties packages and rows, both ways', () => {
    const page = '| package | does |\n|---|---|\n| `a` | x |\n| `b` | y |\n'
    expect(judge(dependencyRows, { ...manifest, 'docs/dependencies.md': page })).toEqual([])
    expect(judge(dependencyRows, { ...manifest, 'docs/dependencies.md': page.replace('b', 'c') }).map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'no row for b',
      'c is not in package.json',
    ])
    expect(judge(dependencyRows, { ...manifest, 'docs/dependencies.md': `${page}| \`a\` | again |\n` })).toHaveLength(1)
  })
})

describe('completeLock', () => {
  const lock = (...paths: string[]): Record<string, string> => {
    const packages = Object.fromEntries(paths.map((path) => [path, {}]))
    return { 'package-lock.json': JSON.stringify({ packages: { ...packages, 'node_modules/a': { optionalDependencies: { '@b/linux': '1' } } } }) }
  }

  it('finds a platform that is not locked', () => {
    expect(judge(completeLock, lock('node_modules/@b/linux'))).toEqual([])
    expect(judge(completeLock, lock('node_modules/a/node_modules/@b/linux'))).toEqual([])
    expect(judge(completeLock, lock('node_modules/@b/darwin'))).toEqual(['package-lock.json:0 node_modules/a names @b/linux@1, which is not locked: npm ci will fail'])
  })
})

describe('source text', () => {
  it('finds leftover markers, and not in longer words', () => {
    const marker = 'TO' + 'DO'
    expect(judge(leftovers, { 'base/a.ts': `\n// ${marker}: later`, 'README.md': `${marker}S x${marker}` })).toEqual([`base/a.ts:2 a leftover ${marker}`])
  })

  it('wants a reason beside a rule switched off', () => {
    const comment = '// oxlint-disable' + '-next-line no-console'
    expect(judge(suppressions, { 'base/a.ts': `${comment} -- the command line prints` })).toEqual([])
    expect(judge(suppressions, { 'base/a.ts': comment })).toHaveLength(1)
    expect(judge(suppressions, { 'base/a.ts': `${comment} --` })).toHaveLength(1)
  })

  it('keeps the wall clock out of the libraries', () => {
    const text = 'export const a = new Date(5)\nexport const b = new Date()\nexport const c = new Date'
    expect(judge(wallClock, { 'engine/a.ts': text, 'src/a.ts': text, 'engine/a.test.ts': text })).toHaveLength(2)
  })

  it("finds one machine's paths and registries", () => {
    const bad = ['cd /' + 'work/main', "'/" + "tmp/x'", 'https://regis' + 'try.npmjs.org/x', 'files.python' + 'hosted.org']
    for (const text of bad) expect(judge(foreignPlaceNames, { 'README.md': text }), text).toHaveLength(1)
    expect(judge(foreignPlaceNames, { 'integration/a/Cargo.lock': 'https://github.com/rust-lang/cra' + 'tes.io-index' })).toEqual([])
    expect(judge(foreignPlaceNames, { 'README.md': 'src/work/a ./tmp/b framework/c https://example.org/home' })).toEqual([])
  })
})
