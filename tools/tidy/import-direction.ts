import { posix } from 'node:path'
import { type Problem, type Tree, lineAt } from './tree.ts'

export const architecturePage = 'docs/ARCHITECTURE.md'
const tableHeading = '## Who may import whom'
/** What tests and port suites may import on top of their folder's row, besides other folders' suites. */
const testPackages = ['vitest', 'fast-check']

/** One row of the table: `units` each import themselves, and what `folders` and `packages` name. */
interface ImportRow {
  readonly units: readonly string[]
  readonly folders: readonly string[]
  readonly packages: readonly string[]
}

/**
 * Every import goes the way the table in the architecture page allows. A name of a folder covers all
 * below it, a file only itself, `*` everything; the longest unit that covers a file is its row.
 */
export function importDirection(tree: Tree): Problem[] {
  const page = tree.files.get(architecturePage) ?? ''
  const rows = readImportTable(page)
  if (rows.length === 0) return [{ path: architecturePage, line: lineAt(page, page.indexOf(tableHeading)), message: `no import table under "${tableHeading}"` }]
  return [...tree.sources].flatMap(([path, { imports }]) => {
    const row = rowOf(rows, path)
    if (row === undefined) return [{ path, line: 0, message: `no row of the import table in ${architecturePage} covers this file` }]
    return imports.flatMap(({ specifier, line }) => {
      const reason = refusal(row, path, specifier, tree)
      return reason === undefined ? [] : [{ path, line, message: `${reason} (${architecturePage}, "${tableHeading.slice(3)}")` }]
    })
  })
}

export function readImportTable(page: string): ImportRow[] {
  const start = page.indexOf(tableHeading)
  if (start === -1) return []
  const section = page.slice(start + tableHeading.length).split('\n## ')[0] ?? ''
  const cells = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1).map(namesIn))
  return cells
    .filter(([units]) => units !== undefined && units.length > 0)
    .map(([units = [], folders = [], packages = []]) => ({ units, folders, packages }))
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
}

function covers(unit: string, path: string): boolean {
  return unit === '*' || unit === path || path.startsWith(`${unit}/`)
}

function rowOf(rows: readonly ImportRow[], path: string): { readonly unit: string; readonly row: ImportRow } | undefined {
  return rows
    .flatMap((row) => row.units.filter((unit) => covers(unit, path)).map((unit) => ({ unit, row })))
    .toSorted((a, b) => b.unit.length - a.unit.length)[0]
}

function refusal(at: { readonly unit: string; readonly row: ImportRow }, path: string, specifier: string, tree: Tree): string | undefined {
  const isTest = path.endsWith('.test.ts') || path.endsWith('-suite.ts')
  if (!specifier.startsWith('.')) {
    const allowed = isTest ? [...at.row.packages, ...testPackages, 'node:*'] : at.row.packages
    return allowed.some((pattern) => matchesPackage(pattern, specifier)) ? undefined : `${at.unit} may not import the package ${specifier}`
  }
  const target = posix.normalize(posix.join(posix.dirname(path), specifier))
  if (!tree.files.has(target)) return `${specifier} is not a committed file`
  if (covers(at.unit, target) || at.row.folders.some((folder) => covers(folder, target))) return undefined
  if (isTest && target.endsWith('-suite.ts')) return undefined
  return `${at.unit} may not import ${target}`
}

function matchesPackage(pattern: string, specifier: string): boolean {
  if (pattern === '*') return true
  if (pattern.endsWith('*')) return specifier.startsWith(pattern.slice(0, -1))
  return specifier === pattern || specifier.startsWith(`${pattern}/`)
}
