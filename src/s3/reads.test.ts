import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openScratchServer, type ScratchRequest, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
const content = '0123456789'
const etag = `"${createHash('md5').update(content).digest('hex')}"`
let lastModified = ''
const partBytes = 5 * 1024 * 1024
const get = (headers: Record<string, string>, key = 'ten', query: ScratchRequest['query'] = {}) => server.send('GET', `/reads/${key}`, { headers, query })

beforeAll(async () => {
  server = await openScratchServer()
  await server.send('PUT', '/reads')
  await server.send('PUT', '/reads/ten', { body: content })
  await server.send('PUT', '/reads/empty')
  lastModified = String((await server.send('HEAD', '/reads/ten')).headers['last-modified'])
  const begun = await server.send('POST', '/reads/parts', { query: { uploads: '' }, headers: { 'x-amz-checksum-algorithm': 'SHA256' } })
  const uploadId = /<UploadId>([^<]*)</.exec(begun.body)?.[1] ?? ''
  const parts: string[] = []
  for (const [number, size] of [[2, partBytes], [5, 7]] as const) {
    const body = Buffer.alloc(size, String(number))
    const checksum = createHash('sha256').update(body).digest('base64')
    const { headers } = await server.send('PUT', '/reads/parts', { query: { uploadId, partNumber: String(number) }, body, headers: { 'x-amz-checksum-sha256': checksum } })
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${String(headers.etag)}</ETag><ChecksumSHA256>${checksum}</ChecksumSHA256></Part>`)
  }
  await server.send('POST', '/reads/parts', { query: { uploadId }, body: `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>` })
})
afterAll(() => server.close())

const earlier = 'Mon, 01 Jan 2001 00:00:00 GMT'
const later = 'Fri, 01 Jan 2100 00:00:00 GMT'

describe('conditions, RFC 9110 §13.2.2', () => {
  test.each<[string, Record<string, string>, number]>([
    ['If-Match holds', { 'if-match': etag }, 200],
    ['If-Match of a list', { 'if-match': `"x", ${etag}` }, 200],
    ['If-Match of anything', { 'if-match': '*' }, 200],
    ['If-Match fails', { 'if-match': '"x"' }, 412],
    ['If-None-Match fails', { 'if-none-match': etag }, 304],
    ['If-None-Match of anything', { 'if-none-match': '*' }, 304],
    ['If-None-Match holds', { 'if-none-match': '"x"' }, 200],
    ['If-Modified-Since fails', { 'if-modified-since': later }, 304],
    ['If-Modified-Since holds', { 'if-modified-since': earlier }, 200],
    ['If-Unmodified-Since fails', { 'if-unmodified-since': earlier }, 412],
    ['If-Unmodified-Since holds', { 'if-unmodified-since': later }, 200],
    ['If-Match decides over If-Unmodified-Since', { 'if-match': etag, 'if-unmodified-since': earlier }, 200],
    ['If-None-Match decides over If-Modified-Since', { 'if-none-match': '"x"', 'if-modified-since': later }, 200],
    ['a failing If-Match comes before If-None-Match', { 'if-match': '"x"', 'if-none-match': etag }, 412],
    ['a failing If-None-Match after If-Match', { 'if-match': etag, 'if-none-match': etag }, 304],
    ['a date that is none is ignored', { 'if-modified-since': 'yesterday' }, 200],
  ])('%s', async (_, headers, status) => {
    const answer = await get(headers)
    expect(answer.status).toBe(status)
    if (status === 304) expect([answer.body, answer.headers.etag, answer.headers['last-modified']]).toEqual(['', etag, lastModified])
    expect((await server.send('HEAD', '/reads/ten', { headers })).status).toBe(status)
  })
})

describe('ranges', () => {
  test.each<[string, number, string | undefined, string]>([
    ['bytes=0-3', 206, 'bytes 0-3/10', '0123'],
    ['bytes=4-', 206, 'bytes 4-9/10', '456789'],
    ['bytes=-3', 206, 'bytes 7-9/10', '789'],
    ['bytes=-300', 206, 'bytes 0-9/10', content],
    ['bytes=8-100', 206, 'bytes 8-9/10', '89'],
    ['bytes=0-1,4-5', 200, undefined, content],
    ['bytes=5-4', 200, undefined, content],
    ['lines=1-2', 200, undefined, content],
  ])('%s', async (range, status, contentRange, body) => {
    const answer = await get({ range })
    expect([answer.status, answer.headers['content-range'], answer.body]).toEqual([status, contentRange, body])
    expect(answer.headers['content-length']).toBe(String(body.length))
  })

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s cannot be satisfied', async range => {
    expect(await get({ range })).toMatchObject({ status: 416, code: 'InvalidRange', headers: { 'content-range': 'bytes */10' } })
  })

  test('of an empty object cannot be satisfied', async () => {
    expect(await get({ range: 'bytes=0-' }, 'empty')).toMatchObject({ status: 416 })
    expect(await get({}, 'empty')).toMatchObject({ status: 200, body: '' })
  })

  test('hold only while the object is the one that If-Range names', async () => {
    const range = 'bytes=0-1'
    for (const held of [etag, lastModified]) expect(await get({ range, 'if-range': held })).toMatchObject({ status: 206, body: '01' })
    for (const gone of ['"x"', `W/${etag}`, earlier, 'nonsense']) expect(await get({ range, 'if-range': gone })).toMatchObject({ status: 200, body: content })
    expect(await get({ range: 'bytes=99-', 'if-range': '"x"' })).toMatchObject({ status: 200, body: content })
  })
})

describe('parts', () => {
  const part = (partNumber: string, headers: Record<string, string> = {}) => get(headers, 'parts', { partNumber })

  test('are read by their numbers, with their place and count', async () => {
    const whole = partBytes + 7
    const second = await part('5')
    expect(second).toMatchObject({ status: 206, body: '5555555', headers: { 'content-range': `bytes ${partBytes}-${partBytes + 6}/${whole}`, 'x-amz-mp-parts-count': '2' } })
    const first = await server.send('HEAD', '/reads/parts', { query: { partNumber: '2' } })
    expect(first).toMatchObject({ status: 206, headers: { 'content-length': String(partBytes), 'content-range': `bytes 0-${partBytes - 1}/${whole}` } })
  })

  test('have checksums of their own, and the object its composite one', async () => {
    const mode = { 'x-amz-checksum-mode': 'ENABLED' }
    expect((await part('5', mode)).headers['x-amz-checksum-sha256']).toBe(createHash('sha256').update('5555555').digest('base64'))
    const whole = await server.send('HEAD', '/reads/parts', { headers: mode })
    expect(whole.headers['x-amz-checksum-sha256']).toMatch(/-2$/)
    expect(whole.headers['x-amz-checksum-type']).toBe('COMPOSITE')
    expect((await get({ ...mode, range: 'bytes=0-4' }, 'parts')).headers['x-amz-checksum-sha256']).toBeUndefined()
  })

  test('that are not there are refused', async () => {
    expect(await part('3')).toMatchObject({ status: 416, code: 'InvalidPartNumber' })
    for (const number of ['0', '10001', '-1', 'x']) expect(await part(number)).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect(await part('2', { range: 'bytes=0-1' })).toMatchObject({ status: 400, code: 'InvalidRequest' })
  })

  test('of an object that was put whole: it is its part 1', async () => {
    expect(await get({}, 'ten', { partNumber: '1' })).toMatchObject({ status: 206, body: content })
    expect(await get({}, 'ten', { partNumber: '2' })).toMatchObject({ status: 416 })
  })

  test('are paged by GetObjectAttributes', async () => {
    const attributes = (headers: Record<string, string>) => get({ 'x-amz-object-attributes': 'ObjectParts,ObjectSize,ETag,Checksum,StorageClass', ...headers }, 'parts', { attributes: '' })
    const first = await attributes({ 'x-amz-max-parts': '1' })
    expect(first.body).toMatch(/<PartsCount>2<\/PartsCount>.*<NextPartNumberMarker>2<.*<IsTruncated>true<.*<PartNumber>2</)
    const second = await attributes({ 'x-amz-max-parts': '1', 'x-amz-part-number-marker': '2' })
    expect(second.body).toMatch(/<IsTruncated>false<.*<PartNumber>5</)
    expect(await attributes({ 'x-amz-object-attributes': 'Owner' })).toMatchObject({ status: 400, code: 'InvalidArgument' })
    expect(await get({}, 'parts', { attributes: '' })).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })
})

test('response-* parameters replace headers, and cannot end them', async () => {
  const query = { 'response-content-type': 'text/x', 'response-content-disposition': 'attachment; filename="a b"', 'response-cache-control': 'no-store', 'response-expires': 'never' }
  expect((await get({}, 'ten', query)).headers).toMatchObject({ 'content-type': 'text/x', 'content-disposition': 'attachment; filename="a b"', 'cache-control': 'no-store', expires: 'never' })
  expect(await get({}, 'ten', { 'response-content-type': 'a\r\nset-cookie: b' })).toMatchObject({ status: 400, code: 'InvalidArgument' })
})
