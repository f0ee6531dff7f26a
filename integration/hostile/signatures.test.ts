/** Who may ask, and what a signature binds. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { presign, type ToPresign } from './presign.ts'
import { startVictim } from './server.ts'

const victim = await startVictim({ MORAINE_REGION: 'us-east-1' })
const { exchange, requestHead, send, signed } = await import('../raw-http/connection.ts')

const bucket = 'signatures'
const host = `127.0.0.1:${victim.port}`
const { accessKeyId, secretAccessKey } = victim

/** A presigned request, sent as it was signed or otherwise. */
async function visit(signedFor: Partial<ToPresign>, sent: { method?: string; headers?: Record<string, string>; body?: string; target?: (target: string) => string } = {}) {
  const { method = 'GET' } = signedFor
  const target = presign({ method, host, path: `/${bucket}/key`, accessKeyId, secretAccessKey, expiresSeconds: 60, ...signedFor })
  const body = Buffer.from(sent.body ?? '')
  const headers = { host, ...sent.headers, 'content-length': String(body.length), connection: 'close' }
  const answer = await exchange(Buffer.concat([requestHead(sent.method ?? method, sent.target?.(target) ?? target, headers), body]))
  if (answer === undefined) throw new Error('no answer')
  return answer
}

beforeAll(async () => {
  await send('PUT', signed({ method: 'PUT', path: `/${bucket}`, payload: 'UNSIGNED-PAYLOAD' }))
  await send('PUT', signed({ method: 'PUT', path: `/${bucket}/key`, payload: 'UNSIGNED-PAYLOAD' }), Buffer.from('content'))
})
afterEach(() => victim.expectUnharmed())
afterAll(() => victim.stop())

