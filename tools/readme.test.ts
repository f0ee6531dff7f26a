import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { engineSnippets } from '../src/cli/engine-settings.ts'
import { defaultPassword, defaultUser, settings } from '../src/config/settings.ts'

const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }))
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'))

describe('README.md', () => {
  const target = { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1', warehouse: 'lake', accessKeyId: defaultUser, secretAccessKey: defaultPassword }

  it.each(engineSnippets(target).map((snippet) => [snippet.engine, snippet.text]))('has the settings for %s that the server prints', (_, text) => {
    expect(blocks.some((block) => block.text.endsWith(`${text}\n`))).toBe(true)
  })

  it('begins with the two commands', () => {
    expect(commands.slice(0, 2)).toEqual(['npm ci', 'npm start'])
  })

  it('names only npm scripts that exist', () => {
    const names = [...readme.matchAll(/npm (?:run )?(start|test|(?<=run )[\w:-]+)/g)].map((match) => match[1] ?? '')
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(Object.keys(manifest.scripts)).toContain(name)
  })

  it('names only settings that exist', () => {
    const known = Object.values(settings).map(({ name }) => name)
    const names = [...readme.matchAll(/\bMORAINE_\w+/g)].map(([name]) => name)
    for (const name of names) expect(known).toContain(name)
  })
})
