import {
  CreateBucketCommand, DeleteObjectCommand, ListObjectsCommand, ListObjectsV2Command, PutObjectCommand, type ListObjectsV2CommandInput,
} from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()
const Bucket = freshBucket('listing')
const keys = [
  'a', 'a/', 'a/b', 'a/b/c', 'a/b/d', 'a0', 'logs/2026/01', 'logs/2026/02', 'logs/2027/01', 'notes', 'photos/x', 'z-last',
  '\u{ff5e}-bmp', '\u{1f600}-beyond',
]
// UTF-8 byte order: U+FF5E (ef bd 9e) before U+1F600 (f0 9f 98 80), where UTF-16 has them the other way round.
const ordered = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }))
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
})

const names = (contents: { Key?: string | undefined }[] | undefined) => (contents ?? []).map(({ Key }) => Key)
const prefixes = (common: { Prefix?: string | undefined }[] | undefined) => (common ?? []).map(({ Prefix }) => Prefix)

/** What a listing with these parameters must hold, by the definition of delimiter grouping. */
function expected({ Prefix = '', Delimiter, StartAfter = '' }: { Prefix?: string; Delimiter?: string; StartAfter?: string }) {
  const entries: string[] = []
  for (const key of ordered) {
    if (!key.startsWith(Prefix)) continue
    const at = Delimiter === undefined ? -1 : key.indexOf(Delimiter, Prefix.length)
    const entry = at < 0 ? key : key.slice(0, at + (Delimiter ?? '').length)
    if (Buffer.compare(Buffer.from(entry), Buffer.from(StartAfter)) <= 0 && StartAfter !== '') continue
    if (entries.at(-1) !== entry) entries.push(entry)
  }
  return entries
}

async function pages(input: Omit<ListObjectsV2CommandInput, 'Bucket'>): Promise<string[]> {
  const entries: string[] = []
  let ContinuationToken: string | undefined
  for (let page = 0; page < 50; page += 1) {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, ...input, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }))
    const both = [...names(listed.Contents), ...prefixes(listed.CommonPrefixes)].map(entry => entry ?? '')
    expect(both.length).toBe(listed.KeyCount)
    expect(both.length).toBeLessThanOrEqual(input.MaxKeys ?? 1000)
    entries.push(...both.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    if (listed.IsTruncated !== true) return entries
    ContinuationToken = listed.NextContinuationToken
    expect(ContinuationToken).toBeTruthy()
  }
  throw new Error('the listing does not end')
}

const variants = [
  {}, { Prefix: 'a' }, { Prefix: 'a/' }, { Prefix: 'logs/', Delimiter: '/' }, { Delimiter: '/' }, { Prefix: 'a', Delimiter: '/' },
  { Delimiter: '/20' }, { StartAfter: 'a/b' }, { StartAfter: 'a/', Delimiter: '/' }, { Prefix: 'nothing' }, { Prefix: 'logs/', StartAfter: 'logs/2026/01' },
]

test.each(variants.flatMap(variant => [1000, 1, 2, 3].map(MaxKeys => ({ variant, MaxKeys }))))(
  'V2 $variant in pages of $MaxKeys', async ({ variant, MaxKeys }) => {
    expect(await pages({ ...variant, MaxKeys })).toEqual(expected(variant))
  })

test('V2 entries carry ETag, size, time and class; the owner when asked', async () => {
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'notes', FetchOwner: true }))
  const [entry] = listed.Contents ?? []
  expect(entry).toMatchObject({ Key: 'notes', Size: 5, StorageClass: 'STANDARD', ETag: '"4358b5009c67d0e31d7fbf1663fcd3bf"' })
  expect(entry?.LastModified).toBeInstanceOf(Date)
  expect(entry?.Owner?.ID).toBeTruthy()
  const plain = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'notes' }))
  expect(plain.Contents?.[0]?.Owner).toBeUndefined()
  expect(plain).toMatchObject({ Name: Bucket, Prefix: 'notes', MaxKeys: 1000, KeyCount: 1, IsTruncated: false })
})

test('max-keys 0 is an empty page, and over 1,000 is 1,000', async () => {
  const none = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }))
  expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false })
  const many = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 5000 }))
  expect(many.MaxKeys).toBe(1000)
})

