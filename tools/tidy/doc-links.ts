import { posix } from 'node:path'
import { type Problem, type Tree, lineAt } from './tree.ts'

const repositoryPath = /^(?:base|engine|catalog|src|console|iceberg-fixtures|integration|bench|docs|tools|deploy|\.ci)\/[\w@./-]+$/

/** Links in Markdown, paths in its inline code, and pages named in source comments lead to something that exists. */
export function docLinks(tree: Tree): Problem[] {
  const directories = new Set([...tree.files.keys()].flatMap(parentsOf))
  const exists = (path: string): boolean => tree.files.has(path) || directories.has(path.replace(/\/$/, ''))
  return [...tree.files].flatMap(([path, text]) => {
    if (path.endsWith('.md')) return [...brokenLinks(tree, exists, path, text), ...missingPaths(exists, path, text)]
    return path.endsWith('.ts') ? missingPages(exists, path, text) : []
  })
}

function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) parents.push(at)
  return parents
}

function brokenLinks(tree: Tree, exists: (path: string) => boolean, path: string, text: string): Problem[] {
  const prose = withoutCode(text)
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const link = match[1] ?? ''
    if (/^[a-z]+:/.test(link)) return []
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), file))
    const line = lineAt(text, match.index)
    if (!exists(target)) return [{ path, line, message: `the link ${link} leads nowhere` }]
    if (anchor === undefined || anchorsOf(tree.files.get(target) ?? '').has(anchor)) return []
    return [{ path, line, message: `${target} has no heading #${anchor}` }]
  })
}

function missingPaths(exists: (path: string) => boolean, path: string, text: string): Problem[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, blank)
  return [...prose.matchAll(/`([^`\n]+)`/g)].flatMap((match) => {
    const name = match[1] ?? ''
    return !repositoryPath.test(name) || exists(name) ? [] : [{ path, line: lineAt(text, match.index), message: `there is no ${name}` }]
  })
}

function missingPages(exists: (path: string) => boolean, path: string, text: string): Problem[] {
  if (path.endsWith('.test.ts')) return []
  return [...text.matchAll(/\bdocs\/[\w./-]+\.md\b/g)].flatMap((match) =>
    exists(match[0]) ? [] : [{ path, line: lineAt(text, match.index), message: `there is no ${match[0]}` }],
  )
}

/** Code blocks and inline code blanked out, lines kept. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, blank).replaceAll(/`[^`\n]*`/g, blank)
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ')
}

/** Anchors as a forge makes them of headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '')
  return new Set(headings.map((heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-')))
}
