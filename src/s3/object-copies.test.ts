import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { crc32 } from '@node-rs/crc32'
import { openScratchServer, type ScratchRequest, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
const content = 'the content'
const md5 = `"${createHash('md5').update(content).digest('hex')}"`

beforeAll(async () => {
  server = await openScratchServer()
  await server.send('PUT', '/copies')
})
beforeEach(async () => {
  await server.send('PUT', '/copies/source', {
    body: content,
    headers: { 'content-type': 'text/plain', 'x-amz-meta-a': '1', 'x-amz-tagging': 't=1', 'x-amz-storage-class': 'STANDARD_IA', 'x-amz-website-redirect-location': '/elsewhere' },
  })
})
afterAll(() => server.close())

const copy = (headers: Record<string, string> = {}, key = 'copy', from = '/copies/source') => server.send('PUT', `/copies/${key}`, { headers: { 'x-amz-copy-source': from, ...headers } })
const head = (key: string, options: ScratchRequest = {}) => server.send('HEAD', `/copies/${key}`, options)

describe('CopyObject', () => {
  test('takes metadata and tags along, but neither storage class nor redirect', async () => {
    expect(await copy()).toMatchObject({ status: 200 })
    const { headers } = await head('copy')
    expect(headers).toMatchObject({ 'content-type': 'text/plain', 'x-amz-meta-a': '1', 'x-amz-tagging-count': '1', etag: md5 })
    expect([headers['x-amz-storage-class'], headers['x-amz-website-redirect-location']]).toEqual([undefined, undefined])
    await copy({ 'x-amz-storage-class': 'GLACIER_IR', 'x-amz-website-redirect-location': '/new' })
    expect((await head('copy')).headers).toMatchObject({ 'x-amz-meta-a': '1', 'x-amz-storage-class': 'GLACIER_IR', 'x-amz-website-redirect-location': '/new' })
  })

  test('replaces what it is told to', async () => {
    await copy({ 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-b': '2', 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'x=1&y=2' }, 'replaced')
    const { headers } = await head('replaced')
    expect([headers['content-type'], headers['x-amz-meta-a'], headers['x-amz-meta-b'], headers['x-amz-tagging-count']]).toEqual(['binary/octet-stream', undefined, '2', '2'])
    expect(await copy({ 'x-amz-metadata-directive': 'SWAP' })).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })

  test('onto itself must change something', async () => {
    expect(await copy({}, 'source')).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(await copy({ 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-c': '3' }, 'source')).toMatchObject({ status: 200 })
    expect((await head('source')).headers['x-amz-meta-c']).toBe('3')
  })

  test('computes the checksum it is asked for, from the bytes where the source has none', async () => {
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(crc32(content))
    expect((await copy({ 'x-amz-checksum-algorithm': 'crc32' }, 'summed')).body).toContain(`<ChecksumCRC32>${crc.toString('base64')}</ChecksumCRC32>`)
    expect((await copy({ 'x-amz-checksum-algorithm': 'CRC64NVME' }, 'same')).body).toContain('<ChecksumCRC64NVME>')
    const { headers } = await head('summed', { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    expect([headers['x-amz-checksum-crc32'], headers['x-amz-checksum-type']]).toEqual([crc.toString('base64'), 'FULL_OBJECT'])
    expect(await copy({ 'x-amz-checksum-algorithm': 'CRC16' })).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(await copy({ 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-copy-source-if-match': '"x"' })).toMatchObject({ status: 412 })
    expect(await copy({ 'x-amz-checksum-algorithm': 'CRC32' }, 'other', '/copies/none')).toMatchObject({ status: 404, code: 'NoSuchKey' })
  })

  test.each<[Record<string, string>, number]>([
    [{ 'x-amz-copy-source-if-match': md5 }, 200],
    [{ 'x-amz-copy-source-if-match': '"x"' }, 412],
    [{ 'x-amz-copy-source-if-none-match': md5 }, 412],
    [{ 'x-amz-copy-source-if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }, 412],
    [{ 'x-amz-copy-source-if-unmodified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' }, 412],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-none-match': '*' }, 412],
  ])('under %j answers %d', async (headers, status) => {
    await server.send('PUT', '/copies/copy', { body: 'old' })
    expect((await copy(headers)).status).toBe(status)
    expect(await server.send('GET', '/copies/copy')).toMatchObject({ body: status === 200 ? content : 'old' })
  })
})

describe('RenameObject', () => {
  const rename = (key: string, headers: Record<string, string> = {}, from = 'source') => server.send('PUT', `/copies/${key}`, { query: { renameObject: '' }, headers: { 'x-amz-rename-source': from, ...headers } })

  test('moves the object with all that it has', async () => {
    expect(await rename('folder/moved')).toMatchObject({ status: 200 })
    expect(await server.send('GET', '/copies/folder/moved')).toMatchObject({ status: 200, body: content, headers: { 'x-amz-meta-a': '1', 'x-amz-storage-class': 'STANDARD_IA', etag: md5 } })
    expect(await head('source')).toMatchObject({ status: 404 })
    expect(await rename('again')).toMatchObject({ status: 404, code: 'NoSuchKey' })
  })

  test.each<[string, Record<string, string>]>([
    ['the source’s ETag', { 'x-amz-rename-source-if-match': '"x"' }],
    ['the source’s age', { 'x-amz-rename-source-if-unmodified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' }],
    ['the source’s youth', { 'x-amz-rename-source-if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }],
    ['the destination’s ETag', { 'if-match': '"x"' }],
    ['the destination’s absence', { 'if-none-match': '*' }],
    ['the destination’s age', { 'if-unmodified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' }],
  ])('is refused by %s, and nothing has moved', async (_, headers) => {
    await server.send('PUT', '/copies/there', { body: 'old' })
    expect(await rename('there', headers)).toMatchObject({ status: 412, code: 'PreconditionFailed' })
    expect(await server.send('GET', '/copies/there')).toMatchObject({ body: 'old' })
    expect(await head('source')).toMatchObject({ status: 200 })
  })

  test('repeats its answer under one client token, and refuses the token for another', async () => {
    const token = { 'x-amz-client-token': 'token-1' }
    expect(await rename('once', token)).toMatchObject({ status: 200 })
    expect(await rename('once', token)).toMatchObject({ status: 200 })
    expect(await rename('twice', token)).toMatchObject({ status: 400, code: 'IdempotencyParameterMismatch' })
  })
})

describe('appends', () => {
  const append = (offset: number, body: string, key = 'log', headers: Record<string, string> = {}) => server.send('PUT', `/copies/${key}`, { body, headers: { 'x-amz-write-offset-bytes': String(offset), ...headers } })

  test('grow the object, its size and its combined checksum', async () => {
    expect(await append(0, 'one', 'log', { 'x-amz-checksum-crc32': base64Crc('one'), 'content-type': 'text/log' })).toMatchObject({ status: 200, headers: { 'x-amz-object-size': '3' } })
    const grown = await append(3, ' two', 'log', { 'x-amz-checksum-crc32': base64Crc(' two'), 'content-type': 'text/other' })
    expect(grown).toMatchObject({ status: 200, headers: { 'x-amz-object-size': '7', 'x-amz-checksum-crc32': base64Crc('one two') } })
    expect(grown.headers.etag).toMatch(/^"[0-9a-f]{32}-2"$/)
    expect(await server.send('GET', '/copies/log')).toMatchObject({ body: 'one two', headers: { 'content-type': 'text/log', etag: grown.headers.etag } })
  })

  test('go on with the checksum of the first write, whichever the later ones bring', async () => {
    await append(0, 'one', 'mixed', { 'x-amz-checksum-crc32': base64Crc('one') })
    for (const [offset, headers] of [[3, {}], [7, { 'x-amz-checksum-sha256': createHash('sha256').update(' two').digest('base64') }]] as const) await append(offset, ' two', 'mixed', headers)
    const { headers } = await head('mixed', { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    expect([headers['x-amz-checksum-crc32'], headers['x-amz-checksum-crc64nvme'], headers['x-amz-checksum-sha256']]).toEqual([base64Crc('one two two'), undefined, undefined])
  })

  test('elsewhere than at its end are refused, and so are bodies that are not what they say', async () => {
    await append(0, 'one', 'strict')
    for (const offset of [0, 2, 4]) expect(await append(offset, 'x', 'strict')).toMatchObject({ status: 400, code: 'InvalidWriteOffset' })
    expect(await append(3, 'x', 'strict', { 'content-md5': createHash('md5').update('y').digest('base64') })).toMatchObject({ status: 400, code: 'BadDigest' })
    expect(await append(3, 'x', 'strict', { 'if-match': '"other"' })).toMatchObject({ status: 412 })
    expect((await append(-1, 'x', 'strict')).status).toBe(400)
    expect(await server.send('GET', '/copies/strict')).toMatchObject({ body: 'one' })
  })
})

function base64Crc(text: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return bytes.toString('base64')
}
