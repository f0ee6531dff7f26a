/** What the catalog has beside the engines' everyday requests, over a server of two workers that is killed in between. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { refusalOf, until } from '../server/client.ts'
import { startServer, type StartedServer } from '../start-server.ts'
import { CatalogClient, s3Client, schema } from './client.ts'

let drive: string
let server: StartedServer
let catalog: CatalogClient
let s3: S3Client
const Bucket = 'lake'

async function start(): Promise<void> {
  server = await startServer({ drive, workers: 2, env: { MORAINE_JOB_INTERVAL: '1s', MORAINE_GARBAGE_GRACE: '1s' } })
  catalog = await CatalogClient.connect(server)
  s3 = s3Client(server)
}

async function killAndStart(): Promise<void> {
  await server.kill9()
  await start()
}

beforeAll(async () => {
  drive = await mkdtemp(join(tmpdir(), 'moraine-catalog-'))
  await start()
})
afterAll(async () => {
  await server.kill9()
  await rm(drive, { recursive: true, force: true })
})

let namespaces = 0
/** A namespace of the test's own, and its path. */
let ns = ''
let at = ''
beforeEach(async () => {
  ns = `ns${namespaces++}`
  at = `lake/namespaces/${ns}`
  await catalog.must('POST', 'lake/namespaces', { namespace: [ns] })
})

const json = async <T>(method: string, path: string, body?: unknown): Promise<T> => JSON.parse(await catalog.must(method, path, body)) as T
const statusOf = async (method: string, path: string, body?: unknown): Promise<number> => (await catalog.ask(method, path, body)).status
const typeOf = async (method: string, path: string, body?: unknown): Promise<string> => {
  const answer = await catalog.ask(method, path, body)
  return `${answer.status} ${(JSON.parse(answer.body) as { error: { type: string } }).error.type}`
}
const keyOf = (location: string): string => location.slice(`s3://${Bucket}/`.length)
const view = (name: string): unknown => ({
  name, schema, properties: {},
  'view-version': { 'version-id': 1, 'schema-id': 0, 'timestamp-ms': 1, summary: {}, 'default-namespace': [ns], representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }] },
})

interface Loaded {
  readonly 'metadata-location': string
  readonly metadata: { readonly location: string; readonly snapshots?: readonly { readonly 'snapshot-id': number }[] }
}