test('bad parameters are InvalidArgument', async () => {
  const refused = { code: 'InvalidArgument', status: 400 }
  expect(await refusalOf(s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: -1 })))).toEqual(refused)
  expect(await refusalOf(s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken: 'not a token' })))).toEqual(refused)
})

test('V1 pages by marker; NextMarker comes with a delimiter', async () => {
  const seen: (string | undefined)[] = []
  let Marker: string | undefined
  for (let page = 0; page < 50; page += 1) {
    const listed = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 3, ...(Marker === undefined ? {} : { Marker }) }))
    seen.push(...names(listed.Contents))
    if (listed.IsTruncated !== true) break
    Marker = listed.NextMarker ?? names(listed.Contents).at(-1)
  }
  expect(seen).toEqual(ordered)
  const grouped = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 }))
  expect(names(grouped.Contents)).toEqual(['a'])
  expect(prefixes(grouped.CommonPrefixes)).toEqual(['a/'])
  expect(grouped.NextMarker).toBe('a/')
  const next = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2, Marker: 'a/' }))
  expect([...names(next.Contents), ...prefixes(next.CommonPrefixes)]).toEqual(['a0', 'logs/'])
  const [entry] = (await s3.send(new ListObjectsCommand({ Bucket, Prefix: 'notes' }))).Contents ?? []
  expect(entry?.Owner?.ID).toBeTruthy()
})

test('encoding-type url encodes keys, prefixes and the delimiter', async () => {
  const own = freshBucket('encoded')
  await s3.send(new CreateBucketCommand({ Bucket: own }))
  const odd = 'sp ace/a+b&c<d>é'
  await s3.send(new PutObjectCommand({ Bucket: own, Key: odd, Body: 'x' }))
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: own, EncodingType: 'url', Prefix: 'sp ' }))
  expect(listed.EncodingType).toBe('url')
  expect(names(listed.Contents).map(key => decodeURIComponent((key ?? '').replaceAll('+', ' ')))).toEqual([odd])
  expect(names(listed.Contents)[0]).not.toBe(odd)
  const plain = await s3.send(new ListObjectsV2Command({ Bucket: own }))
  expect(names(plain.Contents)).toEqual([odd])
})

test('pages stay right while keys come and go between them', async () => {
  const own = freshBucket('moving')
  await s3.send(new CreateBucketCommand({ Bucket: own }))
  const stable = Array.from({ length: 20 }, (_, index) => `k${String(index * 2).padStart(3, '0')}`)
  for (const Key of stable) await s3.send(new PutObjectCommand({ Bucket: own, Key, Body: 'x' }))
  const seen: (string | undefined)[] = []
  let ContinuationToken: string | undefined
  for (let page = 0; page < 20; page += 1) {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: own, MaxKeys: 3, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }))
    seen.push(...names(listed.Contents))
    if (listed.IsTruncated !== true) break
    ContinuationToken = listed.NextContinuationToken
    const at = names(listed.Contents).at(-1) ?? ''
    // The key that ends a page goes, and one before it comes: neither may move the next page.
    await s3.send(new DeleteObjectCommand({ Bucket: own, Key: at }))
    await s3.send(new PutObjectCommand({ Bucket: own, Key: `${at.slice(0, 3)}!`, Body: 'x' }))
  }
  expect(seen.filter(key => stable.includes(key ?? ''))).toEqual(stable)
  expect(new Set(seen).size).toBe(seen.length)
})

test('2,500 keys come in three full pages', async () => {
  const own = freshBucket('many')
  await s3.send(new CreateBucketCommand({ Bucket: own }))
  const many = Array.from({ length: 2500 }, (_, index) => `key-${String(index).padStart(5, '0')}`)
  for (let start = 0; start < many.length; start += 50) {
    await Promise.all(many.slice(start, start + 50).map(Key => s3.send(new PutObjectCommand({ Bucket: own, Key, Body: '' }))))
  }
  const sizes: number[] = []
  const seen: (string | undefined)[] = []
  let ContinuationToken: string | undefined
  do {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: own, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }))
    sizes.push(listed.KeyCount ?? -1)
    seen.push(...names(listed.Contents))
    ContinuationToken = listed.NextContinuationToken
  } while (ContinuationToken !== undefined && sizes.length < 10)
  expect(sizes).toEqual([1000, 1000, 500])
  expect(seen).toEqual(many)
})
