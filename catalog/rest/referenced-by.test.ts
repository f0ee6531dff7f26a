import { describe, expect, test } from 'vitest'
import { CatalogError } from '../errors.ts'
import { simpleSchema, testCatalog } from '../testing.ts'
import { referencedBy } from './referenced-by.ts'

const chain = (text: string | undefined) => referencedBy({ query: { 'referenced-by': text } })
const quarterly = { namespace: ['prod', 'analytics'], name: 'quarterly' }

describe('referenced-by', () => {
  test('names views, the outermost first', () => {
    expect(chain('prod\u001fanalytics\u001fquarterly,prod\u001fmonthly')).toEqual([quarterly, { namespace: ['prod'], name: 'monthly' }])
    expect(chain(undefined)).toEqual([])
    expect(chain('')).toEqual([])
  })

  test('may be escaped twice, and then names may hold commas', () => {
    expect(chain('prod%1Fanalytics%1Fquarterly,prod%1Fa%2Cb')).toEqual([quarterly, { namespace: ['prod'], name: 'a,b' }])
  })

  test.each(['quarterly', ',', 'prod\u001f', '\u001fquarterly', 'prod\u001fa,', '%zz\u001fa', Array.from({ length: 101 }, () => 'a\u001fb').join(',')])('%j names none', (text) => {
    expect(() => chain(text)).toThrow(CatalogError)
  })

  test('is read where tables and views are loaded', async () => {
    const world = await testCatalog()
    await world.call('createNamespace', { body: { namespace: ['db'] } })
    await world.call('createTable', { path: { namespace: 'db' }, body: { name: 't', schema: simpleSchema } })
    const path = { namespace: 'db', table: 't', view: 'v' }
    expect((await world.call('loadTable', { path, query: { 'referenced-by': 'db\u001fv' } })).status).toBe(200)
    expect((await world.call('loadTable', { path, query: { 'referenced-by': 'v' } })).status).toBe(400)
    expect((await world.call('loadView', { path, query: { 'referenced-by': 'v' } })).status).toBe(400)
    expect((await world.call('loadView', { path, query: { 'referenced-by': 'db\u001fw' } })).status).toBe(404)
  })
})
