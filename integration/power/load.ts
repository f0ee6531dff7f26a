/** Clients of the server while the log is recorded: writers with keys of their own, and readers of all keys. */
import { createCipheriv, createHash } from 'node:crypto'
import {
  CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client,
  S3ServiceException, UploadPartCommand,
} from '@aws-sdk/client-s3'
import { seededRandom } from '../crash/content.ts'
import type { StartedServer } from '../start-server.ts'
import { digestOf, type History, type State } from './history.ts'
import type { Recorder } from './recorder.ts'

export const bucket = 'power'
const inlineBytes = 65_536
const largestBytes = 700_000
const writerCount = 4
const keysOfWriter = 5

export function connectS3({ endpoint, accessKeyId, secretAccessKey }: StartedServer): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } })
}

export interface LoadOptions {
  readonly recorder: Recorder
  readonly history: History
  readonly s3: S3Client
  readonly seed: number
  /** Ends the load; what is under way is finished. */
  readonly signal: AbortSignal
  /** Nothing is sent any more once the writers have sent so much. */
  readonly maxBytes: number
}

/** Resolves once all clients are done. With `maxBytes` sent, readers go on until the signal. */
export async function load(options: LoadOptions): Promise<void> {
  const sent = { bytes: 0 }
  const writers = Array.from({ length: writerCount }, (_, number) => runWriter(number, options, sent))
  await Promise.all([...writers, runReader(options)])
}

async function runWriter(number: number, options: LoadOptions, sent: { bytes: number }): Promise<void> {
  const { recorder, history, signal, seed, maxBytes } = options
  const random = seededRandom(seed * 100 + number)
  for (let count = 0; !signal.aborted && sent.bytes < maxBytes; count++) {
    const key = `${number}/${Math.floor(random() * keysOfWriter)}`
    const roll = random()
    const size = Math.floor(random() * (roll < 0.7 ? inlineBytes : largestBytes))
    const body = roll < 0.12 ? undefined : bytesOf(`${seed} ${number} ${count}`, size)
    sent.bytes += body?.length ?? 0
    const write = history.begin(key, body === undefined ? undefined : digestOf(body), await recorder.position())
    try {
      await put(options.s3, key, body, random())
      history.acknowledge(write, await recorder.position())
    } catch (error) {
      if (!(error instanceof Error)) throw error
      history.unknown++
      if (isRefusal(error)) throw error
      // A failing server is not asked as fast as it answers.
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}

/** A 4xx answer to a request that is right. */
function isRefusal(error: Error): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode !== undefined && error.$metadata.httpStatusCode < 500
}

async function put(s3: S3Client, Key: string, body: Buffer | undefined, roll: number): Promise<void> {
  const place = { Bucket: bucket, Key }
  if (body === undefined) await s3.send(new DeleteObjectCommand(place))
  else if (roll < 0.8) await s3.send(new PutObjectCommand({ ...place, Body: body }))
  else if (roll < 0.9) await copied(s3, place, body)
  else await uploaded(s3, place, body)
}

async function copied(s3: S3Client, place: { readonly Bucket: string; readonly Key: string }, body: Buffer): Promise<void> {
  const source = { Bucket: bucket, Key: `source/${place.Key}` }
  await s3.send(new PutObjectCommand({ ...source, Body: body }))
  await s3.send(new CopyObjectCommand({ ...place, CopySource: `${bucket}/${source.Key}` }))
}

async function uploaded(s3: S3Client, place: { readonly Bucket: string; readonly Key: string }, body: Buffer): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place))
  const { ETag } = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: body }))
  await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } }))
}

/** Reads what is there: what it has seen must outlive the power too. */
async function runReader({ recorder, history, s3, seed, signal }: LoadOptions): Promise<void> {
  const random = seededRandom(seed * 100 + 99)
  while (!signal.aborted) {
    await new Promise(resolve => setTimeout(resolve, 5))
    const { keys } = history
    const key = keys[Math.floor(random() * keys.length)]
    if (key === undefined) continue
    try {
      history.see(key, await readState(s3, key), await recorder.position())
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw error
    }
  }
}

/** What a GET of the key answers. */
export async function readState(s3: S3Client, key: string): Promise<State> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return digestOf(await (Body?.transformToByteArray() ?? new Uint8Array()))
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return undefined
    throw error
  }
}

/** Bytes that no other write has, from its name. */
function bytesOf(name: string, size: number): Buffer {
  const key = createHash('md5').update(name).digest()
  return Buffer.concat([Buffer.from(`${name};`), createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))])
}
