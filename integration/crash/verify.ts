/** Compare a restarted server with the ledger, and settle in it what was open. Every difference is a line. */
import { GetObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand, ListPartsCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import type { Catalog, TableMetadata } from './catalog-client.ts'
import { bytesOf, type Content } from './content.ts'
import type { KeyEntry, TableEntry, UploadEntry, VersionedEntry, WriterLedger } from './ledger.ts'
import { plainBucket, versionedBucket, type Connections } from './writer.ts'

export type Report = (difference: string) => void

/** Read what this writer has, all of it or only what was open; the entries are settled afterwards. */
export async function verifyWriter(ledger: WriterLedger, { s3, catalog }: Connections, everything: boolean, report: Report): Promise<void> {
  for (const [key, entry] of ledger.keys) if (everything || entry.pending !== undefined) await verifyKey(s3, key, entry, report)
  const newest = new Set(everything ? [] : [...ledger.versioned.values()].flatMap(entry => [...entry.versions.keys()].slice(-2)))
  for (const [key, entry] of ledger.versioned) await verifyVersions(s3, key, entry, id => everything || newest.has(id), report)
  if (ledger.upload !== undefined) await verifyUpload(s3, ledger.upload, ledger.keys.get(ledger.upload.key), report)
  await verifyTables(s3, catalog, ledger.table, report)
}

async function read(s3: S3Client, Bucket: string, Key: string, VersionId?: string): Promise<{ bytes: Buffer; etag: string } | undefined> {
  try {
    const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) }))
    return { bytes: Buffer.from(await Body?.transformToByteArray() ?? []), etag: ETag ?? '' }
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined
    throw error
  }
}

function isContent(found: { bytes: Buffer; etag: string } | undefined, content: Content | undefined): boolean {
  if (found === undefined || content === undefined) return found === content
  return found.etag === content.etag && found.bytes.equals(bytesOf(content))
}

async function verifyKey(s3: S3Client, key: string, entry: KeyEntry, report: Report): Promise<void> {
  const found = await read(s3, plainBucket, key)
  if (entry.pending !== undefined && isContent(found, entry.pending.content)) entry.settled = entry.pending.content
  else if (!isContent(found, entry.settled)) report(`${key}: found ${described(found)}, acknowledged ${entry.settled?.etag ?? 'nothing'}`)
  entry.pending = undefined
}

const described = (found: { bytes: Buffer; etag: string } | undefined) => found === undefined ? 'nothing' : `${found.bytes.length} bytes ${found.etag}`

async function verifyVersions(s3: S3Client, key: string, entry: VersionedEntry, wanted: (id: string) => boolean, report: Report): Promise<void> {
  const listed = await listVersions(s3, key)
  const unknown = listed.filter(({ id }) => !entry.versions.has(id))
  for (const { id, marker } of unknown) {
    const { pending } = entry
    const applied = pending !== undefined && unknown.length === 1
      && (pending === 'delete marker' ? marker : !marker && isContent(await read(s3, versionedBucket, key, id), pending))
    if (applied) entry.versions.set(id, pending)
    else report(`${key}: version ${id} was never acknowledged and is not what was under way`)
  }
  entry.pending = undefined
  const ids = [...entry.versions.keys()]
  const missing = ids.filter(id => listed.every(row => row.id !== id))
  if (missing.length > 0) report(`${key}: acknowledged versions are gone: ${missing.join(' ')}`)
  const current = listed.filter(({ latest }) => latest).map(({ id }) => id).join(' and ')
  if (current !== (ids.at(-1) ?? '')) report(`${key}: the current version is ${current}, the last acknowledged ${ids.at(-1)}`)
  for (const [id, version] of entry.versions) {
    if (version === 'delete marker' || !wanted(id)) continue
    const found = await read(s3, versionedBucket, key, id)
    if (!isContent(found, version)) report(`${key} version ${id}: found ${described(found)}, acknowledged ${version.etag}`)
  }
}

