import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openScratchServer, websiteDomain, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
const origin = 'https://app.example'
const rules = `<CORSConfiguration><CORSRule><AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>POST</AllowedMethod>
  <AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>`

beforeAll(async () => {
  server = await openScratchServer()
  await server.send('PUT', '/shared')
  await server.send('PUT', '/private')
  await server.send('PUT', '/shared', { query: { cors: '' }, body: rules })
  await server.send('PUT', '/shared/key', { body: 'x' })
})
afterAll(() => server.close())

const ask = (method: string, headers: Record<string, string> = {}, path = '/shared/key') =>
  server.send('OPTIONS', path, { signed: false, headers: { origin, 'access-control-request-method': method, ...headers } })

describe('a preflight', () => {
  test('is answered by the first rule that allows it, unsigned', async () => {
    expect(await ask('GET', { 'access-control-request-headers': 'X-Amz-Date, x-amz-meta-a' })).toMatchObject({
      status: 200,
      headers: {
        'access-control-allow-origin': origin, 'access-control-allow-methods': 'GET, POST', 'access-control-allow-headers': 'x-amz-date, x-amz-meta-a', 'access-control-max-age': '60',
        vary: expect.stringContaining('Origin') as string,
      },
    })
  })

  test.each<[string, string, Record<string, string>, string]>([
    ['of another method', 'DELETE', {}, '/shared/key'],
    ['of another origin', 'GET', { origin: 'https://evil.example' }, '/shared/key'],
    ['with another header', 'GET', { 'access-control-request-headers': 'authorization' }, '/shared/key'],
    ['of a bucket without rules', 'GET', {}, '/private/key'],
    ['of no bucket', 'GET', {}, '/none/key'],
  ])('%s is CORSForbidden', async (_, method, headers, path) => {
    const answer = await ask(method, headers, path)
    expect(answer).toMatchObject({ status: 403, code: 'CORSForbidden' })
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('without its headers is BadRequest', async () => {
    expect(await server.send('OPTIONS', '/shared/key', { signed: false })).toMatchObject({ status: 400, code: 'BadRequest' })
  })
})

describe('a request with an origin', () => {
  test('shows its answer to it, errors and refused forms included', async () => {
    const shown = { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'ETag' }
    expect(await server.send('GET', '/shared/key', { headers: { origin } })).toMatchObject({ status: 200, headers: shown })
    expect(await server.send('GET', '/shared/none', { headers: { origin } })).toMatchObject({ status: 404, headers: shown })
    expect(await server.send('GET', '/shared/key', { signed: false, headers: { origin } })).toMatchObject({ status: 403, headers: shown })
    expect(await server.send('POST', '/shared', { signed: false, headers: { origin, 'content-type': 'multipart/form-data; boundary=b' }, body: '--b--' })).toMatchObject({ headers: shown })
    expect(await server.send('GET', '/', { headers: { origin, host: `shared.${websiteDomain}` } })).toMatchObject({ status: 404, headers: shown })
  })

  test('that no rule allows is answered without a word of it', async () => {
    for (const headers of [{ origin: 'https://evil.example' }, {}] as Record<string, string>[]) {
      const answer = await server.send('GET', '/shared/key', { headers })
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, undefined])
    }
  })
})
