import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Credential } from './credential.ts'
import type { SignatureAlgorithm } from './payload.ts'
import { hmacSha256 } from './hmac-sha256.ts'
import { ecdsaVerifier } from './sigv4a.ts'

/** Tells whether a signature of this key is right, in constant time where that matters. */
export interface Verifier {
  readonly algorithm: SignatureAlgorithm
  matches(stringToSign: string, signature: string): boolean
}

/** The largest number of signing keys kept: one for each access key, day, region and service in use. */
const defaultLimit = 4096

/**
 * Signing keys cost four HMACs (or an ECDSA key derivation), so those that have proved right are kept.
 * The oldest goes when the cache is full. An entry serves only the secret that it was made from.
 */
export class SigningKeys {
  readonly #limit: number
  readonly #entries = new Map<string, { readonly secretAccessKey: string; readonly verifier: Verifier }>()

  constructor(limit: number = defaultLimit) {
    this.#limit = limit
  }

  /** The verifier for a credential, made or remembered. */
  get(algorithm: SignatureAlgorithm, credential: Credential, secretAccessKey: string): Verifier {
    const entry = this.#entries.get(entryName(algorithm, credential))
    if (entry !== undefined && entry.secretAccessKey === secretAccessKey) return entry.verifier
    if (algorithm === 'AWS4-ECDSA-P256-SHA256') return ecdsaVerifier(credential.accessKeyId, secretAccessKey)
    return hmacVerifier(hmacSigningKey(credential, secretAccessKey))
  }

  /** Keeps a verifier that has accepted a signature: strangers cannot fill the cache. */
  keep(credential: Credential, secretAccessKey: string, verifier: Verifier): void {
    const name = entryName(verifier.algorithm, credential)
    if (this.#entries.get(name)?.verifier === verifier) return
    this.#entries.delete(name)
    if (this.#entries.size >= this.#limit) {
      const oldest = this.#entries.keys().next()
      if (oldest.done !== true) this.#entries.delete(oldest.value)
    }
    this.#entries.set(name, { secretAccessKey, verifier })
  }

  get size(): number {
    return this.#entries.size
  }
}

/** An ECDSA key depends on neither day nor service. */
const entryName = (algorithm: SignatureAlgorithm, credential: Credential): string =>
  algorithm === 'AWS4-HMAC-SHA256' ? `${credential.scope}/${credential.accessKeyId}` : `ecdsa/${credential.accessKeyId}`

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, "Derive a signing key". */
export function hmacSigningKey(credential: Pick<Credential, 'date' | 'region' | 'service'>, secretAccessKey: string): Buffer {
  const dateKey = hmac(`AWS4${secretAccessKey}`, credential.date)
  const regionKey = hmac(dateKey, credential.region ?? '')
  const serviceKey = hmac(regionKey, credential.service)
  return hmac(serviceKey, 'aws4_request')
}

const signatureCharacters = 64

export function hmacVerifier(signingKey: Buffer): Verifier {
  const sign = hmacSha256(signingKey)
  const expected = Buffer.alloc(signatureCharacters)
  const provided = Buffer.alloc(signatureCharacters)
  return {
    algorithm: 'AWS4-HMAC-SHA256',
    matches(stringToSign, signature) {
      expected.write(sign(stringToSign), 'latin1')
      // A character beyond Latin-1 would lose what tells it from a digit.
      if (signature.length !== signatureCharacters || provided.write(signature, 'utf8') !== signatureCharacters) return false
      return timingSafeEqual(provided, expected)
    },
  }
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
