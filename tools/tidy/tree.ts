import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type SourceFacts, readSourceFacts } from './source-facts.ts'

/** Everything the rules look at: a plain value, so that a rule is a pure function over it. */
export interface Tree {
  /** Path from the root to text, of every file that is or will be committed; binary files have no text. */
  readonly files: ReadonlyMap<string, string>
  /** What the compiler's parser says of each `.ts` file. */
  readonly sources: ReadonlyMap<string, SourceFacts>
}

/** `line` counts from 1; 0 means the file as a whole. */
export interface Problem {
  readonly path: string
  readonly line: number
  readonly message: string
}

export type Rule = (tree: Tree) => Problem[]

const textBytesLimit = 2 * 1024 * 1024

/** The tree of a git checkout: tracked files and new ones that are not ignored, as they are on disk. */
export function readTree(root: string): Tree {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  const files = new Map<string, string>()
  for (const path of new Set(listed.split('\0'))) {
    const absolute = join(root, path)
    if (path === '' || !existsSync(absolute) || !statSync(absolute).isFile()) continue
    files.set(path, textOf(readFileSync(absolute)))
  }
  return treeOf(files)
}

export function treeOf(files: ReadonlyMap<string, string>): Tree {
  return { files, sources: readSourceFacts(new Map([...files].filter(([path]) => path.endsWith('.ts')))) }
}

function textOf(bytes: Buffer): string {
  return bytes.length > textBytesLimit || bytes.includes(0) ? '' : bytes.toString('utf8')
}

/** Line number (from 1) of the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
