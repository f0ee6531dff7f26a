import fc from 'fast-check'
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorStatuses } from '../../catalog/index.ts'
import { openScratchCatalog, type ScratchCatalog } from './scratch-catalog.ts'

/** Whatever is sent, the answer is the protocol's: a success, or an error body with a 4xx. */

const schema = { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'id', required: true, type: 'long' }, { id: 2, name: 'day', required: false, type: 'date' }] }
const version = {
  'version-id': 1, 'schema-id': 0, 'timestamp-ms': 1, summary: { engine: 'x' }, 'default-catalog': 'c', 'default-namespace': ['db'],
  representations: [{ type: 'sql', sql: 'select 1', dialect: 'spark' }],
}
const snapshot = {
  'snapshot-id': 9, 'parent-snapshot-id': 8, 'sequence-number': 9, 'timestamp-ms': 1_800_000_000_000, 'manifest-list': 's3://lake/m.avro', manifests: ['s3://lake/m'],
  summary: { operation: 'append' }, 'schema-id': 0, 'first-row-id': 0, 'added-rows': 1, 'key-id': 'k',
}
const updates = [
  { action: 'assign-uuid', uuid: 'b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3' },
  { action: 'upgrade-format-version', 'format-version': 2 },
  { action: 'add-schema', schema, 'last-column-id': 2 },
  { action: 'set-current-schema', 'schema-id': -1 },
  { action: 'add-spec', spec: { 'spec-id': 0, fields: [{ 'source-id': 2, 'field-id': 1000, name: 'd', transform: 'bucket[4]' }] } },
  { action: 'set-default-spec', 'spec-id': -1 },
  { action: 'add-sort-order', 'sort-order': { 'order-id': 1, fields: [{ 'source-id': 1, transform: 'identity', direction: 'asc', 'null-order': 'nulls-first' }] } },
  { action: 'set-default-sort-order', 'sort-order-id': -1 },
  { action: 'add-snapshot', snapshot },
  { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 9, 'min-snapshots-to-keep': 1, 'max-snapshot-age-ms': 1, 'max-ref-age-ms': 1 },
  { action: 'remove-snapshots', 'snapshot-ids': [9] },
  { action: 'remove-snapshot-ref', 'ref-name': 'main' },
  { action: 'set-location', location: 's3://lake/t' },
  { action: 'set-properties', updates: { a: 'b' } },
  { action: 'remove-properties', removals: ['a'] },
  {
    action: 'set-statistics',
    'snapshot-id': 9,
    statistics: {
      'snapshot-id': 9, 'statistics-path': 's3://lake/s', 'file-size-in-bytes': 1, 'file-footer-size-in-bytes': 1, 'key-metadata': 'k',
      'blob-metadata': [{ type: 't', 'snapshot-id': 9, 'sequence-number': 1, fields: [1], properties: { a: 'b' } }],
    },
  },
  { action: 'remove-statistics', 'snapshot-id': 9 },
  { action: 'set-partition-statistics', 'partition-statistics': { 'snapshot-id': 9, 'statistics-path': 's3://lake/s', 'file-size-in-bytes': 1 } },
  { action: 'remove-partition-statistics', 'snapshot-id': 9 },
  { action: 'remove-partition-specs', 'spec-ids': [1] },
  { action: 'remove-schemas', 'schema-ids': [1] },
  { action: 'add-encryption-key', 'encryption-key': { 'key-id': 'k', 'encrypted-key-metadata': 'AA==', 'encrypted-by-id': 'l', properties: { a: 'b' } } },
  { action: 'remove-encryption-key', 'key-id': 'k' },
]
const requirements = [
  { type: 'assert-table-uuid', uuid: 'b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3' },
  { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 9 },
  { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 2 },
  { type: 'assert-current-schema-id', 'current-schema-id': 0 },
  { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 999 },
  { type: 'assert-default-spec-id', 'default-spec-id': 0 },
  { type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 },
]
const filter = {
  type: 'and',
  left: { type: 'in', term: 'id', values: [1, 2] },
  right: { type: 'or', left: { type: 'not', child: { type: 'eq', left: { type: 'reference', name: 'day' }, right: { type: 'literal', value: '2026-01-01', 'data-type': 'date' } } },
    right: { type: 'lt', term: { type: 'transform', transform: 'bucket[4]', term: 'id' }, value: 3 } },
}
const identifier = { namespace: ['db'], name: 't' }
const ns = 'lake/namespaces/db'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'

