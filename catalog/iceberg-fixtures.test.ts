import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Json } from './json/json.ts'
import { parseJson } from './json/parse.ts'
import { MemoryCatalogStore } from './memory-catalog-store.ts'
import { decodeTableMetadata } from './spec/table-metadata.ts'
import { stringifyTableMetadata } from './spec/table-text.ts'
import { decodeViewMetadata, stringifyViewMetadata } from './spec/view-metadata.ts'
import { testCatalog } from './testing.ts'

/** Tables as other writers made them, with the scans that Iceberg's own planner makes: see `iceberg-fixtures/README.md`. */

const root = join(import.meta.dirname, '..', 'iceberg-fixtures')
const bytesAtMost = 2_000_000

interface Fixture {
  readonly name: string
  readonly location: string
  readonly 'metadata-location': string
  /** Data files, each with the delete files that apply to it, relative to `location`; absent for a view. */
  readonly scans?: Readonly<Record<string, { readonly filter: Json; readonly tasks: readonly (readonly [string, readonly string[]])[] }>>
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

const fixtures: readonly Fixture[] = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, ...(JSON.parse(readFileSync(join(root, name, 'fixture.json'), 'utf8')) as Omit<Fixture, 'name'>) }))
const tables = fixtures.filter(({ scans }) => scans !== undefined)
const views = fixtures.filter(({ scans }) => scans === undefined)

function metadataText(fixture: Fixture): string {
  return readFileSync(join(root, fixture.name, relative(fixture.location, fixture['metadata-location'])), 'utf8')
}

test('there are fixtures of many writers and properties, and they are small', () => {
  expect(tables.length).toBeGreaterThan(25)
  expect(views.length).toBeGreaterThan(0)
  expect(filesIn(root).reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(bytesAtMost)
})

describe('metadata is printed as it was read', () => {
  const never = (): string => {
    throw new Error('the fixture has a UUID')
  }

  test.each(tables)('$name', (fixture) => {
    const original = parseJson(metadataText(fixture))
    expect(parseJson(stringifyTableMetadata(decodeTableMetadata(original, never)))).toEqual(original)
  })

  test.each(views)('$name', (fixture) => {
    const original = parseJson(metadataText(fixture))
    expect(parseJson(stringifyViewMetadata(decodeViewMetadata(original, 'view metadata')))).toEqual(original)
  })
})

interface Planned {
  readonly status: string
  readonly 'file-scan-tasks'?: readonly { readonly 'data-file': { readonly 'file-path': string }; readonly 'delete-file-references'?: readonly number[] }[]
  readonly 'delete-files'?: readonly { readonly 'file-path': string }[]
}

describe('a scan is planned as the reference plans it', () => {
  test.each(tables)('$name', async (fixture) => {
    const store = new MemoryCatalogStore(['lake'])
    for (const path of filesIn(join(root, fixture.name))) store.writeFile(`${fixture.location}/${relative(join(root, fixture.name), path)}`, readFileSync(path))
    const world = await testCatalog(store)
    const call: typeof world.call = (operationId, request) => world.call(operationId, request)
    await call('createNamespace', { body: { namespace: ['db'] } })
    const registered = await call('registerTable', { path: { namespace: 'db' }, body: { name: 't', 'metadata-location': fixture['metadata-location'] } })
    expect(registered.status, JSON.stringify(registered.body['error'])).toBe(200)
    const inTable = (location: string): string => relative(fixture.location, location)
    for (const [name, { filter, tasks }] of Object.entries(fixture.scans ?? {})) {
      const answer = await call('planTableScan', { path: { namespace: 'db', table: 't' }, body: { filter } })
      const planned = answer.body as unknown as Planned
      expect(planned.status, `${name}: ${JSON.stringify(planned)}`).toBe('completed')
      const deletes = planned['delete-files'] ?? []
      const found = (planned['file-scan-tasks'] ?? []).map((task) => {
        const references = task['delete-file-references'] ?? []
        return [inTable(task['data-file']['file-path']), references.map((index) => inTable(deletes[index]?.['file-path'] ?? '')).sort()]
      })
      expect(found.sort(), name).toEqual(tasks)
    }
  })
})
