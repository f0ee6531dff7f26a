import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configurationPage } from './configuration-page.ts'

it('docs/configuration.md is current (node tools/config-table.ts --write)', () => {
  expect(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')).toBe(configurationPage())
})
