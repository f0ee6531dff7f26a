import {
  type BucketVersioningStatus, CopyObjectCommand, CreateBucketCommand, DeleteBucketCommand, type DeleteMarkerEntry, DeleteObjectCommand,
  DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectVersionsCommand, ListObjectsV2Command, type ObjectVersion,
  PutBucketVersioningCommand, PutObjectCommand,
} from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3 = connect()

async function bucketWith(status?: BucketVersioningStatus): Promise<string> {
  const Bucket = freshBucket('versions')
  await s3.send(new CreateBucketCommand({ Bucket }))
  if (status !== undefined) await setVersioning(Bucket, status)
  return Bucket
}

const setVersioning = (Bucket: string, Status: BucketVersioningStatus) =>
  s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))

async function put(Bucket: string, Key: string, Body: string): Promise<string | undefined> {
  return (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId
}

async function textOf(Bucket: string, Key: string, VersionId?: string): Promise<string | undefined> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) }))
  return Body?.transformToString()
}

/** Versions and delete markers in listing order, as `[kind, key, version, latest]`. */
async function history(Bucket: string, input: { Prefix?: string; MaxKeys?: number } = {}) {
  const rows: [string, string, string, boolean][] = []
  let markers: { KeyMarker?: string; VersionIdMarker?: string } = {}
  for (let page = 0; page < 100; page += 1) {
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket, ...input, ...markers }))
    const row = (kind: string) => (entry: ObjectVersion | DeleteMarkerEntry): [string, string, string, boolean] =>
      [kind, entry.Key ?? '', entry.VersionId ?? '', entry.IsLatest ?? false]
    rows.push(...(listed.Versions ?? []).map(row('version')), ...(listed.DeleteMarkers ?? []).map(row('marker')))
    if (listed.IsTruncated !== true) return rows
    markers = { KeyMarker: listed.NextKeyMarker ?? '', ...(listed.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: listed.NextVersionIdMarker }) }
  }
  throw new Error('the listing does not end')
}

test('never enabled: no version ids are given; a listing shows null versions', async () => {
  const Bucket = await bucketWith()
  expect(await put(Bucket, 'k', 'one')).toBeUndefined()
  expect(await put(Bucket, 'k', 'two')).toBeUndefined()
  expect(await history(Bucket)).toEqual([['version', 'k', 'null', true]])
  expect(await textOf(Bucket, 'k', 'null')).toBe('two')
  const deleted = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
  expect(deleted.DeleteMarker).toBeUndefined()
  expect(await history(Bucket)).toEqual([])
})

test('enabled: every write is a version of its own, each readable', async () => {
  const Bucket = await bucketWith('Enabled')
  const ids = [await put(Bucket, 'k', 'one'), await put(Bucket, 'k', 'two'), await put(Bucket, 'k', 'three')]
  expect(new Set(ids).size).toBe(3)
  expect(ids.every(id => typeof id === 'string' && id !== 'null' && id !== '')).toBe(true)
  expect(await textOf(Bucket, 'k')).toBe('three')
  expect(await Promise.all(ids.map(id => textOf(Bucket, 'k', id)))).toEqual(['one', 'two', 'three'])
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))
  expect(head.VersionId).toBe(ids[2])
  expect(await history(Bucket)).toEqual([2, 1, 0].map(index => ['version', 'k', ids[index], index === 2]))
})

test('a delete without version hides the object behind a marker; deleting the marker brings it back', async () => {
  const Bucket = await bucketWith('Enabled')
  const version = await put(Bucket, 'k', 'kept')
  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
  expect(marker).toMatchObject({ DeleteMarker: true })
  expect(marker.VersionId).toBeTruthy()
  expect(await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key: 'k' })))).toEqual({ code: 'NoSuchKey', status: 404 })
  expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).toMatchObject({ status: 404 })
  expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0)
  expect(await textOf(Bucket, 'k', version)).toBe('kept')
  const byId = new GetObjectCommand({ Bucket, Key: 'k', VersionId: marker.VersionId })
  expect(await refusalOf(s3.send(byId))).toEqual({ code: 'MethodNotAllowed', status: 405 })
  const removed = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: marker.VersionId }))
  expect(removed).toMatchObject({ DeleteMarker: true, VersionId: marker.VersionId })
  expect(await textOf(Bucket, 'k')).toBe('kept')
})

test('deleting the current version makes the one before it current', async () => {
  const Bucket = await bucketWith('Enabled')
  const first = await put(Bucket, 'k', 'first')
  const second = await put(Bucket, 'k', 'second')
  const removed = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: second }))
  expect(removed.VersionId).toBe(second)
  expect(removed.DeleteMarker).toBeUndefined()
  expect(await textOf(Bucket, 'k')).toBe('first')
  expect(await history(Bucket)).toEqual([['version', 'k', first, true]])
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: first }))
  await s3.send(new DeleteBucketCommand({ Bucket }))
})