// First what waits for background work: after kill -9 its lease has to run out.
test('a namespace goes with what it holds only when that is asked for; purged tables lose their files', async () => {
  const inner = `lake/namespaces/${ns}%1Finner`
  await catalog.must('POST', 'lake/namespaces', { namespace: [ns, 'inner'] })
  const { metadata } = await json<Loaded>('POST', `${inner}/tables`, { name: 'deep', schema })
  await catalog.must('POST', `${at}/views`, view('v'))
  expect(await typeOf('DELETE', at)).toBe('409 NamespaceNotEmptyException')
  expect(await statusOf('HEAD', `${inner}/tables/deep`)).toBe(204)
  expect(await statusOf('DELETE', `${at}?recursive=perhaps`)).toBe(400)
  await catalog.must('DELETE', `${at}?recursive=true&purgeRequested=true`)
  expect([await statusOf('HEAD', at), await statusOf('HEAD', inner), await statusOf('HEAD', `${inner}/tables/deep`)]).toEqual([404, 404, 404])
  await until('the files are purged', async () => (await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${keyOf(metadata.location)}/` }))).KeyCount === 0)
})

describe('undrop', () => {
  const keepFor = (undropMs: number | null): Promise<string> => catalog.must('POST', 'warehouses/lake', { 'undrop-ms': undropMs })

  test('its place may be taken by then, or its time over: nothing is overwritten, and a purge that was asked for is done', async () => {
    await keepFor(600_000)
    await catalog.must('POST', `${at}/tables`, { name: 'a', schema })
    await catalog.must('DELETE', `${at}/tables/a`)
    const second = await json<Loaded>('POST', `${at}/tables`, { name: 'a', schema })
    const { dropped } = await json<{ dropped: { uuid: string; identifier: { namespace: string[] } }[] }>('GET', 'lake/dropped')
    const uuid = dropped.find(({ identifier }) => identifier.namespace[0] === ns)?.uuid ?? ''
    expect(await typeOf('POST', `lake/dropped/${uuid}/undrop`)).toBe('409 AlreadyExistsException')
    await catalog.must('POST', `lake/dropped/${uuid}/undrop`, { destination: { namespace: [ns], name: 'older' } })
    expect((await json<Loaded>('GET', `${at}/tables/a`))['metadata-location']).toBe(second['metadata-location'])
    await keepFor(1)
    await catalog.must('DELETE', `${at}/tables/a?purgeRequested=true`)
    await until('the files are purged', async () => (await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key: keyOf(second['metadata-location']) }))).catch(() => '')).startsWith('404'))
    await keepFor(null)
    await catalog.must('DELETE', `${at}/tables/older`)
    expect((await json<{ dropped: { identifier: { namespace: string[] } }[] }>('GET', 'lake/dropped')).dropped.filter(({ identifier }) => identifier.namespace[0] === ns)).toEqual([])
  })

  test('tables and views that were dropped come back as they were, also after kill -9', async () => {
    await keepFor(600_000)
    const made = { tables: await json<Loaded>('POST', `${at}/tables`, { name: 'a', schema }), views: await json<Loaded>('POST', `${at}/views`, view('b')) }
    await catalog.must('DELETE', `${at}/tables/a?purgeRequested=true`)
    await catalog.must('DELETE', `${at}/views/b`)
    await killAndStart()
    expect([await typeOf('GET', `${at}/tables/a`), await typeOf('GET', `${at}/views/b`)]).toEqual(['404 NoSuchTableException', '404 NoSuchViewException'])
    // What can come back needs its metadata file.
    for (const { 'metadata-location': location } of Object.values(made)) {
      expect(await refusalOf(s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(location) })))).toBe('403 AccessDenied')
    }
    const { dropped } = await json<{ dropped: { uuid: string; kind: string; identifier: { namespace: string[]; name: string } }[] }>('GET', 'lake/dropped')
    const own = dropped.filter(({ identifier }) => identifier.namespace[0] === ns)
    expect(own.map(({ kind, identifier }) => [kind, identifier.name]).toSorted()).toEqual([['table', 'a'], ['view', 'b']])
    for (const { uuid } of own) await catalog.must('POST', `lake/dropped/${uuid}/undrop`)
    for (const [kind, { 'metadata-location': location, metadata }] of Object.entries(made)) {
      expect(await json('GET', `${at}/${kind}/${kind === 'tables' ? 'a' : 'b'}`)).toMatchObject({ 'metadata-location': location, metadata })
    }
    for (const { uuid } of own) expect(await statusOf('POST', `lake/dropped/${uuid}/undrop`)).toBe(404)
  })

  test('what makes no sense is refused', async () => {
    for (const undropMs of ['soon', -1, 1.5]) expect(await typeOf('POST', 'warehouses/lake', { 'undrop-ms': undropMs })).toBe('400 BadRequestException')
    expect(await statusOf('POST', `lake/dropped/${'x'.repeat(3000)}/undrop`)).toBe(404)
    expect(await statusOf('POST', 'warehouses/none', { 'undrop-ms': 1 })).toBe(404)
  })
})

describe('protection', () => {
  const protect = (path: string, isOn: boolean): Promise<string> => catalog.must('POST', `${path}/protection`, { protected: isOn })

  test('what is protected outlives every kind of drop, and kill -9', async () => {
    await catalog.must('POST', `${at}/tables`, { name: 't', schema })
    await catalog.must('POST', `${at}/views`, view('v'))
    for (const path of [`${at}/tables/t`, `${at}/views/v`, at]) await protect(path, true)
    await killAndStart()
    for (const path of [`${at}/tables/t`, `${at}/tables/t?purgeRequested=true`, `${at}/views/v`, at, `${at}?recursive=true`]) expect(await typeOf('DELETE', path)).toBe('409 ProtectedException')
    await protect(at, false)
    expect(await statusOf('DELETE', `${at}?recursive=true`)).toBe(409)
    expect([await statusOf('HEAD', `${at}/tables/t`), await statusOf('HEAD', `${at}/views/v`)]).toEqual([204, 204])
    for (const path of [`${at}/tables/t`, `${at}/views/v`]) await protect(path, false)
    await catalog.must('DELETE', `${at}?recursive=true`)
    expect(await statusOf('HEAD', at)).toBe(404)
  })

  test('a flag that is none is refused', async () => {
    for (const body of [{}, { protected: 'yes' }, { protected: null }, []]) expect(await typeOf('POST', `${at}/protection`, body)).toBe('400 BadRequestException')
    expect(await statusOf('POST', `${at}/tables/none/protection`, { protected: true })).toBe(404)
  })
})

test('register-view makes a view of a metadata file, and of no other file', async () => {
  const made = await json<Loaded>('POST', `${at}/views`, view('first'))
  await catalog.must('DELETE', `${at}/views/first`)
  const registration = { name: 'again', 'metadata-location': made['metadata-location'] }
  const registered = { 'metadata-location': made['metadata-location'], metadata: made.metadata }
  expect(await json('POST', `${at}/register-view`, registration)).toMatchObject(registered)
  await killAndStart()
  expect(await json('GET', `${at}/views/again`)).toMatchObject(registered)
  expect(await typeOf('POST', `${at}/register-view`, registration)).toBe('409 AlreadyExistsException')
  const table = await json<Loaded>('POST', `${at}/tables`, { name: 't', schema })
  for (const [location, status] of [[table['metadata-location'], 400], ['s3://lake/none.metadata.json', 404], ['s3://other/v.metadata.json', 400], ['file:///etc/passwd', 400]] as const) {
    expect([location, await statusOf('POST', `${at}/register-view`, { name: 'other', 'metadata-location': location })]).toEqual([location, status])
  }
  expect(await statusOf('HEAD', `${at}/views/other`)).toBe(404)
})

test('functions are stored, listed by pages, loaded and dropped', async () => {
  const metadata = {
    'function-uuid': 'a2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3', 'format-version': 1,
    definitions: [{
      'definition-id': 'int', parameters: [{ type: 'int', name: 'x' }], 'return-type': 'int', 'current-version-id': 1, 'function-type': 'udf',
      versions: [{ 'version-id': 1, 'timestamp-ms': 1, representations: [{ type: 'sql', dialect: 'spark', sql: 'x + 1' }] }],
    }],
    'definition-log': [{ 'timestamp-ms': 1, 'definition-versions': [{ 'definition-id': 'int', 'version-id': 1 }] }],
  }
  for (const name of ['a', 'b', 'c']) await catalog.must('PUT', `${at}/functions/${name}`, metadata)
  await killAndStart()
  const names: string[] = []
  for (let token: string | null = ''; token !== null; ) {
    const page: { identifiers: [string, string][]; 'next-page-token': string | null } = await json('GET', `${at}/functions?pageSize=2&pageToken=${encodeURIComponent(token)}`)
    names.push(...page.identifiers.map(([, name]) => name))
    token = page['next-page-token']
  }
  expect(names).toEqual(['a', 'b', 'c'])
  expect(await json('GET', `${at}/functions/b`)).toEqual({ metadata })
  for (const broken of [{}, { ...metadata, 'format-version': 9 }, { ...metadata, definitions: 'none' }]) expect(await typeOf('PUT', `${at}/functions/b`, broken)).toMatch(/^400 (BadRequest|Validation)Exception$/)
  await catalog.must('DELETE', `${at}/functions/b`)
  expect(await typeOf('GET', `${at}/functions/b`)).toBe('404 NoSuchFunctionException')
})

test('metrics that engines send are kept, and can be read by pages', async () => {
  await catalog.must('POST', `${at}/tables`, { name: 't', schema })
  const report = { 'report-type': 'scan-report', 'table-name': 't', 'snapshot-id': 7, filter: true, 'schema-id': 0, 'projected-field-ids': [], 'projected-field-names': [], metrics: {} }
  for (let sent = 0; sent < 3; sent++) expect(await statusOf('POST', `${at}/tables/t/metrics`, { ...report, 'schema-id': sent })).toBe(204)
  expect(await typeOf('POST', `${at}/tables/t/metrics`, { 'report-type': 'weather' })).toBe('400 BadRequestException')
  expect(await typeOf('POST', `${at}/tables/none/metrics`, report)).toBe('404 NoSuchTableException')
  await killAndStart()
  const schemaIds: number[] = []
  for (let token: string | null = ''; token !== null; ) {
    const page: { reports: { report: { 'schema-id': number } }[]; 'next-page-token': string | null } = await json('GET', `${at}/tables/t/metrics?pageSize=2&pageToken=${encodeURIComponent(token)}`)
    schemaIds.push(...page.reports.map(({ report: kept }) => kept['schema-id']))
    token = page['next-page-token']
  }
  expect(schemaIds.toSorted()).toEqual([0, 1, 2])
})

test('snapshots=refs answers with the snapshots that branches and tags name, under an ETag of its own', async () => {
  await catalog.must('POST', `${at}/tables`, { name: 't', schema })
  for (let id = 1; id <= 4; id++) {
    const snapshot = { 'snapshot-id': id, ...(id > 1 && { 'parent-snapshot-id': id - 1 }), 'sequence-number': id, 'timestamp-ms': Date.now(), 'manifest-list': `s3://lake/${ns}/m${id}.avro`, summary: { operation: 'append' }, 'schema-id': 0 }
    await catalog.must('POST', `${at}/tables/t`, { requirements: [], updates: [{ action: 'add-snapshot', snapshot }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id }] })
  }
  await catalog.must('POST', `${at}/tables/t`, { requirements: [], updates: [{ action: 'set-snapshot-ref', 'ref-name': 'old', type: 'tag', 'snapshot-id': 2 }] })
  const idsOf = async (query: string): Promise<readonly number[] | undefined> => (await json<Loaded>('GET', `${at}/tables/t${query}`)).metadata.snapshots?.map(snapshot => snapshot['snapshot-id'])
  expect(await idsOf('')).toEqual([1, 2, 3, 4])
  expect(await idsOf('?snapshots=all')).toEqual([1, 2, 3, 4])
  expect(await idsOf('?snapshots=refs')).toEqual([2, 4])
  expect(await typeOf('GET', `${at}/tables/t?snapshots=some`)).toBe('400 BadRequestException')
  const etags = await Promise.all(['all', 'refs'].map(async mode => (await catalog.headersOf('GET', `${at}/tables/t?snapshots=${mode}`)).get('etag') ?? ''))
  expect(new Set(etags).size).toBe(2)
  for (const [index, mode] of ['all', 'refs'].entries()) {
    expect((await catalog.ask('GET', `${at}/tables/t?snapshots=${mode}`, undefined, { 'if-none-match': etags[index] ?? '' })).status).toBe(304)
    expect((await catalog.ask('GET', `${at}/tables/t?snapshots=${mode}`, undefined, { 'if-none-match': etags[1 - index] ?? '' })).status).toBe(200)
  }
})
