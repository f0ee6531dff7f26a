/** The configuration blocks of `docs/clients.md`, so that suites can hold themselves to what users copy. */
import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../docs/clients.md', import.meta.url), 'utf8')

/** The first code block of `language` under `## heading`. Throws when there is none. */
export function documented(heading: string, language: string): string {
  const section = page.split(/^## /m).find(text => text.startsWith(`${heading}\n`))
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(section ?? '')?.[1]
  if (block === undefined) throw new Error(`no ${language} block under ${heading}`)
  return block
}

/** Whether `source` has the block's lines, in order and indented as it likes, with `endpoint` for the documented address. */
export function holds(source: string, block: string, endpoint: string): boolean {
  const normalize = (text: string) => text.replaceAll(/\s+/g, ' ').trim()
  return normalize(source).includes(normalize(block).replaceAll(/["'](http:\/\/)?127\.0\.0\.1:9000["']/g, () => endpoint))
}