/** Every operation with a body, once as it is meant. */
const requests: readonly (readonly [string, Method, string, unknown])[] = [
  ['createNamespace', 'POST', 'lake/namespaces', { namespace: ['n', 'm'], properties: { a: 'b' } }],
  ['updateProperties', 'POST', `${ns}/properties`, { removals: ['a'], updates: { b: 'c' } }],
  ['createTable', 'POST', `${ns}/tables`, {
    name: 'u', location: 's3://lake/u', schema, 'partition-spec': { 'spec-id': 0, fields: [{ 'source-id': 2, 'field-id': 1000, name: 'd', transform: 'day' }] },
    'write-order': { 'order-id': 1, fields: [{ 'source-id': 1, transform: 'identity', direction: 'asc', 'null-order': 'nulls-first' }] }, 'stage-create': true, properties: { 'format-version': '3' },
  }],
  ['registerTable', 'POST', `${ns}/register`, { name: 'r', 'metadata-location': 's3://lake/none.metadata.json', overwrite: true }],
  ['planTableScan', 'POST', `${ns}/tables/t/plan`, {
    'snapshot-id': 1, select: ['id'], filter, 'case-sensitive': true, 'use-snapshot-schema': true, 'stats-fields': ['id'], 'min-rows-requested': 1,
  }],
  ['planTableScan (incremental)', 'POST', `${ns}/tables/t/plan`, { 'start-snapshot-id': 1, 'end-snapshot-id': 1, filter: true }],
  ['fetchScanTasks', 'POST', `${ns}/tables/t/tasks`, { 'plan-task': 'x.1' }],
  ...updates.map((update): readonly [string, Method, string, unknown] => [`updateTable: ${update.action}`, 'POST', `${ns}/tables/t`, { requirements: [], updates: [update] }]),
  ...requirements.map((requirement): readonly [string, Method, string, unknown] => [`updateTable: ${requirement.type}`, 'POST', `${ns}/tables/t`, { requirements: [requirement], updates: [] }]),
  ['commitTransaction', 'POST', 'lake/transactions/commit', { 'table-changes': [{ identifier, requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] }] }],
  ['renameTable', 'POST', 'lake/tables/rename', { source: identifier, destination: { namespace: ['db'], name: 't' } }],
  ['signRequest', 'POST', `${ns}/tables/t/sign`, {
    region: 'us-east-1', uri: 'http://127.0.0.1/lake/t/k', method: 'GET', headers: { 'x-amz-copy-source': ['lake/t/k'] }, properties: { a: 'b' }, body: '<Delete/>', provider: 's3',
  }],
  ['reportMetrics', 'POST', `${ns}/tables/t/metrics`, { 'report-type': 'scan-report', 'table-name': 't', 'snapshot-id': 1, filter, 'schema-id': 0, metrics: {} }],
  ['createView', 'POST', `${ns}/views`, { name: 'w', location: 's3://lake/w', schema, 'view-version': version, properties: { a: 'b' } }],
  ['replaceView', 'POST', `${ns}/views/v`, {
    requirements: [{ type: 'assert-view-uuid', uuid: 'b2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3' }],
    updates: [{ action: 'add-schema', schema }, { action: 'add-view-version', 'view-version': version }, { action: 'set-current-view-version', 'view-version-id': -1 }],
  }],
  ['renameView', 'POST', 'lake/views/rename', { source: { namespace: ['db'], name: 'v' }, destination: { namespace: ['db'], name: 'v' } }],
  ['registerView', 'POST', `${ns}/register-view`, { name: 'r', 'metadata-location': 's3://lake/none.metadata.json' }],
  ['createWarehouse', 'POST', 'warehouses', { name: 'sea', bucket: 'sea', prefix: 'p', 'undrop-ms': 1 }],
  ['updateWarehouse', 'POST', 'warehouses/lake', { 'undrop-ms': 1 }],
  ['storeFunction', 'PUT', `${ns}/functions/f`, {
    'function-uuid': 'a2a5a0d6-24a5-4cc6-8d4c-0ee7cc0ee5a3', 'format-version': 1,
    definitions: [{ 'definition-id': 'int', parameters: [{ type: 'int', name: 'x' }], 'return-type': 'int', 'current-version-id': 1, 'function-type': 'udf',
      versions: [{ 'version-id': 1, 'timestamp-ms': 1, representations: [{ type: 'sql', dialect: 'spark', sql: 'x + 1' }] }] }],
    'definition-log': [{ 'timestamp-ms': 1, 'definition-versions': [{ 'definition-id': 'int', 'version-id': 1 }] }],
  }],
  ['undrop', 'POST', 'lake/dropped/x/undrop', { destination: identifier }],
  ['setTableProtection', 'POST', `${ns}/tables/t/protection`, { protected: false }],
]

