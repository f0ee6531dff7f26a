/** XML, tags, keys and headers that no client would send: each gets its protocol's error, and harms nobody. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startVictim } from './server.ts'

const victim = await startVictim()
const { exchange, requestHead, send, signed } = await import('../raw-http/connection.ts')

const bucket = 'hostile'
const unsigned = 'UNSIGNED-PAYLOAD'

/** A signed request whose body is not signed for. */
function deliver(method: string, path: string, body: string | Buffer, { query = {}, headers = {} }: { query?: Record<string, string>; headers?: Record<string, string> } = {}) {
  return send(method, signed({ method, path, query, headers, payload: unsigned }), Buffer.from(body))
}

beforeAll(async () => {
  await deliver('PUT', `/${bucket}`, '')
  await deliver('PUT', `/${bucket}/kept`, 'kept')
})
afterEach(() => victim.expectUnharmed())
afterAll(() => victim.stop())

const documents: readonly (readonly [string, string, string, Record<string, string>])[] = [
  ['PutBucketTagging', 'PUT', `/${bucket}`, { tagging: '' }],
  ['PutBucketWebsite', 'PUT', `/${bucket}`, { website: '' }],
  ['PutBucketCors', 'PUT', `/${bucket}`, { cors: '' }],
  ['PutBucketVersioning', 'PUT', `/${bucket}`, { versioning: '' }],
  ['DeleteObjects', 'POST', `/${bucket}`, { delete: '' }],
  ['PutObjectTagging', 'PUT', `/${bucket}/kept`, { tagging: '' }],
  ['CreateBucket', 'PUT', '/hostile-other', {}],
]
const tenMillion = 10 * 1024 * 1024

describe.each(documents)('%s', (_, method, path, query) => {
  test('refuses 10 MB of XML before reading it, and in chunks while reading it', async () => {
    const body = `<Tagging>${'<TagSet></TagSet>'.repeat(tenMillion / 17)}</Tagging>`
    const request = signed({ method, path, query, payload: unsigned })
    const head = (framing: Record<string, string>) => requestHead(method, request.target, { ...request.headers, ...framing, connection: 'close' })
    const counted = Buffer.concat([head({ 'content-length': String(body.length) }), Buffer.from(body)])
    const chunked = Buffer.concat([head({ 'transfer-encoding': 'chunked' }), Buffer.from(`${body.length.toString(16)}\r\n`), Buffer.from(body), Buffer.from('\r\n0\r\n\r\n')])
    for (const bytes of [counted, chunked]) {
      const answer = await exchange(bytes)
      // The answer may be lost to a reset while we still write: then the connection has closed.
      if (answer !== undefined) expect(answer).toMatchObject({ status: 400, code: 'MaxMessageLengthExceeded' })
    }
    const waiting = head({ 'content-length': String(body.length), expect: '100-continue' })
    expect(await exchange(waiting)).toMatchObject({ status: 400, code: 'MaxMessageLengthExceeded' })
  })

  test.each([
    ['entities that expand', `<!DOCTYPE a [<!ENTITY a "${'a'.repeat(1000)}">${Array.from({ length: 9 }, (_each, index) => `<!ENTITY ${'b'.repeat(index + 1)} "${`&${index === 0 ? 'a' : 'b'.repeat(index)};`.repeat(10)}">`).join('')}]><Tagging>&bbbbbbbbb;</Tagging>`],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Tagging><TagSet><Tag><Key>&x;</Key><Value>v</Value></Tag></TagSet></Tagging>'],
    ['100,000 elements inside of each other', `${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`],
    ['a document that does not end', '<Tagging><TagSet><Tag>'],
    ['another document', '<Surprise/>'],
    ['bytes that are not text', '\u0000\u0001\u0002'],
    ['a megabyte of one attribute', `<Tagging a="${'x'.repeat(1_000_000)}`],
  ])('refuses %s', async (_name, body) => {
    const answer = await deliver(method, path, body, { query })
    expect([answer.status, answer.code]).toEqual([400, 'MalformedXML'])
    expect(answer.body).not.toContain('root:')
  })
})

