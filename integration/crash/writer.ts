/** One writer of the mixed load: an endless sequence of operations on keys and tables of its own, each noted before and after. */
import {
  CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, PutObjectCommand, type S3Client, UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Catalog } from './catalog-client.ts'
import { bytesOf, contentOf, joined, type Content } from './content.ts'
import { entryOf, versionedEntryOf, type UploadEntry, type WriterLedger } from './ledger.ts'

export const plainBucket = 'crash-plain'
export const versionedBucket = 'crash-versioned'
const inlineBytes = 65_536
const mebibyte = 1 << 20

export interface Writer {
  readonly number: number
  readonly ledger: WriterLedger
  readonly random: () => number
}

export interface Connections {
  readonly s3: S3Client
  readonly catalog: Catalog
}

let seeds = 0

/** Run one operation; what it acknowledges is in the ledger when it resolves. */
export async function step(writer: Writer, connections: Connections): Promise<void> {
  const roll = writer.random()
  const key = `writer-${writer.number}/key-${Math.floor(writer.random() * 8)}`
  if (roll < 0.4) await putPlain(writer, connections, key, freshContent(writer, 0, inlineBytes))
  else if (roll < 0.52) await putPlain(writer, connections, key, freshContent(writer, inlineBytes + 1, 3 * mebibyte))
  else if (roll < 0.62) await deletePlain(writer, connections, key)
  else if (roll < 0.72) await putVersion(writer, connections, key, freshContent(writer, 0, inlineBytes))
  else if (roll < 0.75) await putVersion(writer, connections, key, freshContent(writer, inlineBytes + 1, mebibyte))
  else if (roll < 0.8) await deleteVersioned(writer, connections, key)
  else if (roll < 0.88) await uploadStep(writer, connections, `writer-${writer.number}/uploaded`)
  else await commitTable(writer, connections)
}

function freshContent({ random }: Writer, smallest: number, largest: number): Content {
  seeds += 1
  return contentOf(seeds, smallest + Math.floor(random() * (largest - smallest + 1)))
}

async function putPlain({ ledger }: Writer, { s3 }: Connections, Key: string, content: Content): Promise<void> {
  const entry = entryOf(ledger, Key)
  entry.pending = { content }
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket: plainBucket, Key, Body: bytesOf(content) }))
  if (ETag !== content.etag) throw new Error(`PUT ${Key} answered ${ETag}, not ${content.etag}`)
  entry.settled = content
  entry.pending = undefined
}

async function deletePlain({ ledger }: Writer, { s3 }: Connections, Key: string): Promise<void> {
  const entry = entryOf(ledger, Key)
  entry.pending = { content: undefined }
  await s3.send(new DeleteObjectCommand({ Bucket: plainBucket, Key }))
  entry.settled = undefined
  entry.pending = undefined
}

async function putVersion({ ledger }: Writer, { s3 }: Connections, Key: string, content: Content): Promise<void> {
  const entry = versionedEntryOf(ledger, Key)
  entry.pending = content
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: versionedBucket, Key, Body: bytesOf(content) }))
  entry.versions.set(acknowledged(VersionId), content)
  entry.pending = undefined
}

async function deleteVersioned({ ledger }: Writer, { s3 }: Connections, Key: string): Promise<void> {
  const entry = versionedEntryOf(ledger, Key)
  entry.pending = 'delete marker'
  const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket: versionedBucket, Key }))
  entry.versions.set(acknowledged(VersionId), 'delete marker')
  entry.pending = undefined
}

function acknowledged(versionId: string | undefined): string {
  if (versionId === undefined) throw new Error('a write to a versioned bucket answered no version id')
  return versionId
}

/** The next request of this writer's multipart upload: create, two parts, complete. */
async function uploadStep(writer: Writer, { s3 }: Connections, Key: string): Promise<void> {
  const { ledger } = writer
  const { upload } = ledger
  if (upload === undefined) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: plainBucket, Key }))
    if (UploadId === undefined) throw new Error('no upload id')
    const contents = [freshContent(writer, 5 * mebibyte, 5 * mebibyte), freshContent(writer, 1, inlineBytes * 2)]
    ledger.upload = { key: Key, uploadId: UploadId, contents, acknowledgedParts: 0 }
    return
  }
  const content = upload.contents[upload.acknowledgedParts]
  if (content === undefined) {
    await complete(ledger, s3, upload)
    return
  }
  const { ETag } = await s3.send(new UploadPartCommand({
    Bucket: plainBucket, Key, UploadId: upload.uploadId, PartNumber: upload.acknowledgedParts + 1, Body: bytesOf(content),
  }))
  if (ETag !== content.etag) throw new Error(`UploadPart answered ${ETag}, not ${content.etag}`)
  upload.acknowledgedParts += 1
}

/** Completing again what a crash left open is part of the contract: a repeated completion answers the same. */
async function complete(ledger: WriterLedger, s3: S3Client, upload: UploadEntry): Promise<void> {
  const entry = entryOf(ledger, upload.key)
  const content = joined(upload.contents)
  entry.pending = { content }
  const { ETag } = await s3.send(new CompleteMultipartUploadCommand({
    Bucket: plainBucket, Key: upload.key, UploadId: upload.uploadId,
    MultipartUpload: { Parts: upload.contents.map(({ etag }, index) => ({ ETag: etag, PartNumber: index + 1 })) },
  }))
  if (ETag !== content.etag) throw new Error(`CompleteMultipartUpload answered ${ETag}, not ${content.etag}`)
  entry.settled = content
  entry.pending = undefined
  ledger.upload = undefined
}

async function commitTable({ ledger: { table } }: Writer, { catalog }: Connections): Promise<void> {
  table.pending = table.settled + 1
  await catalog.commit(table.names, table.pending)
  table.settled = table.pending
  table.pending = undefined
}
