import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CatalogError, errorStatuses, type CatalogErrorCode } from '../../catalog/index.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')

test('docs/errors.md has a line for every error of the catalog, with its status, and for no other', () => {
  const section = page.split('\n## ').find((candidate) => candidate.startsWith('Iceberg catalog\n')) ?? ''
  const documented = [...section.matchAll(/^\| `(\w+)` \| (\d{3}) \| \S/gm)].map(([, type, status]) => [type, Number(status)])
  const codes = Object.keys(errorStatuses) as CatalogErrorCode[]
  expect(documented).toEqual(codes.map((code) => [new CatalogError(code, '').type, errorStatuses[code]]).sort(([left], [right]) => (String(left) < String(right) ? -1 : 1)))
})
