import type { Problem, Tree } from './tree.ts'

const lockPath = 'package-lock.json'

/**
 * The lock file has every package that another names as optional, for all platforms: npm leaves out
 * one it could not find when it wrote the file, and then refuses to install from it (`npm ci`).
 */
export function completeLock(tree: Tree): Problem[] {
  const lock = JSON.parse(tree.files.get(lockPath) ?? '{}') as { packages?: Record<string, { optionalDependencies?: Record<string, string> }> }
  const packages = Object.entries(lock.packages ?? {})
  const locked = new Set(packages.map(([path]) => path.split('node_modules/').at(-1)))
  return packages.flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !locked.has(name))
      .map(([name, version]) => ({ path: lockPath, line: 0, message: `${path} names ${name}@${version}, which is not locked: npm ci will fail` })),
  )
}