describe('counts', () => {
  const tags = `<Tagging><TagSet>${Array.from({ length: 5000 }, (_, index) => `<Tag><Key>k${index}</Key><Value>v</Value></Tag>`).join('')}</TagSet></Tagging>`

  test('5,000 tags are refused on buckets, objects, forms of a header', async () => {
    expect(await deliver('PUT', `/${bucket}`, tags, { query: { tagging: '' } })).toMatchObject({ status: 400, code: 'BadRequest' })
    expect(await deliver('PUT', `/${bucket}/kept`, tags, { query: { tagging: '' } })).toMatchObject({ status: 400, code: 'BadRequest' })
    const header = Array.from({ length: 2000 }, (_, index) => `k${index}=v`).join('&')
    expect(await deliver('PUT', `/${bucket}/tagged`, 'x', { headers: { 'x-amz-tagging': header } })).toMatchObject({ status: 400, code: 'BadRequest' })
    expect((await deliver('HEAD', `/${bucket}/tagged`, '')).status).toBe(404)
  })

  test('1,001 keys to delete, 10,001 parts, 101 rules are refused', async () => {
    const keys = `<Delete>${'<Object><Key>kept</Key></Object>'.repeat(1001)}</Delete>`
    expect(await deliver('POST', `/${bucket}`, keys, { query: { delete: '' } })).toMatchObject({ status: 400, code: 'MalformedXML' })
    const parts = `<CompleteMultipartUpload>${'<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>'.repeat(10_001)}</CompleteMultipartUpload>`
    expect(await deliver('POST', `/${bucket}/kept`, parts, { query: { uploadId: 'x' } })).toMatchObject({ status: 400, code: 'MalformedXML' })
    const rules = `<CORSConfiguration>${'<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>'.repeat(101)}</CORSConfiguration>`
    expect(await deliver('PUT', `/${bucket}`, rules, { query: { cors: '' } })).toMatchObject({ status: 400, code: 'MalformedXML' })
    expect(await deliver('GET', `/${bucket}/kept`, '')).toMatchObject({ status: 200, body: 'kept' })
  })

  test('more than 200 headers, or 32 KiB of them, are refused, and none is dropped', async () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x-h${index}`, '1']))
    const request = signed({ method: 'PUT', path: `/${bucket}/headers`, payload: unsigned })
    const head = requestHead('PUT', request.target, { ...request.headers, ...many, 'if-none-match': '*', 'content-length': '0', connection: 'close' })
    expect((await exchange(head))?.status).toBe(431)
    const long = requestHead('PUT', request.target, { ...request.headers, 'x-long': 'x'.repeat(40_000), 'content-length': '0', connection: 'close' })
    expect((await exchange(long))?.status).toBe(431)
    expect((await deliver('HEAD', `/${bucket}/headers`, '')).status).toBe(404)
  })
})

describe('keys', () => {
  test('NUL and other control characters are a key’s like any others, and listed with encoding-type=url', async () => {
    const path = `/${bucket}/control/\u0000\u0001\u001f`
    expect((await deliver('PUT', path, 'control')).status).toBe(200)
    expect(await deliver('GET', path, '')).toMatchObject({ status: 200, body: 'control' })
    const listed = await deliver('GET', `/${bucket}`, '', { query: { 'list-type': '2', prefix: 'control/', 'encoding-type': 'url' } })
    expect(listed.body).toContain('<Key>control/%00%01%1F</Key>')
    expect((await deliver('DELETE', path, '')).status).toBe(204)
  })

  test('NUL cannot be written in XML', async () => {
    const body = '<Delete><Object><Key>ke&#0;pt</Key></Object></Delete>'
    expect(await deliver('POST', `/${bucket}`, body, { query: { delete: '' } })).toMatchObject({ status: 400, code: 'MalformedXML' })
  })

  test('keys of 1,025 bytes, broken escapes and broken UTF-8 are refused', async () => {
    expect(await deliver('PUT', `/${bucket}/${'k'.repeat(1025)}`, 'x')).toMatchObject({ status: 400, code: 'KeyTooLongError' })
    for (const target of ['%zz', '%', '%ff', '%c3%28', '%ed%a0%80']) {
      const answer = await exchange(requestHead('GET', `/${bucket}/${target}`, { host: 'h', connection: 'close' }))
      expect(answer).toMatchObject({ status: 400, code: 'InvalidURI' })
    }
  })

  test.each(['..', '../..', './x', 'a//b', '/', '//', 'a/../../../etc/passwd', '...', ' ', '+', '%2F', '\u{1F600}', 'a?b#c&d=e', '\\..\\..', 'é'])('%j is a key and nothing else', async key => {
    const path = `/${bucket}/${key}`
    expect((await deliver('PUT', path, `content of ${key}`)).status).toBe(200)
    expect(await deliver('GET', path, '')).toMatchObject({ status: 200, body: `content of ${key}` })
    expect((await deliver('DELETE', path, '')).status).toBe(204)
    expect(await deliver('GET', `/${bucket}/kept`, '')).toMatchObject({ body: 'kept' })
  })
})
