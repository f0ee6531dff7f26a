import { posix } from 'node:path'
import type { Problem, Tree } from './tree.ts'

const entryPoints = ['vitest.config.ts', 'src/main.ts']

/**
 * Every TypeScript file is a program, a test, or used by a file other than its own test: imported, or
 * named in a literal (`new URL('./worker.ts', import.meta.url)`). A program is named in package.json
 * or `.ci/run`, or its own docstring or a page tells to run it: `node PATH`.
 */
export function deadFiles(tree: Tree): Problem[] {
  const used = new Set(entryPoints)
  for (const [path, { imports, literals }] of tree.sources) {
    for (const name of [...imports.map(({ specifier }) => specifier), ...literals]) {
      if (!name.endsWith('.ts')) continue
      for (const target of targetsOf(tree, path, name)) if (target !== path && path !== ownTestOf(target)) used.add(target)
    }
  }
  const pages = [...tree.files].filter(([path]) => path.endsWith('.md')).map(([, text]) => text)
  const scripts = [tree.files.get('package.json'), tree.files.get('.ci/run')].join('\n')
  const isProgram = (path: string): boolean =>
    scripts.includes(path) || [tree.files.get(path) ?? '', ...pages].some((text) => text.includes(`node ${path}`))
  return [...tree.sources.keys()]
    .filter((path) => !path.endsWith('.test.ts') && !path.endsWith('.d.ts') && !used.has(path) && !isProgram(path))
    .map((path) => ({ path, line: 0, message: 'no other file uses it' }))
}

function ownTestOf(path: string): string {
  return path.replace(/\.ts$/, '.test.ts')
}

/**
 * Files that a name in `from` can mean, relative to that file or to the root; `*` stands for any text,
 * and a bare name for a file below (`join(import.meta.dirname, 'load', 'generator.ts')`).
 */
function targetsOf(tree: Tree, from: string, name: string): string[] {
  if (!name.includes('/')) return [...tree.sources.keys()].filter((path) => path.startsWith(`${posix.dirname(from)}/`) && path.endsWith(`/${name}`))
  const candidates = [posix.normalize(posix.join(posix.dirname(from), name)), posix.normalize(name)]
  if (!name.includes('*')) return candidates.filter((path) => tree.sources.has(path))
  const patterns = candidates.map((path) => new RegExp(`^${path.split('*').map((part) => RegExp.escape(part)).join('.+')}$`))
  return [...tree.sources.keys()].filter((path) => patterns.some((pattern) => pattern.test(path)))
}
