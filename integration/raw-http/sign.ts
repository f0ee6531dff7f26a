/**
 * AWS Signature Version 4 by hand, so that tests can also send what no SDK would: wrong signatures, altered chunks, cut bodies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto'
import { accessKeyId, region, secretAccessKey } from '../connection.ts'

export const emptySha256 = createHash('sha256').digest('hex')
export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
const hmac = (key: Uint8Array | string, text: string) => createHmac('sha256', key).update(text).digest()
const encode = (text: string) => encodeURIComponent(text).replaceAll(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

export interface ToSign {
  readonly method: string
  readonly host: string
  /** Not yet percent-encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** The value of `x-amz-content-sha256`. */
  readonly payload: string
  readonly date?: Date
  readonly secret?: string
}

export interface Signed {
  /** Path and query as they go on the request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly signature: string
  /** Signs what comes in chunks after the headers: each signature is over the one before it. */
  readonly signer: ChunkSigner
}

export interface ChunkSigner {
  readonly chunk: (previous: string, bytes: Uint8Array) => string
  readonly trailer: (previous: string, trailer: string) => string
}

export function sign({ method, host, path, query = {}, headers = {}, payload, date = new Date(), secret = secretAccessKey }: ToSign): Signed {
  const stamp = date.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`
  const key = ['aws4_request', 's3', region, stamp.slice(0, 8)].reduceRight<Buffer | string>((secretSoFar, part) => hmac(secretSoFar, part), `AWS4${secret}`)
  const all: Record<string, string> = { ...headers, host, 'x-amz-date': stamp, 'x-amz-content-sha256': payload }
  const names = Object.keys(all).toSorted()
  const canonicalPath = path.split('/').map(encode).join('/')
  const canonicalQuery = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`).toSorted().join('&')
  const canonical = [
    method, canonicalPath, canonicalQuery, ...names.map(name => `${name}:${(all[name] ?? '').trim()}`), '', names.join(';'), payload,
  ].join('\n')
  const toSign = (algorithm: string, ...rest: string[]) => [algorithm, stamp, scope, ...rest].join('\n')
  const signature = hmac(key, toSign('AWS4-HMAC-SHA256', sha256(canonical))).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return {
    target: canonicalQuery === '' ? canonicalPath : `${canonicalPath}?${canonicalQuery}`,
    headers: { ...all, authorization },
    signature,
    signer: {
      chunk: (previous, bytes) => hmac(key, toSign('AWS4-HMAC-SHA256-PAYLOAD', previous, emptySha256, sha256(bytes))).toString('hex'),
      trailer: (previous, trailer) => hmac(key, toSign('AWS4-HMAC-SHA256-TRAILER', previous, sha256(trailer))).toString('hex'),
    },
  }
}

/** A body in signed `aws-chunked` framing, the empty last chunk included. */
export function signedChunks({ signature, signer }: Signed, chunks: readonly Uint8Array[], trailer?: string): Buffer {
  const pieces: Buffer[] = []
  let previous = signature
  for (const chunk of [...chunks, new Uint8Array()]) {
    previous = signer.chunk(previous, chunk)
    pieces.push(Buffer.from(`${chunk.length.toString(16)};chunk-signature=${previous}\r\n`), Buffer.from(chunk))
    if (chunk.length > 0) pieces.push(Buffer.from('\r\n'))
  }
  if (trailer === undefined) pieces.push(Buffer.from('\r\n'))
  else pieces.push(Buffer.from(`${trailer}\r\nx-amz-trailer-signature:${signer.trailer(previous, `${trailer}\n`)}\r\n\r\n`))
  return Buffer.concat(pieces)
}

/** A body in unsigned `aws-chunked` framing with a trailer. */
export function unsignedChunks(chunks: readonly Uint8Array[], trailer: string): Buffer {
  const framed = chunks.map(chunk => Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]))
  return Buffer.concat([...framed, Buffer.from(`0\r\n${trailer}\r\n\r\n`)])
}
