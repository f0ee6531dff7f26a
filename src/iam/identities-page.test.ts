import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { operations } from './operations.ts'

test('docs/identities.md names every call of IAM that is served, and no other', () => {
  const page = readFileSync(new URL('../../docs/identities.md', import.meta.url), 'utf8')
  const named = /^Calls of IAM:(.*?)\.$/ms.exec(page)?.[1]?.match(/`(\w+)`/g)?.map(name => name.slice(1, -1))
  expect(named?.toSorted()).toEqual(Object.keys(operations).toSorted())
})
