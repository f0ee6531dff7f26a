import { createECDH, createHash, createHmac, createPrivateKey, sign as signEcdsa, type KeyObject } from 'node:crypto'
import { SignatureV4a } from '@smithy/signature-v4a'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authenticate, type Authenticated, type SignatureRules } from './authenticate.ts'
import { ChunkedDecoder } from './aws-chunked.ts'
import { encodeChunked } from './chunk-signer.ts'
import { SigV4Error } from './sigv4-error.ts'
import { deriveEcdsaScalar, ecdsaVerifier } from './sigv4a.ts'
import { SigningKeys } from './signing-keys.ts'
import type { SignedRequest } from './signed-request.ts'

const accessKeyId = 'AKISORANDOMAASORANDOM'
const secretAccessKey = 'q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom'
const nowMs = Date.parse('2026-02-03T04:05:06Z')
const emptyHash = createHash('sha256').digest('hex')

class NodeSha256 {
  readonly #hash
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  }
  update(bytes: string | Uint8Array): void {
    this.#hash.update(bytes)
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest())
  }
}

const rules = (more: Partial<SignatureRules> = {}): SignatureRules => ({
  services: ['s3'],
  region: undefined,
  nowMs,
  keys: new SigningKeys(),
  secretOf: (id) => (id === accessKeyId ? secretAccessKey : undefined),
  ...more,
})

async function signed(path: string, regionSet: string): Promise<SignedRequest> {
  const signer = new SignatureV4a({
    service: 's3',
    region: regionSet,
    credentials: { accessKeyId, secretAccessKey },
    sha256: NodeSha256 as never,
    uriEscapePath: false,
  })
  const request = await signer.sign(
    { method: 'GET', protocol: 'http:', hostname: 'localhost', path, query: {}, headers: { host: 'localhost:9000', 'x-amz-content-sha256': emptyHash } },
    { signingDate: new Date(nowMs) },
  )
  return { method: 'GET', url: path, rawHeaders: Object.entries<string>(request.headers).flat() }
}

const codeOf = (request: SignedRequest, more: Partial<SignatureRules> = {}): Promise<string> =>
  authenticate(request, rules(more)).then(
    ({ kind }) => kind,
    (error: unknown) => {
      if (error instanceof SigV4Error) return error.code
      throw error
    },
  )

describe('SigV4A', () => {
  it('the key that is published for a secret', () => {
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(deriveEcdsaScalar(accessKeyId, secretAccessKey))
    const point = curve.getPublicKey('hex')
    expect(point.slice(2, 66)).toBe('15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb')
    expect(point.slice(66)).toBe('0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0')
  })

  it('what an SDK signs is accepted, in the regions it was signed for', async () => {
    for (const path of ['/', '/bucket/a%20b/c']) {
      expect(await codeOf(await signed(path, '*'))).toBe('authenticated')
      expect(await codeOf(await signed(path, '*'), { region: 'eu-west-1' })).toBe('authenticated')
      expect(await codeOf(await signed(path, 'us-east-1,eu-*'), { region: 'eu-west-1' })).toBe('authenticated')
      expect(await codeOf(await signed(path, 'us-east-1,us-*-2'), { region: 'eu-west-1' })).toBe('AuthorizationHeaderMalformed')
    }
  })

  it('changed requests are refused', async () => {
    const request = await signed('/bucket/key', '*')
    expect(await codeOf({ ...request, url: '/bucket/kez' })).toBe('SignatureDoesNotMatch')
    expect(await codeOf(request, { secretOf: () => 'another' })).toBe('SignatureDoesNotMatch')
    const withoutSet = request.rawHeaders.flatMap((text, index, all) => (index % 2 === 0 && text.toLowerCase() !== 'x-amz-region-set' ? [text, all[index + 1] ?? ''] : []))
    expect(await codeOf({ ...request, rawHeaders: withoutSet })).toBe('AccessDenied')
  })

  it('any text is a wrong signature, not a crash', () => {
    const verifier = ecdsaVerifier(accessKeyId, secretAccessKey)
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{0,150}\**$/))
    fc.assert(
      fc.property(text, (signature) => {
        expect(verifier.matches('text', signature)).toBe(false)
      }),
    )
  })

  it('chunks signed with the same key, their signatures padded', async () => {
    const key = privateKey()
    const { chain } = (await authenticate(await signed('/b/k', '*'), rules())) as Authenticated
    const signer = {
      chain,
      algorithm: 'AWS4-ECDSA-P256-SHA256',
      sign: (text: string) => signEcdsa('sha256', Buffer.from(text), key).toString('hex').padEnd(144, '*'),
    }
    const pieces = [Buffer.from('one'), Buffer.from('two')]
    const wire = encodeChunked(pieces, { 'x-amz-checksum-crc32': 'AAAAAA==' }, signer)
    const framing = { chain, trailer: true, trailerNames: ['x-amz-checksum-crc32'], decodedBytes: 6 }
    const decoder = new ChunkedDecoder(framing)
    expect(Buffer.concat(decoder.push(wire)).toString()).toBe('onetwo')
    decoder.finish()
    const changed = Buffer.from(wire.toString('latin1').replace('two', 'tow'), 'latin1')
    expect(() => new ChunkedDecoder(framing).push(changed)).toThrow(SigV4Error)
  })
})

function privateKey(): KeyObject {
  const scalar = deriveEcdsaScalar(accessKeyId, secretAccessKey)
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  const point = curve.getPublicKey()
  return createPrivateKey({
    key: { kty: 'EC', crv: 'P-256', d: scalar.toString('base64url'), x: point.toString('base64url', 1, 33), y: point.toString('base64url', 33, 65) },
    format: 'jwk',
  })
}
