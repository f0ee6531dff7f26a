import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import { CatalogError, type SigningRequest } from '../../catalog/index.ts'
import { authenticate } from '../sigv4/authenticate.ts'
import { SigningKeys } from '../sigv4/signing-keys.ts'
import { createRemoteSigner } from './remote-signer.ts'

const clock = new SimulatedClock()
const signer = createRemoteSigner({ clock, domains: ['s3.example.test'], credentials: async () => ({ accessKeyId: 'ADA', secretAccessKey: 'secret' }) })
const isAllowed = (bucket: string, key: string): boolean => bucket === 'lake' && key.startsWith('db/t/')

function request(uri: string, more: Partial<SigningRequest> = {}): SigningRequest {
  return { region: 'us-east-1', method: 'GET', uri: `http://127.0.0.1:9000${uri}`, headers: { Range: ['bytes=0-9'] }, body: undefined, ...more }
}

async function verified(signing: SigningRequest): Promise<string> {
  const { uri, headers } = await signer.sign(signing, isAllowed)
  const url = new URL(uri)
  const rawHeaders = Object.entries(headers).flatMap(([name, values]) => [name, values.join(',')])
  const result = await authenticate(
    { method: signing.method, url: `${url.pathname}${url.search}`, rawHeaders },
    { services: ['s3'], region: 'us-east-1', nowMs: clock.nowMs(), keys: new SigningKeys(), secretOf: () => 'secret' },
  )
  return result.kind
}

async function codeOf(signing: SigningRequest): Promise<string> {
  try {
    await signer.sign(signing, isAllowed)
    return 'signed'
  } catch (error) {
    return error instanceof CatalogError ? error.code : String(error)
  }
}

const deleteBody = (...keys: string[]): string => `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`
const deletion = (...keys: string[]): Partial<SigningRequest> => ({
  method: 'POST',
  headers: { 'Content-MD5': [hash('md5', deleteBody(...keys), 'base64')] },
  body: deleteBody(...keys),
})

describe('remote signing', () => {
  test('of a session brings its token, and none that the client names', async () => {
    const ofSession = createRemoteSigner({ clock, domains: [], credentials: async () => ({ accessKeyId: 'ADA', secretAccessKey: 'secret', sessionToken: 'own' }) })
    const { headers } = await ofSession.sign(request('/lake/db/t/x', { headers: { 'X-Amz-Security-Token': ['another'] } }), isAllowed)
    expect(headers['x-amz-security-token']).toEqual(['own'])
    expect(JSON.stringify(headers)).not.toContain('another')
    expect(headers['authorization']?.[0]).toContain('x-amz-security-token')
  })

  test.each([
    ['a read', request('/lake/db/t/data/a%20b%3D1.parquet')],
    ['a write', request('/lake/db/t/x', { method: 'PUT', headers: { 'content-type': ['text/plain'], 'X-Amz-Acl': ['private'] } })],
    ['a part', request('/lake/db/t/x?partNumber=1&uploadId=u', { method: 'PUT' })],
    ['a listing', request('/lake?list-type=2&prefix=db/t/data/')],
    ['a deletion', request('/lake?delete', deletion('db/t/a', 'db/t/b'))],
  ])('%s is signed as the object store verifies it', async (_, signing) => {
    expect(await verified(signing)).toBe('authenticated')
  })

  test.each([
    ['another object', request('/lake/db/other/x'), 'Forbidden'],
    ['another bucket', request('/sea/db/t/x'), 'Forbidden'],
    ['the bucket', request('/lake', { method: 'DELETE' }), 'Forbidden'],
    ['a listing of everything', request('/lake?list-type=2'), 'Forbidden'],
    ['a copy from elsewhere', request('/lake/db/t/x', { method: 'PUT', headers: { 'x-amz-copy-source': ['sea/secret'] } }), 'Forbidden'],
    ['another operation', request('/lake/db/t/x?acl'), 'Forbidden'],
    ['a deletion of more', request('/lake?delete', deletion('db/t/a', 'db/other/b')), 'Forbidden'],
    ['a deletion whose list is not held', request('/lake?delete', { ...deletion('db/t/a'), headers: {} }), 'BadRequest'],
    ['the bucket of another host', { ...request(''), uri: 'http://sea.s3.example.test:9000/lake/db/t/x' }, 'Forbidden'],
    ['a way out of the folder', request('/lake/db/t/../other/x'), 'Forbidden'],
    ['a way out of the folder in escapes', request('/lake/db/t/%2e%2e/other/x'), 'Forbidden'],
    ['a listing of two prefixes', request('/lake?list-type=2&prefix=db/t/&prefix=db/'), 'Forbidden'],
    ['broken text', request('/lake/db/t/%ff'), 'BadRequest'],
    ['no address', { ...request(''), uri: 'nowhere' }, 'BadRequest'],
  ])('%s is not', async (_, signing, code) => {
    expect(await codeOf(signing)).toBe(code)
  })
})
