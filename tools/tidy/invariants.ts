import { architecturePage } from './import-direction.ts'
import { type Problem, type Tree, lineAt } from './tree.ts'

const heading = '## Invariants'

/**
 * The invariants of the architecture page are numbered 1, 2, 3…, and each names what holds it after
 * "Held by": a file, `file › part of a test's title`, or an npm script (`npm run lint`).
 */
export function invariants(tree: Tree): Problem[] {
  const page = tree.files.get(architecturePage) ?? ''
  const start = page.indexOf(heading)
  if (start === -1) return [{ path: architecturePage, line: 0, message: `no section "${heading}"` }]
  const section = page.slice(start).split(/\n## /)[0] ?? ''
  const items = [...section.matchAll(/^(\d+)\. ([\s\S]*?)(?=\n\d+\. |\n*$(?![\s\S]))/gm)]
  if (items.length === 0) return [{ path: architecturePage, line: lineAt(page, start), message: 'no numbered invariant' }]
  return items.flatMap((item, index) => {
    const line = lineAt(page, start + item.index)
    const problem = (message: string): Problem => ({ path: architecturePage, line, message: `invariant ${item[1]}: ${message}` })
    const misnumbered = Number(item[1]) === index + 1 ? [] : [problem(`expected number ${index + 1}`)]
    const holders = [...((item[2] ?? '').split('Held by')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
    if (holders.length === 0) return [...misnumbered, problem('names nothing that holds it ("Held by `…`")')]
    return [...misnumbered, ...holders.flatMap((holder) => (holds(tree, holder) ? [] : [problem(`there is no ${holder}`)]))]
  })
}

function holds(tree: Tree, holder: string): boolean {
  const script = /^npm (?:run )?([\w:-]+)/.exec(holder)?.[1]
  if (script !== undefined) return Object.hasOwn(scriptsOf(tree), script)
  const [path = '', title] = holder.split(' › ')
  const text = tree.files.get(path)
  return text !== undefined && (title === undefined || text.includes(title))
}

function scriptsOf(tree: Tree): Record<string, string> {
  const manifest = JSON.parse(tree.files.get('package.json') ?? '{}') as { scripts?: Record<string, string> }
  return manifest.scripts ?? {}
}
