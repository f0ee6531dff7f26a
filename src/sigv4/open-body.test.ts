import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BodyDigests } from '../checksums/body-digests.ts'
import { authenticate, type Authentication } from './authenticate.ts'
import { encodeChunked } from './chunk-signer.ts'
import { openBody, type BodyRequest } from './open-body.ts'
import { SigV4Error } from './sigv4-error.ts'
import { SigningKeys } from './signing-keys.ts'

/** What the server made of one request. */
interface Seen {
  readonly authentication: Authentication
  readonly bytes: Buffer
  readonly trailers: Readonly<Record<string, string>>
  readonly sizeBytes: number | undefined
  readonly digests: BodyDigests
}

const credentials = { accessKeyId: 'moraine', secretAccessKey: 'a secret with /+= in it' }
let seen: Seen | undefined
const keys = new SigningKeys()

async function receive(request: IncomingMessage): Promise<Seen> {
  const authentication = await authenticate(
    { method: request.method ?? '', url: request.url ?? '', rawHeaders: request.rawHeaders },
    {
      services: ['s3'],
      region: 'eu-central-1',
      nowMs: Date.now(),
      keys,
      secretOf: async (id, token) => (id === credentials.accessKeyId && (token === undefined || token === 'a token') ? credentials.secretAccessKey : undefined),
    },
  )
  const digests = new BodyDigests(['MD5', 'CRC32'])
  const header = (name: string): string | undefined => request.headers[name] as string | undefined
  const opened = openBody({ header, authentication, raw: request, digests })
  const pieces: Buffer[] = []
  for await (const piece of opened.body) pieces.push(piece)
  return { authentication, bytes: Buffer.concat(pieces), trailers: Object.fromEntries(opened.trailers()), sizeBytes: opened.sizeBytes, digests }
}

const server = createServer((request, response) => {
  receive(request).then(
    (got) => {
      seen = got
      response.setHeader('etag', '"x"').end()
    },
    (error: unknown) => {
      response.statusCode = 400
      response.end(`<Error><Code>${error instanceof SigV4Error ? error.code : 'InternalError'}</Code><Message>${String(error)}</Message></Error>`)
    },
  )
})

let endpoint = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const client = (more: object = {}): S3Client =>
  new S3Client({ endpoint, region: 'eu-central-1', forcePathStyle: true, credentials, maxAttempts: 1, ...more })

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) >> 3))