async function listVersions(s3: S3Client, Prefix: string): Promise<{ id: string; marker: boolean; latest: boolean }[]> {
  const rows: { id: string; marker: boolean; latest: boolean }[] = []
  let markers: { KeyMarker?: string; VersionIdMarker?: string } = {}
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: versionedBucket, Prefix, ...markers }))
    for (const [entries, marker] of [[page.Versions, false], [page.DeleteMarkers, true]] as const) {
      for (const { VersionId = '', IsLatest = false } of entries ?? []) rows.push({ id: VersionId, marker, latest: IsLatest })
    }
    if (page.IsTruncated !== true) return rows
    markers = { KeyMarker: page.NextKeyMarker ?? '', VersionIdMarker: page.NextVersionIdMarker ?? '' }
  }
}

async function verifyUpload(s3: S3Client, upload: UploadEntry, entry: KeyEntry | undefined, report: Report): Promise<void> {
  try {
    const { Parts = [] } = await s3.send(new ListPartsCommand({ Bucket: plainBucket, Key: upload.key, UploadId: upload.uploadId }))
    for (const [index, content] of upload.contents.slice(0, upload.acknowledgedParts).entries()) {
      const part = Parts.find(({ PartNumber }) => PartNumber === index + 1)
      if (part?.ETag !== content.etag) report(`upload ${upload.uploadId}: part ${index + 1} is ${part?.ETag}, acknowledged ${content.etag}`)
    }
  } catch (error) {
    if (!(error instanceof S3ServiceException) || error.name !== 'NoSuchUpload') throw error
    // Gone is right only when its completion was under way and has been applied.
    if (upload.acknowledgedParts < upload.contents.length || entry?.settled?.etag.endsWith(`-${upload.contents.length}"`) !== true) {
      report(`upload ${upload.uploadId} is gone`)
    }
  }
}

async function verifyTables(s3: S3Client, catalog: Catalog, table: TableEntry, report: Report): Promise<void> {
  const found: number[] = []
  for (const name of table.names) {
    const { metadata, metadataLocation } = await catalog.load(name)
    found.push(Number(metadata.properties['n'] ?? 0))
    const file = await readLocation(s3, metadataLocation)
    if (file?.properties['n'] !== metadata.properties['n']) report(`table ${name}: ${metadataLocation} does not hold what the catalog answers`)
  }
  const [first] = found
  if (new Set(found).size !== 1) report(`tables ${table.names.join(' and ')} were committed together and are at ${found.join(' and ')}`)
  if (first !== table.settled && first !== table.pending) report(`table ${table.names[0]} is at ${first}, acknowledged ${table.settled}`)
  table.settled = first ?? 0
  table.pending = undefined
}

async function readLocation(s3: S3Client, location: string): Promise<TableMetadata | undefined> {
  const { hostname, pathname } = new URL(location)
  const found = await read(s3, hostname, decodeURIComponent(pathname.slice(1)))
  return found === undefined ? undefined : JSON.parse(found.bytes.toString()) as TableMetadata
}

/** The listing holds exactly the keys that the ledger has. */
export async function verifyListing(s3: S3Client, ledgers: readonly WriterLedger[], report: Report): Promise<void> {
  const expected = new Map(ledgers.flatMap(({ keys }) => [...keys]).flatMap(([key, { settled }]) => settled === undefined ? [] : [[key, settled.etag] as const]))
  const listed = new Map<string, string>()
  let ContinuationToken: string | undefined
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: plainBucket, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }))
    for (const { Key = '', ETag = '' } of page.Contents ?? []) listed.set(Key, ETag)
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
  for (const [key, etag] of expected) if (listed.get(key) !== etag) report(`the listing has ${listed.get(key) ?? 'nothing'} at ${key}, acknowledged ${etag}`)
  for (const key of listed.keys()) if (!expected.has(key)) report(`the listing has ${key}, which is not there`)
}
