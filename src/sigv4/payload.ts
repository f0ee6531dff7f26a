import { SigV4Error } from './sigv4-error.ts'

export type SignatureAlgorithm = 'AWS4-HMAC-SHA256' | 'AWS4-ECDSA-P256-SHA256'

/** How a request says its body is protected (`x-amz-content-sha256`). */
export type Payload =
  | { readonly kind: 'unsigned' }
  /** The body's SHA-256, 64 lower-case hex digits. */
  | { readonly kind: 'sha256'; readonly hex: string }
  /** `aws-chunked`; `signed` names the algorithm of the chunk signatures. */
  | { readonly kind: 'chunked'; readonly signed: SignatureAlgorithm | undefined; readonly trailer: boolean }

const namedPayloads: Readonly<Record<string, Payload>> = {
  'UNSIGNED-PAYLOAD': { kind: 'unsigned' },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { kind: 'chunked', signed: undefined, trailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { kind: 'chunked', signed: 'AWS4-HMAC-SHA256', trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { kind: 'chunked', signed: 'AWS4-HMAC-SHA256', trailer: true },
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD': { kind: 'chunked', signed: 'AWS4-ECDSA-P256-SHA256', trailer: false },
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER': { kind: 'chunked', signed: 'AWS4-ECDSA-P256-SHA256', trailer: true },
}

export const emptySha256Hex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const hexDigest = /^[0-9a-f]{64}$/i
/** Iceberg's Java client sends the digest in Base64 there, and signs the canonical request with the hex form. */
const base64Digest = /^[A-Za-z0-9+/]{43}=$/

/** Reads the header's value; `InvalidArgument` when it is none of the known forms. */
export function parsePayload(value: string): Payload {
  if (hexDigest.test(value)) return { kind: 'sha256', hex: value.toLowerCase() }
  if (Object.hasOwn(namedPayloads, value)) return namedPayloads[value] as Payload
  if (base64Digest.test(value)) return { kind: 'sha256', hex: Buffer.from(value, 'base64').toString('hex') }
  throw new SigV4Error(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
  )
}

/** The canonical request's last line for a declared value: a digest is always in hex there. */
export function canonicalPayloadLine(declared: string, payload: Payload): string {
  return payload.kind === 'sha256' && declared.length === 44 ? payload.hex : declared
}
