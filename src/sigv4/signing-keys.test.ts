import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseCredential } from './credential.ts'
import { hmacSigningKey, SigningKeys } from './signing-keys.ts'

const credentialOf = (accessKeyId: string, day = '20260203'): ReturnType<typeof parseCredential> =>
  parseCredential(`${accessKeyId}/${day}/us-east-1/s3/aws4_request`, 'AWS4-HMAC-SHA256', 'header')

describe('signing keys', () => {
  it('are kept once they have proved right, and no more than the limit', () => {
    const keys = new SigningKeys(3)
    const credential = credentialOf('a')
    const verifier = keys.get('AWS4-HMAC-SHA256', credential, 'secret')
    expect(keys.get('AWS4-HMAC-SHA256', credential, 'secret')).not.toBe(verifier)
    keys.keep(credential, 'secret', verifier)
    expect(keys.get('AWS4-HMAC-SHA256', credential, 'secret')).toBe(verifier)
    for (const id of ['b', 'c', 'd']) keys.keep(credentialOf(id), 'secret', keys.get('AWS4-HMAC-SHA256', credentialOf(id), 'secret'))
    expect(keys.size).toBe(3)
    expect(keys.get('AWS4-HMAC-SHA256', credential, 'secret')).not.toBe(verifier)
  })

  it('serve only the secret, day, region and service that they were made for', () => {
    const keys = new SigningKeys()
    const credential = credentialOf('a')
    const old = keys.get('AWS4-HMAC-SHA256', credential, 'secret')
    keys.keep(credential, 'secret', old)
    const signature = createHmac('sha256', hmacSigningKey(credential, 'secret')).update('text').digest('hex')
    expect(old.matches('text', signature)).toBe(true)
    expect(keys.get('AWS4-HMAC-SHA256', credential, 'new secret').matches('text', signature)).toBe(false)
    expect(keys.get('AWS4-HMAC-SHA256', credentialOf('a', '20260204'), 'secret').matches('text', signature)).toBe(false)
    expect(keys.get('AWS4-HMAC-SHA256', credentialOf('b'), 'new secret').matches('text', signature)).toBe(false)
  })

  it('the published derivation', () => {
    const key = hmacSigningKey({ date: '20150830', region: 'us-east-1', service: 'iam' }, 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')
    expect(key.toString('hex')).toBe('c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9')
  })
})
