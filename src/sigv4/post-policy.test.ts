import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { authenticatePost, type PostSignature } from './post-policy.ts'
import type { SigV4Error } from './sigv4-error.ts'
import { hmacSigningKey, SigningKeys } from './signing-keys.ts'

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const rules = {
  services: ['s3'],
  region: 'us-east-1',
  nowMs: 0,
  keys: new SigningKeys(),
  secretOf: (id: string) => (id === 'AKIAIOSFODNN7EXAMPLE' ? secretAccessKey : undefined),
}

const policy = Buffer.from('{"expiration":"2015-12-30T12:00:00.000Z","conditions":[{"bucket":"b"}]}').toString('base64')
const signatureOf = (region: string): string =>
  createHmac('sha256', hmacSigningKey({ date: '20151229', region, service: 's3' }, secretAccessKey)).update(policy).digest('hex')

const post: PostSignature = {
  policy,
  algorithm: 'AWS4-HMAC-SHA256',
  credential: 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
  date: '20151229T000000Z',
  signature: signatureOf('us-east-1'),
  sessionToken: undefined,
}

const codeOf = (changes: Partial<PostSignature>): Promise<string> =>
  authenticatePost({ ...post, ...changes }, rules).then(
    () => 'accepted',
    (error: unknown) => (error as SigV4Error).code,
  )

describe('the signature of a POST policy', () => {
  it('is the HMAC of its Base64 text', async () => {
    expect(await authenticatePost(post, rules)).toEqual({
      placement: 'form',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      sessionToken: undefined,
      region: 'us-east-1',
    })
  })

  it.each<[string, Partial<PostSignature>]>([
    ['SignatureDoesNotMatch', { policy: `${policy.slice(0, -1)}A` }],
    ['SignatureDoesNotMatch', { signature: post.signature.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) }],
    ['SignatureDoesNotMatch', { signature: '' }],
    ['InvalidAccessKeyId', { credential: post.credential.replace('AKIA', 'AKIB') }],
    ['InvalidArgument', { algorithm: 'AWS4-HMAC-SHA1' }],
    ['InvalidArgument', { credential: 'AKIAIOSFODNN7EXAMPLE' }],
    ['InvalidArgument', { date: '20151230T000000Z' }],
    ['InvalidArgument', { date: 'yesterday' }],
    ['InvalidArgument', { credential: post.credential.replace('us-east-1', 'eu-west-1'), signature: signatureOf('eu-west-1') }],
  ])('%s: %o', async (code, changes) => {
    expect(await codeOf(changes)).toBe(code)
  })
})
