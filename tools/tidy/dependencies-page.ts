import { type Problem, type Tree, lineAt } from './tree.ts'

export const dependenciesPage = 'docs/dependencies.md'

/** Each package in package.json has one row in the dependencies page, and each row its package. */
export function dependencyRows(tree: Tree): Problem[] {
  const manifest = JSON.parse(tree.files.get('package.json') ?? '{}') as Record<string, Record<string, string> | undefined>
  const page = tree.files.get(dependenciesPage) ?? ''
  const wanted = new Set(['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) => Object.keys(manifest[group] ?? {})))
  const rows = [...page.matchAll(/^\| (.+?) \|/gm)].flatMap((row) =>
    [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((name) => ({ name: name[1] ?? '', line: lineAt(page, row.index) })),
  )
  const listed = new Set(rows.map(({ name }) => name))
  return [
    ...[...wanted].filter((name) => !listed.has(name)).map((name) => ({ path: dependenciesPage, line: 0, message: `no row for ${name}` })),
    ...rows.filter(({ name }) => !wanted.has(name)).map(({ name, line }) => ({ path: dependenciesPage, line, message: `${name} is not in package.json` })),
    ...rows
      .filter(({ name, line }) => rows.some((other) => other.name === name && other.line < line))
      .map(({ name, line }) => ({ path: dependenciesPage, line, message: `${name} has a row already` })),
  ]
}
