import { createHmac, createECDH, createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { Verifier } from './signing-keys.ts'

/** The order of the P-256 group, less two. */
const orderLessTwo = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n - 2n

/** A DER signature over P-256 has at most 72 bytes. */
const longestSignature = 144

/**
 * The private scalar that SigV4A derives from an access key: the counter mode KDF of NIST SP 800-108
 * over HMAC-SHA-256, with candidates outside the group skipped.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, "Derive a signing key for SigV4a".
 */
export function deriveEcdsaScalar(accessKeyId: string, secretAccessKey: string): Buffer {
  const inputKey = `AWS4A${secretAccessKey}`
  for (let counter = 1; counter < 255; counter++) {
    const fixedInput = Buffer.concat([
      Buffer.from([0, 0, 0, 1]),
      Buffer.from('AWS4-ECDSA-P256-SHA256'),
      Buffer.from([0]),
      Buffer.from(accessKeyId),
      Buffer.from([counter]),
      Buffer.from([0, 0, 1, 0]),
    ])
    const candidate = BigInt(`0x${createHmac('sha256', inputKey).update(fixedInput).digest('hex')}`)
    if (candidate <= orderLessTwo) return Buffer.from((candidate + 1n).toString(16).padStart(64, '0'), 'hex')
  }
  throw new RangeError('no ECDSA key can be derived from this access key')
}

/** Verifies signatures that the holder of the secret made: only the public half is kept. */
export function ecdsaVerifier(accessKeyId: string, secretAccessKey: string): Verifier {
  const publicKey = publicKeyOf(deriveEcdsaScalar(accessKeyId, secretAccessKey))
  return {
    algorithm: 'AWS4-ECDSA-P256-SHA256',
    matches(stringToSign, signature) {
      // Chunk signatures are padded with asterisks to the longest length.
      if (signature.length > longestSignature) return false
      const hex = signature.replace(/\*+$/, '')
      if (!/^(?:[0-9a-f]{2})+$/.test(hex)) return false
      return verify('sha256', Buffer.from(stringToSign), publicKey, Buffer.from(hex, 'hex'))
    },
  }
}

function publicKeyOf(scalar: Buffer): KeyObject {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  const point = curve.getPublicKey()
  const coordinate = (from: number): string => point.subarray(from, from + 32).toString('base64url')
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) }, format: 'jwk' })
}
