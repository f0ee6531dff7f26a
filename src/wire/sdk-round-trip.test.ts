import * as client from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from './address.ts'
import { detectOperation } from './detect.ts'
import { parseQuery } from './query.ts'
import { requestReaderOf } from './read-request.ts'
import { decodeHeaderText } from './rfc2047.ts'
import { s3Operations } from './s3-operations.ts'
import type { S3Operation } from './s3-operations.ts'
import { structureArbitrary } from './shape-arbitrary.ts'
import { responseWriterOf } from './write-response.ts'

/** The SDK's own serializer and deserializer, without its middleware (which adds checksums and defaults). */
const s3 = new client.S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
const protocol = s3.config.protocol as unknown as Protocol
const context = { ...s3.config }

interface Protocol {
  serializeRequest(schema: unknown, input: object, context: unknown): Promise<SdkRequest>
  deserializeResponse(schema: unknown, context: unknown, response: object): Promise<Record<string, unknown>>
}

interface SdkRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string | string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** What a server sees of it. */
interface Received extends Omit<SdkRequest, 'query'> {
  readonly query: string
}

function schemaOf(operation: S3Operation) {
  const schema: unknown = new Map<string, unknown>(Object.entries(client)).get(`${operation.name}$`)
  const [, namespace, name, traits, input, output] = schema as typeof client.PutObject$
  return { namespace, name, traits, input, output }
}

async function sdkRequest(operation: S3Operation, input: object): Promise<Received> {
  const path = operation.input.members.some(({ name, binding }) => name === 'Bucket' && binding.to === 'label') ? '/lake' : '/'
  const endpoint = () => Promise.resolve({ protocol: 'http:', hostname: 'localhost', path })
  const request = await protocol.serializeRequest(schemaOf(operation), input, { ...context, endpoint })
  const query = Object.entries(request.query).flatMap(([name, value]) =>
    [value].flat().map((each) => encodeURIComponent(name) + (each === null ? '' : `=${encodeURIComponent(each)}`)),
  )
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), asSent(value)]))
  return { ...request, headers, query: query.join('&') }
}

/** Headers reach a server as Latin-1. */
function asSent(value: string): string {
  return Buffer.from(value).toString('latin1')
}

function readAsServer(operation: S3Operation, request: Received) {
  const address = parseAddress({ host: 'localhost', path: request.path, domains: [] })
  const query = parseQuery(request.query)
  const { headers } = request
  expect(detectOperation({ method: request.method, pathKind: address.kind, query, headers })).toEqual({ operation: operation.name })
  const reader = requestReaderOf(operation.name)
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body
  return reader.read({
    query,
    headers,
    bucket: address.kind === 'service' ? undefined : address.bucket,
    key: address.kind === 'object' ? address.key : undefined,
    body: body as Buffer | undefined,
  })
}

/** Metadata keys live in an object without a prototype; equality here is of what is in them. */
function plain(value: unknown): unknown {
  if (value instanceof Date || value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined).map(([name, each]) => [name, plain(each)]))
}

/** Members that the SDK fills in where the caller gives none. */
function sdkDefaults({ name }: S3Operation, read: object): object {
  const { ContentType, ClientToken } = read as { readonly ContentType?: string; readonly ClientToken?: string }
  return name === 'PutObject' ? { ContentType } : name === 'RenameObject' ? { ClientToken } : {}
}

const operations = [...s3Operations.values()]
const hasBody = ({ output }: S3Operation) => output.members.length > 0 && !output.members.some(({ streaming }) => streaming)

describe('requests that the SDK writes', () => {
  // WriteGetObjectResponse goes to a host of its own, with its route as a label of the host name.
  it.each(operations.filter(({ name }) => name !== 'WriteGetObjectResponse'))('$name is read as it was meant', async (operation) => {
    await fc.assert(
      fc.asyncProperty(structureArbitrary(operation.input), async (input) => {
        const read = readAsServer(operation, await sdkRequest(operation, input))
        const expected = { ...sdkDefaults(operation, read.input), ...input }
        expect(plain(read.input)).toEqual(plain(expected))
        expect(new Set(read.present)).toEqual(new Set(Object.keys(expected)))
        expect([...read.unknownHeaders, ...read.unknownParameters]).toEqual([])
      }),
      { numRuns: 15 },
    )
  })
})

describe('responses that the SDK reads', () => {
  it.each(operations.filter(hasBody))('$name is read as it was written', async (operation) => {
    await fc.assert(
      fc.asyncProperty(structureArbitrary(operation.output), async (output) => {
        const written = responseWriterOf(operation.name)(output as never)
        const headers = Object.fromEntries(Object.entries(written.headers).map(([name, value]) => [name.toLowerCase(), value]))
        const response = { statusCode: written.status, headers, body: Buffer.from((written.body as string | undefined) ?? '') }
        const read = await protocol.deserializeResponse(schemaOf(operation), context, response)
        expect(decodeMetadata(plain(read))).toEqual(plain(output))
      }),
      { numRuns: 15 },
    )
  })
})

/** The SDK leaves encoded words to its callers, and gives an empty map where there is no metadata. */
function decodeMetadata(value: unknown): unknown {
  const { $metadata: _, Metadata: metadata, ...members } = value as { readonly $metadata: object; readonly Metadata?: Record<string, string> }
  const decoded = Object.entries(metadata ?? {}).map(([name, text]) => [name, decodeHeaderText(text)])
  return decoded.length === 0 ? members : { ...members, Metadata: Object.fromEntries(decoded) as object }
}