describe('a presigned URL', () => {
  test('works from 1 second to 7 days', async () => {
    for (const expiresSeconds of [1, 604_800]) expect(await visit({ expiresSeconds })).toMatchObject({ status: 200, body: 'content' })
  })

  test.each([0, -1, 604_801, 'soon', ''])('for %j seconds is refused', async expiresSeconds => {
    expect(await visit({ expiresSeconds })).toMatchObject({ status: 400, code: 'AuthorizationQueryParametersError' })
  })

  test('is refused when it has expired, and before its time', async () => {
    const expired = await visit({ expiresSeconds: 5, date: new Date(Date.now() - 10_000) })
    expect(expired).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(expired.body).toContain('Request has expired')
    expect(await visit({ date: new Date(Date.now() + 20 * 60_000) })).toMatchObject({ status: 403, code: 'AccessDenied' })
  })

  test('is for its method, path, parameters and host alone', async () => {
    const refused = { status: 403, code: 'SignatureDoesNotMatch' }
    for (const method of ['PUT', 'DELETE', 'HEAD']) expect(await visit({}, { method, body: method === 'HEAD' ? '' : 'x' })).toMatchObject(method === 'HEAD' ? { status: 403 } : refused)
    expect(await visit({}, { target: target => target.replace('/key?', '/other?') })).toMatchObject(refused)
    expect(await visit({}, { target: target => `${target}&versionId=null` })).toMatchObject(refused)
    expect(await visit({}, { target: target => target.replace('X-Amz-Expires=60', 'X-Amz-Expires=600') })).toMatchObject(refused)
    expect(await visit({}, { headers: { host: 'elsewhere.example' } })).toMatchObject(refused)
    expect(await visit({}, { target: target => target.replace(/.$/, end => (end === '0' ? '1' : '0')) })).toMatchObject(refused)
    expect(await visit({})).toMatchObject({ status: 200 })
  })

  test('binds the headers that it names, and refuses x-amz ones that it does not', async () => {
    const put: Partial<ToPresign> = { method: 'PUT', path: `/${bucket}/bound`, headers: { 'content-type': 'text/plain', 'x-amz-meta-role': 'reader' } }
    expect(await visit(put, { headers: { 'content-type': 'text/html', 'x-amz-meta-role': 'reader' }, body: 'x' })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
    expect(await visit(put, { headers: { 'content-type': 'text/plain' }, body: 'x' })).toMatchObject({ status: 403 })
    const unsigned = await visit(put, { headers: { 'content-type': 'text/plain', 'x-amz-meta-role': 'reader', 'x-amz-acl': 'public-read' }, body: 'x' })
    expect(unsigned).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(unsigned.body).toContain('x-amz-acl')
    expect((await visit(put, { headers: { 'content-type': 'text/plain', 'x-amz-meta-role': 'reader' }, body: 'x' })).status).toBe(200)
  })

  test('with a part missing is refused', async () => {
    for (const name of ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders', 'X-Amz-Signature']) {
      const answer = await visit({}, { target: target => target.replace(new RegExp(`[?&]${name}=[^&]*`), match => (match.startsWith('?') ? '?' : '')).replace('?&', '?') })
      expect([400, 403]).toContain(answer.status)
    }
  })
})

describe('a region', () => {
  test('other than the configured one is refused by the right one’s name', async () => {
    const inQuery = await visit({ region: 'eu-west-1' })
    expect(inQuery).toMatchObject({ status: 400, code: 'AuthorizationQueryParametersError' })
    expect(inQuery.body).toContain('us-east-1')
    const request = signed({ method: 'GET', path: `/${bucket}/key`, payload: 'UNSIGNED-PAYLOAD' })
    const authorization = (request.headers['authorization'] ?? '').replace('/us-east-1/', '/eu-west-1/')
    const answer = await send('GET', request, Buffer.alloc(0), { authorization })
    expect(answer).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' })
    expect(answer.body).toContain('<Region>us-east-1</Region>')
  })
})

describe('other ways to ask', () => {
  const ask = (headers: Record<string, string>, target = `/${bucket}/key`, method = 'GET') => exchange(requestHead(method, target, { host, connection: 'close', ...headers }))

  test('Signature Version 2 is refused by a message that names Version 4', async () => {
    const inHeader = await ask({ authorization: `AWS ${accessKeyId}:c2lnbmF0dXJl`, date: new Date().toUTCString() })
    expect(inHeader).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(inHeader?.body).toContain('AWS4-HMAC-SHA256')
    const inQuery = await ask({}, `/${bucket}/key?AWSAccessKeyId=${accessKeyId}&Signature=c2ln&Expires=${Math.floor(Date.now() / 1000) + 60}`)
    expect(inQuery).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(inQuery?.body).toContain('AWS4-HMAC-SHA256')
  })

  test('anonymous requests are refused, whatever they want and whether or not it exists', async () => {
    for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
      for (const target of ['/', `/${bucket}`, `/${bucket}/key`, '/no-such-bucket', '/no-such-bucket/key', `/${bucket}?acl`, `/${bucket}?uploads`]) {
        if ((method === 'POST' || method === 'PUT' || method === 'DELETE') && (target === '/' || target.includes('?uploads') || target.includes('?acl'))) continue
        const answer = await ask({ 'content-length': '0' }, target, method)
        if (method === 'POST' && answer?.status === 405) continue
        expect([method, target, answer?.status, answer?.code]).toEqual([method, target, 403, 'AccessDenied'])
      }
    }
  })

  test.each([
    ['no scheme', 'nonsense'],
    ['an unknown scheme', 'Bearer token'],
    ['nothing after the algorithm', 'AWS4-HMAC-SHA256'],
    ['an unknown algorithm', 'AWS4-HMAC-SHA512 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0'],
    ['a credential without its scope', `AWS4-HMAC-SHA256 Credential=${accessKeyId}, SignedHeaders=host, Signature=${'0'.repeat(64)}`],
    ['a signature that is no hex', `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=zz`],
    ['20,000 characters', `AWS4-HMAC-SHA256 Credential=${'x'.repeat(20_000)}`],
    ['control characters', 'AWS4-HMAC-SHA256\tCredential=\u0001'],
  ])('an Authorization header with %s is refused', async (_, authorization) => {
    const answer = await ask({ authorization, 'x-amz-date': new Date().toISOString().replaceAll(/[-:]|\.\d+/g, ''), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })
    expect([400, 403]).toContain(answer?.status)
  })

  test('an unknown access key is refused as such', async () => {
    expect(await visit({ accessKeyId: 'NOBODY' })).toMatchObject({ status: 403, code: 'InvalidAccessKeyId' })
  })
})
