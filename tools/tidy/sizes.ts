import type { Problem, Tree } from './tree.ts'

export const ratchetPath = 'tools/tidy-ratchet.json'
const fileLinesLimit = 500
const functionLinesLimit = 70
const code = /\.(ts|mjs|cjs|js|py|java|sh)$/

/**
 * Files of at most 500 lines, functions of at most 70. What is longer stands in the ratchet with its
 * exact length, `path` or `path#function`: it may shrink, never grow, and leaves the list when it fits.
 */
export function sizes(tree: Tree): Problem[] {
  const ratchet = new Map<string, number>(Object.entries(JSON.parse(tree.files.get(ratchetPath) ?? '{}') as Record<string, number>))
  const measured = [...measureFiles(tree), ...measureFunctions(tree)]
  const tooLong = measured.filter(({ lines, limit }) => lines > limit)
  const problems = tooLong.flatMap((piece): Problem[] => {
    const allowed = ratchet.get(piece.name)
    if (allowed === piece.lines) return []
    const { path, line, lines, limit } = piece
    if (allowed === undefined) return [{ path, line, message: `${piece.name} has ${lines} lines, the limit is ${limit}` }]
    if (lines > allowed) return [{ path, line, message: `${piece.name} grew from ${allowed} to ${lines} lines` }]
    return [{ path: ratchetPath, line: 0, message: `${piece.name} shrank to ${lines} lines: write that down` }]
  })
  const names = new Set(tooLong.map(({ name }) => name))
  const stale = [...ratchet.keys()].filter((name) => !names.has(name))
  return [...problems, ...stale.map((name) => ({ path: ratchetPath, line: 0, message: `${name} is within its limit or gone: remove its line` }))]
}

interface Piece {
  readonly name: string
  readonly path: string
  readonly line: number
  readonly lines: number
  readonly limit: number
}

function measureFiles(tree: Tree): Piece[] {
  return [...tree.files]
    .filter(([path]) => code.test(path))
    .map(([path, text]) => ({ name: path, path, line: 0, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), limit: fileLinesLimit }))
}

function measureFunctions(tree: Tree): Piece[] {
  return [...tree.sources].flatMap(([path, { functions }]) =>
    functions
      .filter(({ declaresTests }) => !declaresTests)
      .map(({ name, line, lines }) => ({ name: `${path}#${name}`, path, line, lines, limit: functionLinesLimit })),
  )
}