describe('the SDK for JavaScript', () => {
  it('a buffer, signed as a whole', async () => {
    await client().send(new PutObjectCommand({ Bucket: 'b', Key: "a b+c/ü'(!)*~", Body: bytes, Metadata: { name: 'value' } }))
    expect(seen?.authentication).toMatchObject({ kind: 'authenticated', accessKeyId: 'moraine', payload: { kind: 'sha256' } })
    expect(seen?.bytes.equals(bytes)).toBe(true)
    expect(seen?.sizeBytes).toBe(bytes.length)
    expect(seen?.digests.digest('SHA256').toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('a stream, in chunks with a trailer', async () => {
    const stream = Readable.from([bytes.subarray(0, 10), bytes.subarray(10)])
    await client().send(new PutObjectCommand({ Bucket: 'b', Key: 'stream', Body: stream, ContentLength: bytes.length, ChecksumAlgorithm: 'CRC32' }))
    expect(seen?.authentication.payload).toEqual({ kind: 'chunked', signed: undefined, trailer: true })
    expect(seen?.bytes.equals(bytes)).toBe(true)
    expect(seen?.trailers).toEqual({ 'x-amz-checksum-crc32': seen?.digests.base64('CRC32') })
  })

  it('with a session token', async () => {
    await client({ credentials: { ...credentials, sessionToken: 'a token' } }).send(new GetObjectCommand({ Bucket: 'b', Key: 'k', VersionId: 'v' }))
    expect(seen?.authentication).toMatchObject({ sessionToken: 'a token' })
    await expect(client({ credentials: { ...credentials, sessionToken: 'other' } }).send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }))).rejects.toMatchObject({ name: 'InvalidAccessKeyId' })
  })

  it('presigned', async () => {
    const putUrl = await getSignedUrl(client(), new PutObjectCommand({ Bucket: 'b', Key: 'ü x', Metadata: { a: 'b' } }), { expiresIn: 60 })
    expect((await fetch(putUrl, { method: 'PUT', body: bytes })).status).toBe(200)
    expect(seen?.bytes.equals(bytes)).toBe(true)
    expect(seen?.authentication).toMatchObject({ placement: 'query', payload: { kind: 'unsigned' } })
    expect((await fetch(putUrl)).status).toBe(400)
  })

  it('a wrong secret, a wrong region', async () => {
    const put = new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' })
    await expect(client({ credentials: { ...credentials, secretAccessKey: 'no' } }).send(put)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
    await expect(client({ region: 'us-east-1' }).send(put)).rejects.toMatchObject({ name: 'AuthorizationHeaderMalformed' })
  })
})

async function* pieces(...parts: Buffer[]): AsyncGenerator<Buffer> {
  yield* parts
}

async function codeOf(request: Omit<BodyRequest, 'digests' | 'header'> & { headers?: Record<string, string> }): Promise<string> {
  try {
    const opened = openBody({ ...request, header: (name) => request.headers?.[name], digests: new BodyDigests([]) })
    for await (const piece of opened.body) void piece
    return 'accepted'
  } catch (error) {
    if (error instanceof SigV4Error) return error.code
    throw error
  }
}

describe('bodies that are not what they say', () => {
  const hello = Buffer.from('hello')
  const hex = createHash('sha256').update(hello).digest('hex')
  const unsigned = { payload: { kind: 'unsigned' } } as const
  const hashed = { payload: { kind: 'sha256', hex } } as const
  const chunked = { payload: { kind: 'chunked', signed: undefined, trailer: true } } as const

  it('a Content-Length that lies', async () => {
    for (const authentication of [unsigned, hashed]) {
      expect(await codeOf({ authentication, raw: pieces(hello), headers: { 'content-length': '5' } })).toBe('accepted')
      expect(await codeOf({ authentication, raw: pieces(hello) })).toBe('accepted')
      expect(await codeOf({ authentication, raw: pieces(hello), headers: { 'content-length': '6' } })).toBe('IncompleteBody')
      expect(await codeOf({ authentication, raw: pieces(hello), headers: { 'content-length': '4' } })).toBe('IncompleteBody')
      expect(await codeOf({ authentication, raw: pieces(hello), headers: { 'content-length': 'five' } })).toBe('InvalidArgument')
    }
  })

  it('a hash of something else', async () => {
    expect(await codeOf({ authentication: hashed, raw: pieces(Buffer.from('hellO')) })).toBe('XAmzContentSHA256Mismatch')
  })

  it('chunks without their length, or with trailers that are not allowed', async () => {
    const raw = (): AsyncGenerator<Buffer> => pieces(encodeChunked([hello], {}))
    const length = { 'x-amz-decoded-content-length': '5' }
    expect(await codeOf({ authentication: chunked, raw: raw(), headers: length })).toBe('accepted')
    expect(await codeOf({ authentication: chunked, raw: raw() })).toBe('MissingContentLength')
    expect(await codeOf({ authentication: chunked, raw: raw(), headers: { 'x-amz-decoded-content-length': '6' } })).toBe('IncompleteBody')
    expect(await codeOf({ authentication: chunked, raw: raw(), headers: { ...length, 'x-amz-trailer': 'x-amz-checksum-crc32' } })).toBe('MalformedTrailerError')
    expect(await codeOf({ authentication: chunked, raw: raw(), headers: { ...length, 'content-length': '10' } })).toBe('IncompleteBody')
    const signedChunks = { payload: { kind: 'chunked', signed: 'AWS4-HMAC-SHA256', trailer: false } } as const
    expect(await codeOf({ authentication: signedChunks, raw: raw(), headers: length })).toBe('InvalidRequest')
  })
})
