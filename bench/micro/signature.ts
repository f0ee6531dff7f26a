/**
 * What it takes to verify one signature: `node bench/micro/signature.ts`. The best of many short runs, so that a busy
 * machine does not blur it. The bound for a simple GET signed in its header is 40 µs; exits 1 beyond it.
 */
import { createECDH, createHmac, createPrivateKey, hash, sign } from 'node:crypto'
import { authenticate } from '../../src/sigv4/authenticate.ts'
import type { SignatureRules } from '../../src/sigv4/authenticate.ts'
import { emptySha256Hex } from '../../src/sigv4/payload.ts'
import type { SignedRequest } from '../../src/sigv4/signed-request.ts'
import { hmacSigningKey, SigningKeys } from '../../src/sigv4/signing-keys.ts'
import { deriveEcdsaScalar } from '../../src/sigv4/sigv4a.ts'

const boundMicroseconds = 40
const accessKeyId = 'moraineadmin'
const secretAccessKey = 'moraineadmin'
const nowMs = Date.parse('2026-02-03T04:05:06Z')
const timestamp = '20260203T040506Z'
const credential = { date: '20260203', region: 'us-east-1', service: 's3' }
const scope = '20260203/us-east-1/s3/aws4_request'

const hmacHex = (text: string): string => createHmac('sha256', hmacSigningKey(credential, secretAccessKey)).update(text).digest('hex')

function headerSigned(): SignedRequest {
  const path = '/lake/warehouse/flights/data/00001-5c1d3b0e-8f1f-4f1b-9d0a-2f8b3c1d0e9a.parquet'
  const headers = { host: '127.0.0.1:9000', 'x-amz-content-sha256': emptySha256Hex, 'x-amz-date': timestamp }
  const names = Object.keys(headers).join(';')
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('')
  const canonical = `GET\n${path}\nx-id=GetObject\n${lines}\n${names}\n${emptySha256Hex}`
  const signature = hmacHex(`AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', canonical)}`)
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  const unsigned = { 'user-agent': 'aws-sdk-js/3.1169.0', connection: 'keep-alive', authorization }
  return { method: 'GET', url: `${path}?x-id=GetObject`, rawHeaders: Object.entries({ ...headers, ...unsigned }).flat() }
}

function presigned(): SignedRequest {
  const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${accessKeyId}%2F${scope.replaceAll('/', '%2F')}&X-Amz-Date=${timestamp}&X-Amz-Expires=600&X-Amz-SignedHeaders=host`
  const canonical = `GET\n/lake/key\n${query}\nhost:127.0.0.1:9000\n\nhost\nUNSIGNED-PAYLOAD`
  const signature = hmacHex(`AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', canonical)}`)
  return { method: 'GET', url: `/lake/key?${query}&X-Amz-Signature=${signature}`, rawHeaders: ['Host', '127.0.0.1:9000'] }
}

function ecdsaSigned(): SignedRequest {
  const scalar = deriveEcdsaScalar(accessKeyId, secretAccessKey)
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  const point = curve.getPublicKey()
  const jwk = { kty: 'EC', crv: 'P-256', d: scalar.toString('base64url'), x: point.toString('base64url', 1, 33), y: point.toString('base64url', 33, 65) }
  const headers = { host: '127.0.0.1:9000', 'x-amz-content-sha256': emptySha256Hex, 'x-amz-date': timestamp, 'x-amz-region-set': '*' }
  const names = Object.keys(headers).join(';')
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('')
  const toSign = `AWS4-ECDSA-P256-SHA256\n${timestamp}\n20260203/s3/aws4_request\n${hash('sha256', `GET\n/lake/key\n\n${lines}\n${names}\n${emptySha256Hex}`)}`
  const signature = sign('sha256', Buffer.from(toSign), createPrivateKey({ key: jwk, format: 'jwk' })).toString('hex')
  const authorization = `AWS4-ECDSA-P256-SHA256 Credential=${accessKeyId}/20260203/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`
  return { method: 'GET', url: '/lake/key', rawHeaders: Object.entries({ ...headers, authorization }).flat() }
}

async function microseconds(request: SignedRequest, rules: () => SignatureRules): Promise<number> {
  let best = Infinity
  for (let run = 0; run < 60; run++) {
    const startMs = performance.now()
    for (let turn = 0; turn < 500; turn++) await authenticate(request, rules())
    best = Math.min(best, ((performance.now() - startMs) * 1000) / 500)
  }
  return best
}

const rules: SignatureRules = { services: ['s3'], region: undefined, nowMs, keys: new SigningKeys(), secretOf: () => secretAccessKey }
const kept = (): SignatureRules => rules
const fresh = (): SignatureRules => ({ ...rules, keys: new SigningKeys() })

const header = await microseconds(headerSigned(), kept)
console.log(`header, signing key kept:        ${header.toFixed(1)} µs`)
console.log(`header, signing key derived:     ${(await microseconds(headerSigned(), fresh)).toFixed(1)} µs`)
console.log(`presigned, signing key kept:     ${(await microseconds(presigned(), kept)).toFixed(1)} µs`)
console.log(`SigV4A header, public key kept:  ${(await microseconds(ecdsaSigned(), kept)).toFixed(1)} µs`)
if (header > boundMicroseconds) {
  console.error(`over the bound of ${boundMicroseconds} µs`)
  process.exitCode = 1
}