/** Every operation without a body, `?` where hostile text goes. */
const paths: readonly (readonly [Method, string])[] = [
  ['GET', 'config?warehouse=?'], ['GET', 'lake/namespaces?parent=?'], ['GET', 'lake/namespaces?pageToken=?'], ['GET', 'lake/namespaces?pageToken=&pageSize=?'],
  ['GET', 'lake/namespaces/?'], ['HEAD', 'lake/namespaces/?'], ['DELETE', 'lake/namespaces/?'], ['DELETE', 'lake/namespaces/db?recursive=x?'], ['GET', 'lake/namespaces/?/tables'],
  ['GET', `${ns}/tables/?`], ['HEAD', `${ns}/tables/?`], ['DELETE', `${ns}/tables/?`], ['DELETE', `${ns}/tables/t?purgeRequested=x?`], ['GET', `${ns}/tables/t?snapshots=?`],
  ['GET', `${ns}/tables/t?referenced-by=?`], ['GET', `${ns}/tables?pageToken=?`], ['GET', `${ns}/tables?pageToken=&pageSize=?`], ['GET', `${ns}/views/?`], ['HEAD', `${ns}/views/?`], ['DELETE', `${ns}/views/?`],
  ['GET', `${ns}/views?pageToken=?`], ['GET', `${ns}/functions/?`], ['GET', `${ns}/functions?pageToken=?`], ['GET', `${ns}/tables/t/plan/?`], ['DELETE', `${ns}/tables/t/plan/?`],
  ['GET', `${ns}/tables/t/metrics?pageToken=?`], ['GET', '?/namespaces'], ['GET', 'warehouses/?'], ['DELETE', 'warehouses/?'], ['GET', 'lake/dropped?pageToken=?'], ['GET', '?'],
  ['POST', `${ns}/tables/?/unregister`], ['POST', 'lake/dropped/?/undrop'], ['DELETE', `${ns}/functions/?`], ['POST', `${ns}/tables/?/metrics`],
]

/** Raw JSON texts that stand where something else is meant. */
const hostileJson = [
  'null', 'true', '0', '-1', '1.5', '1e308', '1e400', '-1e400', '2147483648', '-2147483649', '9223372036854775807', '9223372036854775808', '-9223372036854775809',
  '9'.repeat(30), '9'.repeat(20_000), '""', '" "', '"\\u0000"', '"\\ud800"', '"../.."', '"__proto__"', '"s3://"', '"s3://elsewhere/x"', '"file:///etc/passwd"', `"${'x'.repeat(70_000)}"`,
  '[]', '[null]', '[[]]', '{}', '{"type":"struct"}', '{"__proto__":{"a":1}}', '{"type":"literal"}', '[{}]', `${'['.repeat(190)}${']'.repeat(190)}`, `${'['.repeat(5000)}${']'.repeat(5000)}`,
  '"bucket[0]"', '"bucket[99999999999]"', '"decimal(39,1)"', '"decimal(1,2)"', '"fixed[0]"', '"geometry(((("', '"list"', '-0', '"NaN"',
]

const hostileText = ['', ' ', '.', '..', '%00', '%1F', '%1Fa', 'a%1F', '%2F', '%2e%2e', '%ff', '%', '%zz', '-1', '0', '1e9', 'null', '__proto__', 'constructor', 'n', 'nAA', 'n____', 'é', '😀'.repeat(50), 'x'.repeat(1001), 'x'.repeat(9000)]

async function* bodyOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** The places within a value, as paths of member names. */
function placesIn(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  const below = typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([name, member]) => placesIn(member, [...at, name])) : []
  return [at, ...below]
}

/** The value's text with something else in one place. */
function withReplaced(value: unknown, [first, ...rest]: readonly string[], text: string): string {
  if (first === undefined) return text
  const members = Object.entries(value as object).map(([name, member]) => [name, name === first ? withReplaced(member, rest, text) : JSON.stringify(member)] as const)
  return Array.isArray(value) ? `[${members.map(([, member]) => member).join(',')}]` : `{${members.map(([name, member]) => `${JSON.stringify(name)}:${member}`).join(',')}}`
}