test('an object from before versioning keeps the null version', async () => {
  const Bucket = await bucketWith()
  await put(Bucket, 'k', 'before')
  await setVersioning(Bucket, 'Enabled')
  expect(await textOf(Bucket, 'k')).toBe('before')
  const after = await put(Bucket, 'k', 'after')
  expect(await textOf(Bucket, 'k', 'null')).toBe('before')
  expect(await history(Bucket)).toEqual([['version', 'k', after, true], ['version', 'k', 'null', false]])
})

test('suspended: writes and deletes replace the null version and leave the others', async () => {
  const Bucket = await bucketWith('Enabled')
  const kept = await put(Bucket, 'k', 'kept')
  await setVersioning(Bucket, 'Suspended')
  expect([undefined, 'null']).toContain(await put(Bucket, 'k', 'null one'))
  expect([undefined, 'null']).toContain(await put(Bucket, 'k', 'null two'))
  expect(await textOf(Bucket, 'k', 'null')).toBe('null two')
  expect(await history(Bucket)).toEqual([['version', 'k', 'null', true], ['version', 'k', kept, false]])
  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
  expect(marker).toMatchObject({ DeleteMarker: true, VersionId: 'null' })
  const hidden = await history(Bucket)
  expect(hidden.length).toBe(2)
  expect(hidden).toEqual(expect.arrayContaining([['marker', 'k', 'null', true], ['version', 'k', kept, false]]))
  expect(await textOf(Bucket, 'k', kept)).toBe('kept')
  await put(Bucket, 'k', 'null three')
  expect(await history(Bucket)).toEqual([['version', 'k', 'null', true], ['version', 'k', kept, false]])
})

test('versions are listed newest first within a key, keys in order, in pages of any size', async () => {
  const Bucket = await bucketWith('Enabled')
  const expected: string[][] = []
  for (const key of ['a', 'a/b', 'b', 'c']) {
    const ids: string[] = []
    for (let version = 0; version < 4; version += 1) ids.unshift(await put(Bucket, key, `${version}`) ?? '')
    expected.push(...ids.map(id => [key, id]))
  }
  for (const MaxKeys of [1, 2, 3, 7, 1000]) {
    const rows = await history(Bucket, { MaxKeys })
    expect(rows.map(([, key, id]) => [key, id])).toEqual(expected)
    expect(rows.filter(([, , , latest]) => latest).length).toBe(4)
  }
  const grouped = await s3.send(new ListObjectVersionsCommand({ Bucket, Delimiter: '/' }))
  expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'a/' }])
  expect(grouped.Versions?.length).toBe(12)
  const under = await history(Bucket, { Prefix: 'a/' })
  expect(under.length).toBe(4)
})

test('a version that does not exist is NoSuchVersion, and one that cannot is InvalidArgument', async () => {
  const Bucket = await bucketWith('Enabled')
  const version = await put(Bucket, 'k', 'v') ?? ''
  await put(Bucket, 'other', 'v')
  const other = version.slice(0, -1) + (version.endsWith('A') ? 'B' : 'A')
  const absent = await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId: other })))
  expect([{ code: 'NoSuchVersion', status: 404 }, { code: 'InvalidArgument', status: 400 }]).toContainEqual(absent)
  expect(await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key: 'other', VersionId: version })))).toEqual({ code: 'NoSuchVersion', status: 404 })
  const malformed = new GetObjectCommand({ Bucket, Key: 'k', VersionId: 'not a version id' })
  expect(await refusalOf(s3.send(malformed))).toEqual({ code: 'InvalidArgument', status: 400 })
})

test('DeleteObjects removes named versions and makes markers for the rest', async () => {
  const Bucket = await bucketWith('Enabled')
  const version = await put(Bucket, 'by-version', 'x') ?? ''
  await put(Bucket, 'by-key', 'x')
  const answer = await s3.send(new DeleteObjectsCommand({
    Bucket, Delete: { Objects: [{ Key: 'by-version', VersionId: version }, { Key: 'by-key' }] },
  }))
  const named = answer.Deleted?.find(({ Key }) => Key === 'by-version')
  expect(named).toMatchObject({ VersionId: version })
  const marked = answer.Deleted?.find(({ Key }) => Key === 'by-key')
  expect(marked).toMatchObject({ DeleteMarker: true })
  expect(marked?.DeleteMarkerVersionId).toBeTruthy()
  expect((await history(Bucket)).map(([kind, key]) => `${kind} ${key}`).toSorted()).toEqual(['marker by-key', 'version by-key'])
})

test('an older version is a copy source', async () => {
  const Bucket = await bucketWith('Enabled')
  const old = await put(Bucket, 'k', 'old') ?? ''
  await put(Bucket, 'k', 'new')
  const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'restored', CopySource: `${Bucket}/k?versionId=${old}` }))
  expect(copied.CopySourceVersionId).toBe(old)
  expect(await textOf(Bucket, 'restored')).toBe('old')
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
  const hidden = new CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/k` })
  expect(await refusalOf(s3.send(hidden))).toEqual({ code: 'NoSuchKey', status: 404 })
})
