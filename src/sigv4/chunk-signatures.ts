import { createHash, hash, type Hash } from 'node:crypto'
import type { SignatureChain } from './authenticate.ts'
import { emptySha256Hex } from './payload.ts'
import { SigV4Error } from './sigv4-error.ts'

/**
 * The running signature of an `aws-chunked` body
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and `-trailers`).
 */
export class ChunkSignatures {
  readonly #chain: SignatureChain
  #previous: string
  #hash: Hash | undefined

  constructor(chain: SignatureChain) {
    this.#chain = chain
    this.#previous = chain.seedSignature
  }

  update(bytes: Uint8Array): void {
    this.#hash ??= createHash('sha256')
    this.#hash.update(bytes)
  }

  /** Ends a chunk, the last and empty one included. */
  endChunk(signature: string): void {
    const digest = this.#hash === undefined ? emptySha256Hex : this.#hash.digest('hex')
    this.#hash = undefined
    this.#check('PAYLOAD', `${emptySha256Hex}\n${digest}`, signature)
  }

  /** `canonicalTrailers`: `name:value\n` for each trailer but the signature. */
  endTrailers(canonicalTrailers: string, signature: string): void {
    this.#check('TRAILER', hash('sha256', canonicalTrailers, 'hex'), signature)
  }

  #check(part: 'PAYLOAD' | 'TRAILER', digests: string, signature: string): void {
    const { verifier, timestamp, scope } = this.#chain
    const toSign = `${verifier.algorithm}-${part}\n${timestamp}\n${scope}\n${this.#previous}\n${digests}`
    if (!verifier.matches(toSign, signature)) {
      throw new SigV4Error('SignatureDoesNotMatch', `The signature of a chunk of the body does not match the signature you provided.`, {
        StringToSign: toSign,
        SignatureProvided: signature,
      })
    }
    this.#previous = signature
  }
}
