/** Clients that write, delete, read and list a few keys at the same time, and note when they asked what, and what they were told. */
import { createHash } from 'node:crypto'
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3'
import type { KeyInput, KeyOperation, KeyOutput } from './object-model.ts'

export interface RoundOptions {
  readonly s3: S3Client
  readonly bucket: string
  /** Of this round's keys alone. */
  readonly prefix: string
  readonly clients: number
  readonly keys: number
  readonly operationsPerClient: number
  readonly random: () => number
}

/** What was told of each key. */
export type Histories = ReadonlyMap<string, KeyOperation[]>

const largeBytes = 70_000
const pauseMs = 100
/** Operations without an answer are tried so often beyond the others. */
const extraAttempts = 10

/** Resolves when every client is done. Rejects when an answer is one that no state of the key explains. */
export async function runRound(options: RoundOptions): Promise<Histories> {
  const keys = Array.from({ length: options.keys }, (_, index) => `${options.prefix}${index}`)
  const histories = new Map(keys.map(key => [key, [] as KeyOperation[]]))
  /** The last ETag that some client was told of: conditions that hold are rare without. */
  const known = new Map<string, string>()
  await Promise.all(Array.from({ length: options.clients }, async (_, client) => {
    let answered = 0
    for (let count = 0; answered < options.operationsPerClient && count < options.operationsPerClient + extraAttempts; count++) {
      const key = keys[Math.floor(options.random() * keys.length)] ?? options.prefix
      const roll = options.random()
      const isAnswered = roll < 0.12
        ? await list(options, histories)
        : await one(options, { key, body: bodyOf(`${options.prefix} ${client} ${count}`, options.random()), roll, known, history: histories.get(key) ?? [] })
      if (isAnswered) answered++
      // A server that does not answer is given a moment.
      else await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }))
  return histories
}

interface Turn {
  readonly key: string
  readonly body: Buffer
  readonly roll: number
  readonly known: Map<string, string>
  readonly history: KeyOperation[]
}

/** Whether an answer came. */
async function one({ s3, bucket, random }: RoundOptions, { key, body, roll, known, history }: Turn): Promise<boolean> {
  const place = { Bucket: bucket, Key: key }
  const input = chooseInput(roll, random(), body, known.get(key))
  const calledAt = performance.now()
  const output = await outputOf(ask(s3, place, input, body, random() < 0.3), input)
  if (output === 'unsent') return false
  const answeredAt = output === undefined ? Infinity : performance.now()
  if (output?.kind === 'done' && input.op === 'put') known.set(key, input.etag)
  if (output?.kind === 'seen' && output.etag !== undefined) known.set(key, output.etag)
  // A read without an answer says nothing.
  if (output !== undefined || input.op !== 'read') history.push({ input, calledAt, answeredAt, output: output ?? { kind: 'done' } })
  return output !== undefined
}

function chooseInput(roll: number, other: number, body: Buffer, known: string | undefined): KeyInput {
  const etag = etagOf(body)
  const condition = known === undefined ? {} : { ifMatch: known }
  if (roll < 0.25) return { op: 'put', etag, ...condition }
  if (roll < 0.4) return { op: 'put', etag, ifNoneMatch: '*' }
  if (roll < 0.5) return { op: 'put', etag }
  if (roll < 0.62) return other < 0.6 ? { op: 'delete', ...condition } : { op: 'delete' }
  return { op: 'read' }
}

async function ask(s3: S3Client, place: { readonly Bucket: string; readonly Key: string }, input: KeyInput, body: Buffer, isHead: boolean): Promise<KeyOutput> {
  if (input.op === 'put') {
    const { etag, ifMatch, ifNoneMatch } = input
    const { ETag } = await s3.send(new PutObjectCommand({
      ...place, Body: body, ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }), ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
    }))
    if (ETag !== etag) throw new Error(`PUT answered ${ETag}, not ${etag}`)
    return { kind: 'done' }
  }
  if (input.op === 'delete') {
    await s3.send(new DeleteObjectCommand({ ...place, ...(input.ifMatch === undefined ? {} : { IfMatch: input.ifMatch }) }))
    return { kind: 'done' }
  }
  if (isHead) return { kind: 'seen', etag: (await s3.send(new HeadObjectCommand(place))).ETag }
  const { ETag, Body } = await s3.send(new GetObjectCommand(place))
  const bytes = await (Body?.transformToByteArray() ?? new Uint8Array())
  if (etagOf(bytes) !== ETag) throw new Error(`GET ${place.Key} answered other bytes than those of ${ETag}`)
  return { kind: 'seen', etag: ETag }
}

/** Undefined: what was asked for may have happened or not; `unsent`: nobody was there to ask. */
async function outputOf(answer: Promise<KeyOutput>, input: KeyInput): Promise<KeyOutput | 'unsent' | undefined> {
  try {
    return await answer
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
    if (status === 412) return { kind: 'refused', because: 'PreconditionFailed' }
    if (status === 404) return input.op === 'read' ? { kind: 'seen', etag: undefined } : { kind: 'refused', because: 'NoSuchKey' }
    if (status !== undefined && status < 500) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return 'unsent'
    // A connection that broke has a code of the system, or a status of an answer that was cut off.
    if (status !== undefined || (error instanceof Error && ('code' in error || error.name === 'TimeoutError'))) return undefined
    throw error
  }
}

/** A listing reads every key, each at some time of its own. */
async function list({ s3, bucket, prefix }: RoundOptions, histories: Histories): Promise<boolean> {
  const calledAt = performance.now()
  try {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }))
    const answeredAt = performance.now()
    const listed = new Map(Contents.map(({ Key = '', ETag }) => [Key, ETag]))
    for (const key of listed.keys()) if (!histories.has(key)) throw new Error(`the listing has ${key}, which nobody wrote`)
    for (const [key, history] of histories) history.push({ input: { op: 'read' }, calledAt, answeredAt, output: { kind: 'seen', etag: listed.get(key) } })
    return true
  } catch (error) {
    const output = await outputOf(Promise.reject(error as Error), { op: 'read' })
    if (output !== undefined && output !== 'unsent') throw error
    return false
  }
}

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`

/** Bytes that no other operation writes: in the row itself, or in a blob. */
function bodyOf(name: string, roll: number): Buffer {
  return Buffer.concat([Buffer.from(name), Buffer.alloc(roll < 0.8 ? 100 : largeBytes, 7)])
}
