import { posix } from 'node:path'
import type { Problem, Tree } from './tree.ts'

const entryPoints = ['vitest.config.ts', 'src/main.ts']

/**
 * Every TypeScript file is an entry point, a test, or used by a file other than its own test: imported,
 * or named in a literal (`new URL('./worker.ts', import.meta.url)`), a script of package.json or `.ci/run`.
 */
export function deadFiles(tree: Tree): Problem[] {
  const used = new Set(entryPoints)
  for (const [path, { imports, literals }] of tree.sources) {
    for (const name of [...imports.map(({ specifier }) => specifier), ...literals]) {
      if (!name.endsWith('.ts')) continue
      for (const target of targetsOf(tree, path, name)) if (target !== path && path !== ownTestOf(target)) used.add(target)
    }
  }
  const scripts = `${tree.files.get('package.json') ?? ''}\n${tree.files.get('.ci/run') ?? ''}`
  return [...tree.sources.keys()]
    .filter((path) => !path.endsWith('.test.ts') && !path.endsWith('.d.ts') && !used.has(path) && !scripts.includes(path))
    .map((path) => ({ path, line: 0, message: 'no other file uses it' }))
}

function ownTestOf(path: string): string {
  return path.replace(/\.ts$/, '.test.ts')
}

/** Files that a name in `from` can mean, relative to that file or to the root; `*` stands for any text. */
function targetsOf(tree: Tree, from: string, name: string): string[] {
  const candidates = [posix.normalize(posix.join(posix.dirname(from), name)), posix.normalize(name)]
  if (!name.includes('*')) return candidates.filter((path) => tree.sources.has(path))
  const patterns = candidates.map((path) => new RegExp(`^${path.split('*').map((part) => RegExp.escape(part)).join('.+')}$`))
  return [...tree.sources.keys()].filter((path) => patterns.some((pattern) => pattern.test(path)))
}
