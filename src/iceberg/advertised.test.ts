import { afterAll, beforeAll, expect, test } from 'vitest'
import { endpoints, type Endpoint } from '../../catalog/index.ts'
import { openScratchCatalog, type ScratchCatalog } from './scratch-catalog.ts'

/** `GET /v1/config` advertises exactly what works: every operation of the specification is tried. */

let world: ScratchCatalog
let advertised: readonly string[]
let config: { readonly defaults: Record<string, string>; readonly overrides: Record<string, string>; readonly 'idempotency-key-lifetime': string }
beforeAll(async () => {
  world = await openScratchCatalog()
  const answer = (await world.call('GET', 'config?warehouse=lake')).json<typeof config & { readonly endpoints: readonly string[] }>()
  advertised = answer.endpoints
  config = answer
})
afterAll(() => world.remove())

/** Asked of the HTTP server itself, not of the catalog: clients know it without being told. */
const unadvertised = ['getToken']

test.each(Object.entries<Endpoint>(endpoints))('%s', async (operationId, { method, path }) => {
  const url = path.replace('/v1/', '').replace('{prefix}', 'lake').replaceAll(/\{[^}]+\}/g, 'x')
  const answer = await world.call(method, url)
  const isServed = answer.statusCode !== 404 || (method !== 'HEAD' && !answer.body.includes('No such route'))
  // Nothing is there, so HEAD is 404 either way: what tells is whether the router knows it.
  const isRouted = method === 'HEAD' ? world.app.hasRoute({ method, url: `/iceberg${path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => `:${name.replaceAll('-', '')}`)}` }) : isServed
  expect([operationId, isRouted]).toEqual([operationId, advertised.includes(`${method} ${path}`) || unadvertised.includes(operationId)])
})

test('nothing else is advertised', () => {
  const specified = new Set(Object.values<Endpoint>(endpoints).map(({ method, path }) => `${method} ${path}`))
  expect(advertised.filter((name) => !specified.has(name))).toEqual([])
  expect(new Set(advertised).size).toBe(advertised.length)
})

test('a client is told the prefix, the separator, how to reach the files and how long keys are kept', () => {
  expect(config.overrides).toEqual({ prefix: 'lake', 'namespace-separator': '%1F' })
  expect(config.defaults).toMatchObject({ 's3.path-style-access': 'true', 's3.region': 'us-east-1', 'client.region': 'us-east-1' })
  expect(config.defaults['s3.endpoint']).toMatch(/^http:\/\//)
  expect(config['idempotency-key-lifetime']).toBe('PT1800S')
})