describe('a hostile client', () => {
  let world: ScratchCatalog
  beforeAll(async () => {
    world = await openScratchCatalog()
    await world.call('POST', 'lake/namespaces', { namespace: ['db'] })
    await world.call('POST', `${ns}/tables`, { name: 't', schema, location: 's3://lake/t' })
    await world.call('POST', `${ns}/views`, { name: 'v', schema, 'view-version': version, properties: {} })
  })
  afterAll(() => world.remove())

  const types = new Set(Object.keys(errorStatuses).map((code) => `${code}Exception`))

  function expectProtocol(response: LightMyRequestResponse, isHead = false): void {
    expect([response.statusCode, world.faults]).toEqual([response.statusCode, []])
    expect(response.statusCode).toBeLessThan(500)
    if (response.statusCode < 400 || isHead) return
    expect(response.headers['content-type']).toBe('application/json')
    const { error } = response.json<{ error: { message: string; type: string; code: number } }>()
    expect(error.code).toBe(response.statusCode)
    expect(types).toContain(error.type)
    expect(error.message.length).toBeGreaterThan(0)
    expect(error.message.length).toBeLessThan(20_000)
  }

  test.each(requests)('%s with another value in each place', async (_, method, url, body) => {
    for (const place of placesIn(body)) {
      for (const text of hostileJson) {
        const payload = withReplaced(body, place, text)
        if (payload.length > 1_000_000) continue
        expectProtocol(await world.call(method, url, payload, { 'content-type': 'application/json' }))
      }
    }
  }, 120_000)

  test.each(requests)('%s with parts of it missing, doubled and cut short', async (_, method, url, body) => {
    const text = JSON.stringify(body)
    const anEdit = fc.record({ kind: fc.constantFrom('cut', 'drop', 'double', 'swap'), at: fc.nat(text.length - 1), length: fc.integer({ min: 1, max: 20 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(anEdit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const edited = edits.reduce((before, { kind, at, length }) => {
          const piece = before.slice(at, at + length)
          if (kind === 'cut') return before.slice(0, at)
          if (kind === 'drop') return before.slice(0, at) + before.slice(at + length)
          return kind === 'double' ? before.slice(0, at) + piece + before.slice(at) : before.slice(0, at) + piece.split('').reverse().join('') + before.slice(at + length)
        }, text)
        expectProtocol(await world.call(method, url, Buffer.from(edited), { 'content-type': 'application/json' }))
      }),
      { numRuns: 30 },
    )
  }, 120_000)

  test.each(paths)('%s %s', async (method, template) => {
    for (const text of hostileText) {
      const at = template.lastIndexOf('?')
      expectProtocol(await world.call(method, `${template.slice(0, at)}${text}${template.slice(at + 1)}`), method === 'HEAD')
    }
  }, 60_000)

  test('names of any characters and length', async () => {
    for (const letter of ['\u0000', '\u0001', '\u007f', 'é', '😀', '.', ' ', '\ud800']) {
      for (const length of [1, 250, 499, 995, 998, 999, 1000, 5000]) {
        const name = letter.repeat(length)
        const namespace = await world.call('POST', 'lake/namespaces', { namespace: [name], properties: {} })
        expectProtocol(namespace)
        expectProtocol(await world.call('POST', 'lake/namespaces', { namespace: ['db', ...Array.from({ length }, () => letter)] }))
        expectProtocol(await world.call('POST', `${ns}/tables`, { name, schema }))
        expectProtocol(await world.call('POST', `${ns}/views`, { name, schema, 'view-version': version, properties: {} }))
        expectProtocol(await world.call('POST', 'warehouses', { name, bucket: name }))
        expectProtocol(await world.call('POST', 'lake/tables/rename', { source: identifier, destination: { namespace: ['db'], name } }))
        expectProtocol(await world.call('POST', 'lake/tables/rename', { source: { namespace: ['db'], name }, destination: identifier }))
        const columns = { ...schema, fields: [{ id: 1, name, required: false, type: 'int' }] }
        expectProtocol(await world.call('POST', `${ns}/tables`, { name: `c${length}`, schema: columns, properties: { [name]: name } }))
      }
    }
    expectProtocol(await world.call('GET', `${ns}/tables`))
    expectProtocol(await world.call('GET', 'lake/namespaces'))
  }, 120_000)

  test('a table whose UUID is none', async () => {
    const { 'metadata-location': location } = (await world.call('GET', `${ns}/tables/t`)).json<{ 'metadata-location': string }>()
    const { engine } = world.world
    const reader = await engine.getObject({ bucket: 'lake', key: location.slice('s3://lake/'.length) })
    const chunks: Buffer[] = []
    for await (const chunk of reader.read({ offset: 0, length: reader.version.sizeBytes })) chunks.push(Buffer.from(chunk))
    const metadata = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
    for (const [index, uuid] of ['', 'x'.repeat(5000), '\u0000'.repeat(150), '../..'].entries()) {
      const key = `hostile/uuid-${index}.metadata.json`
      const bytes = Buffer.from(JSON.stringify({ ...metadata, 'table-uuid': uuid }))
      await engine.putObject({
        bucket: 'lake', key, body: bodyOf(bytes), finish: () => ({ etag: 'x', checksums: [] }), attributes: { headers: {}, userMetadata: {}, storageClass: 'STANDARD' }, ownerId: 'a'.repeat(64),
      })
      expectProtocol(await world.call('POST', `${ns}/register`, { name: `uuid${index}`, 'metadata-location': `s3://lake/${key}` }))
      expectProtocol(await world.call('POST', `${ns}/tables/uuid${index}/metrics`, { 'report-type': 'scan-report' }))
      expectProtocol(await world.call('POST', `${ns}/tables/uuid${index}/plan`, {}))
      expectProtocol(await world.call('DELETE', `${ns}/tables/uuid${index}?purgeRequested=true`))
    }
    await world.catalog.maintain()
  })

  test('locations that are too long for the key of an object', async () => {
    const long = `s3://lake/${'x/'.repeat(1000)}`
    const answers = [
      await world.call('POST', `${ns}/tables`, { name: 'long1', schema, location: long }),
      await world.call('POST', `${ns}/tables`, { name: 'long2', schema, properties: { 'write.metadata.path': long } }),
      await world.call('POST', `${ns}/tables/t`, { requirements: [], updates: [{ action: 'set-location', location: long }] }),
      await world.call('POST', `${ns}/views`, { name: 'long3', schema, 'view-version': version, properties: {}, location: long }),
      await world.call('POST', `${ns}/register`, { name: 'long4', 'metadata-location': `${long}.metadata.json` }),
    ]
    await world.call('POST', 'lake/namespaces', { namespace: ['far'], properties: { location: long } })
    answers.push(await world.call('POST', 'lake/namespaces/far/tables', { name: 'long5', schema }))
    for (const answer of answers) expectProtocol(answer)
    const snapshots = [{ action: 'add-snapshot', snapshot: { ...snapshot, 'manifest-list': `${long}m.avro` } }, { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 9 }]
    await world.call('POST', `${ns}/tables`, { name: 'far', schema })
    expect((await world.call('POST', `${ns}/tables/far`, { requirements: [], updates: snapshots })).statusCode).toBe(200)
    expect((await world.call('POST', `${ns}/tables/far/plan`, {})).json()).toMatchObject({ status: 'failed', error: { code: 400 } })
    // The clients before have changed for how long a drop can be taken back.
    expect((await world.call('POST', 'warehouses/lake', { 'undrop-ms': null })).statusCode).toBe(200)
    expect((await world.call('DELETE', `${ns}/tables/far?purgeRequested=true`)).statusCode).toBe(204)
    expect((await world.catalog.maintain()).purgedTables).toBeGreaterThan(0)
    // A namespace's own location counts only where tables can be.
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([400, 400, 400, 400, 400, 200])
  })

  test('properties that grow without end', async () => {
    await world.call('POST', 'lake/namespaces', { namespace: ['grows'] })
    const statuses = new Set<number>()
    for (let index = 0; index < 6; index++) {
      const answer = await world.call('POST', 'lake/namespaces/grows/properties', { updates: { [`p${index}`]: 'x'.repeat(900_000) } })
      expectProtocol(answer)
      statuses.add(answer.statusCode)
    }
    expect([...statuses]).toEqual([200, 400])
    const headers = { 'idempotency-key': '017f22e2-79b0-7cc3-98c4-dc0c0c07398f', 'content-type': 'application/json' }
    for (let repeat = 0; repeat < 2; repeat++) expect((await world.call('POST', 'lake/namespaces/grows/properties', { updates: { more: 'x'.repeat(900_000) } }, headers)).statusCode).toBe(400)
  })

  test('files that are no metadata', async () => {
    const { engine } = world.world
    const gzip = Buffer.from('1f8b0800000000000003', 'hex')
    const files = ['', 'null', '[]', '{}', '{"format-version":', '{"format-version":9}', '{"format-version":2,"table-uuid":5}', `{"format-version":2,"x":${'['.repeat(5000)}`, gzip, Buffer.concat([gzip, Buffer.alloc(50, 7)]), Buffer.from([0xff, 0xfe, 0x00])]
    for (const [index, bytes] of files.entries()) {
      const key = `hostile/${index}.metadata.json`
      await engine.putObject({
        bucket: 'lake', key, body: bodyOf(Buffer.from(bytes)), finish: () => ({ etag: 'x', checksums: [] }), attributes: { headers: {}, userMetadata: {}, storageClass: 'STANDARD' }, ownerId: 'a'.repeat(64),
      })
      for (const register of ['register', 'register-view']) {
        const answer = await world.call('POST', `${ns}/${register}`, { name: `r${index}`, 'metadata-location': `s3://lake/${key}` })
        expectProtocol(answer)
        expect([index, answer.statusCode]).toEqual([index, 400])
      }
    }
  })

  test('headers, bodies and tokens that are none', async () => {
    const table = `${ns}/tables/t`
    for (const etag of ['*', '"', '', 'W/', '"x",,"y"', 'x'.repeat(5000)]) expectProtocol(await world.call('GET', table, undefined, { 'if-none-match': etag }))
    for (const key of ['', 'x', '0'.repeat(36), '017f22e2-79b0-7cc3-98c4-dc0c0c07398', `${'f'.repeat(8)}-ffff-ffff-ffff-${'f'.repeat(12)}`]) {
      expectProtocol(await world.call('POST', table, { requirements: [], updates: [] }, { 'idempotency-key': key }))
    }
    for (const delegation of ['', ',', 'remote-signing,,x', 'x'.repeat(5000)]) expectProtocol(await world.call('GET', table, undefined, { 'x-iceberg-access-delegation': delegation }))
    for (const [payload, type] of [['\u{feff}{}', 'application/json'], [Buffer.from([0xff, 0xfe]), 'application/json'], ['a=b', 'application/x-www-form-urlencoded'], ['{}', 'text/plain'], ['', 'application/json']] as const) {
      expectProtocol(await world.call('POST', table, payload, { 'content-type': type }))
    }
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearer x', 'Bearer a.b.c', `Bearer ${'x'.repeat(9000)}`, 'Basic QURBOng=', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=, Signature=', 'Negotiate x']) {
      const answer = await world.call('GET', table, undefined, { authorization })
      expectProtocol(answer)
      expect(answer.statusCode).toBe(401)
    }
    for (const [method, url] of [['PUT', table], ['POST', 'lake/nowhere'], ['GET', 'lake'], ['DELETE', 'config'], ['GET', 'oauth/tokens']] as const) expectProtocol(await world.call(method, url))
  })

  test('the token endpoint answers hostile forms as RFC 6749 says', async () => {
    const aPiece = fc.constantFrom('grant_type', 'client_credentials', 'client_id', 'client_secret', 'ADA', '=', '&', '%', '%00', 'urn:ietf:params:oauth:grant-type:token-exchange', 'subject_token', 'subject_token_type', 'scope', '"', '\\', '\u0000', 'x', 'a.b.c')
    await fc.assert(
      fc.asyncProperty(fc.array(aPiece, { maxLength: 12 }), fc.option(fc.constantFrom('Basic', 'Basic !', 'Basic QQ==', 'Basic OjpB', 'Bearer x')), async (pieces, authorization) => {
        const response = await world.app.inject({
          method: 'POST', url: '/iceberg/v1/oauth/tokens', payload: pieces.join(''),
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...(authorization !== null && { authorization }) },
        })
        expect([400, 401]).toContain(response.statusCode)
        expect(response.json<{ error: string }>().error).toMatch(/^(invalid_request|invalid_client|invalid_grant|unauthorized_client|unsupported_grant_type|invalid_scope)$/)
      }),
      { numRuns: 300 },
    )
  })
})
