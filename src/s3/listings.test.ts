import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseXml, type XmlElement } from '../wire/parse-xml.ts'
import { openScratchServer, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
const keys = ['a', 'a b', 'a+b', 'a/', 'a/1', 'a/2/x', 'a/2/y', 'a//z', 'ab', 'b/1', 'b/2', 'ä/ö', 'c--d--e', 'c--d--f', 'c-d', 'z/z/z', '\u{1F600}/smile', '\uFFFD']
const path = (bucket: string, key: string) => `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
const inOrder = (names: Iterable<string>): string[] => [...names].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

beforeAll(async () => {
  server = await openScratchServer()
  for (const bucket of ['plain', 'versioned', 'uploads', 'moving']) await server.send('PUT', `/${bucket}`)
  await server.send('PUT', '/versioned', { query: { versioning: '' }, body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' })
  for (const key of keys) {
    await server.send('PUT', path('plain', key), { body: key })
    for (let version = 0; version < 3; version++) await server.send('PUT', path('versioned', key), { body: String(version) })
    await server.send('DELETE', path('versioned', key))
    for (let upload = 0; upload < 2; upload++) await server.send('POST', path('uploads', key), { query: { uploads: '' } })
  }
})
afterAll(() => server.close())

interface Page {
  readonly texts: (name: string) => string[]
  readonly one: (name: string) => string | undefined
}

/** Elements of an answer by their paths below its root. */
async function list(bucket: string, query: Record<string, string>): Promise<Page> {
  const answer = await server.send('GET', `/${bucket}`, { query })
  expect([answer.status, answer.code]).toEqual([200, undefined])
  const found = new Map<string, string[]>()
  const walk = (element: XmlElement, above: string): void => {
    for (const child of element.children) {
      const name = above + child.name
      found.set(name, [...(found.get(name) ?? []), child.text])
      walk(child, `${name}.`)
    }
  }
  walk(parseXml(answer.bytes), '')
  const texts = (name: string) => found.get(name) ?? []
  return { texts, one: name => texts(name)[0] }
}

/** What a listing shows, by the documentation's words: keys under the prefix, those that share a delimiter after it as one. */
function expected(prefix: string, delimiter: string, after = ''): string[] {
  const shown = new Set<string>()
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const entry = cut < 0 ? key : key.slice(0, cut + delimiter.length)
    if (after === '' || Buffer.compare(Buffer.from(entry), Buffer.from(after)) > 0) shown.add(entry)
  }
  return inOrder(shown)
}

const decoded = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
const options = fc.record({
  prefix: fc.constantFrom('', 'a', 'a/', 'a/2/', 'c', 'c--', 'nothing', 'ä', '\u{1F600}', 'a '),
  delimiter: fc.constantFrom('', '/', '--', '-', 'b', '//', 'ö', 'a/'),
  size: fc.constantFrom(1, 2, 3, 7, 1000),
  encoding: fc.constantFrom('', 'url'),
})

type Options = { prefix: string; delimiter: string; size: number; encoding: string }
const base = ({ prefix, delimiter, encoding }: Options): Record<string, string> => ({
  ...(prefix === '' ? {} : { prefix }), ...(delimiter === '' ? {} : { delimiter }), ...(encoding === '' ? {} : { 'encoding-type': encoding }),
})

/** Every page of a listing until it ends; each is full unless it is the last. */
async function everyPage(bucket: string, asked: Options, query: Record<string, string>, limitName: string, next: (page: Page, read: (text: string) => string) => Record<string, string>): Promise<string[][]> {
  const read = asked.encoding === 'url' ? decoded : (text: string) => text
  const pages: string[][] = []
  let more: Record<string, string> = {}
  for (;;) {
    const page = await list(bucket, { ...base(asked), ...query, ...more, [limitName]: String(asked.size) })
    const entries = [...page.texts('Contents.Key'), ...page.texts('Version.Key'), ...page.texts('DeleteMarker.Key'), ...page.texts('Upload.Key'), ...page.texts('CommonPrefixes.Prefix')].map(read)
    pages.push(entries)
    expect(entries.length).toBeLessThanOrEqual(asked.size)
    expect([page.one('Prefix'), page.one('Delimiter')].map(text => read(text ?? ''))).toEqual([asked.prefix, asked.delimiter])
    if (page.one('IsTruncated') === 'false') return pages
    expect(entries.length).toBe(asked.size)
    more = next(page, read)
  }
}

describe('every combination of prefix, delimiter, page size and encoding', () => {
  test('ListObjectsV2 by tokens', () => fc.assert(fc.asyncProperty(options, async asked => {
    const pages = await everyPage('plain', asked, { 'list-type': '2' }, 'max-keys', page => ({ 'continuation-token': page.one('NextContinuationToken') ?? '' }))
    expect(pages.map(page => inOrder(page)).flat()).toEqual(expected(asked.prefix, asked.delimiter))
  }), { numRuns: 60 }))

  test('ListObjects by markers', () => fc.assert(fc.asyncProperty(options, async asked => {
    const pages = await everyPage('plain', asked, {}, 'max-keys', (page, read) => ({ marker: asked.delimiter === '' ? read(page.texts('Contents.Key').at(-1) ?? '') : read(page.one('NextMarker') ?? '') }))
    expect(pages.map(page => inOrder(page)).flat()).toEqual(expected(asked.prefix, asked.delimiter))
  }), { numRuns: 60 }))

  test('ListObjectsV2 after a key', () => fc.assert(fc.asyncProperty(options, fc.constantFrom(...keys, 'A', 'zz', 'a/2'), async (asked, after) => {
    const pages = await everyPage('plain', asked, { 'list-type': '2', 'start-after': after }, 'max-keys', page => ({ 'continuation-token': page.one('NextContinuationToken') ?? '' }))
    expect(pages.map(page => inOrder(page)).flat()).toEqual(expected(asked.prefix, asked.delimiter, after))
  }), { numRuns: 60 }))

  test('ListObjectVersions by markers', () => fc.assert(fc.asyncProperty(options, async asked => {
    const pages = await everyPage('versioned', asked, { versions: '' }, 'max-keys', (page, read) => {
      const version = page.one('NextVersionIdMarker')
      return { 'key-marker': read(page.one('NextKeyMarker') ?? ''), ...(version === undefined ? {} : { 'version-id-marker': version }) }
    })
    // Three versions and a delete marker of each key, one entry of each common prefix.
    const entries = expected(asked.prefix, asked.delimiter).flatMap(entry => (keys.includes(entry) && !isGroup(entry, asked) ? [entry, entry, entry, entry] : [entry]))
    expect(pages.map(page => inOrder(page)).flat()).toEqual(entries)
  }), { numRuns: 60 }))

  test('ListMultipartUploads by markers', () => fc.assert(fc.asyncProperty(options, async asked => {
    const pages = await everyPage('uploads', asked, { uploads: '' }, 'max-uploads', (page, read) => {
      const upload = page.one('NextUploadIdMarker')
      return { 'key-marker': read(page.one('NextKeyMarker') ?? ''), ...(upload === undefined ? {} : { 'upload-id-marker': upload }) }
    })
    const entries = expected(asked.prefix, asked.delimiter).flatMap(entry => (keys.includes(entry) && !isGroup(entry, asked) ? [entry, entry] : [entry]))
    expect(pages.map(page => inOrder(page)).flat()).toEqual(entries)
  }), { numRuns: 60 }))

  const isGroup = (entry: string, { prefix, delimiter }: Options) => delimiter !== '' && entry.indexOf(delimiter, prefix.length) >= 0
})

describe('pages', () => {
  test('of no entries are not truncated', async () => {
    for (const query of [{ 'list-type': '2' }, {}, { versions: '' }] as Record<string, string>[]) {
      const page = await list('plain', { ...query, 'max-keys': '0' })
      expect([page.one('IsTruncated'), page.one('MaxKeys'), page.texts('Contents.Key')]).toEqual(['false', '0', []])
    }
    expect((await list('plain', { 'list-type': '2', 'max-keys': '0' })).one('KeyCount')).toBe('0')
  })

  test('have at most 1,000 entries, and refuse what is no size', async () => {
    expect((await list('plain', { 'max-keys': '100000' })).one('MaxKeys')).toBe('1000')
    for (const size of ['-1', 'x', '2147483648', '1.5']) {
      expect(await server.send('GET', '/plain', { query: { 'max-keys': size } })).toMatchObject({ status: 400, code: 'InvalidArgument' })
      expect(await server.send('GET', '/plain', { query: { 'list-type': '2', 'max-keys': size } })).toMatchObject({ status: 400, code: 'InvalidArgument' })
    }
  })

  test('go on where they were while keys come and go, the token’s own key included', async () => {
    for (const key of ['b', 'd', 'f', 'h']) await server.send('PUT', `/moving/${key}`)
    const first = await list('moving', { 'list-type': '2', 'max-keys': '2' })
    expect(first.texts('Contents.Key')).toEqual(['b', 'd'])
    await server.send('DELETE', '/moving/d')
    await server.send('DELETE', '/moving/f')
    for (const key of ['a', 'c', 'e', 'g']) await server.send('PUT', `/moving/${key}`)
    const token = first.one('NextContinuationToken') ?? ''
    const rest = await list('moving', { 'list-type': '2', 'continuation-token': token })
    expect(rest.texts('Contents.Key')).toEqual(['e', 'g', 'h'])
    // The same token again, and with another page size.
    expect((await list('moving', { 'list-type': '2', 'continuation-token': token, 'max-keys': '1' })).texts('Contents.Key')).toEqual(['e'])
  })

  test('refuse tokens and encodings that are none', async () => {
    for (const query of [{ 'continuation-token': '' }, { 'continuation-token': 'x' }, { 'encoding-type': 'base64' }] as Record<string, string>[]) {
      expect(await server.send('GET', '/plain', { query: { 'list-type': '2', ...query } })).toMatchObject({ status: 400, code: 'InvalidArgument' })
    }
    expect(await server.send('GET', '/versioned', { query: { versions: '', 'version-id-marker': 'null' } })).toMatchObject({ status: 400, code: 'InvalidArgument' })
    const optional = (name: string) => server.send('GET', '/plain', { query: { 'list-type': '2' }, headers: { 'x-amz-optional-object-attributes': name } })
    expect([(await optional('RestoreStatus')).status, (await optional('Colour')).code]).toEqual([200, 'InvalidArgument'])
  })

  test('show owners where they should', async () => {
    expect((await list('plain', { 'list-type': '2' })).texts('Contents.Owner')).toEqual([])
    expect((await list('plain', { 'list-type': '2', 'fetch-owner': 'true' })).texts('Contents.Owner')).toHaveLength(keys.length)
    expect((await list('plain', {})).texts('Contents.Owner')).toHaveLength(keys.length)
  })

  test('are plain XML in AWS’s order, which clients search as text', async () => {
    const { body } = await server.send('GET', '/plain', { query: { 'list-type': '2', prefix: 'ab', delimiter: '/' } })
    expect(body).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<ListBucketResult xmlns="http:\/\/s3\.amazonaws\.com\/doc\/2006-03-01\/"><Name>plain<\/Name><Prefix>ab<\/Prefix><KeyCount>1<\/KeyCount><MaxKeys>1000<\/MaxKeys><Delimiter>\/<\/Delimiter><IsTruncated>false<\/IsTruncated><Contents><Key>ab<\/Key><LastModified>[^<]+<\/LastModified><ETag>/)
  })
})
