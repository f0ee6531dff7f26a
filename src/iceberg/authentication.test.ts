import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openScratchCatalog, type ScratchCatalog } from './scratch-catalog.ts'

class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', typeof secret === 'string' ? secret : Buffer.from(secret as Uint8Array))
  }

  update(bytes: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof bytes === 'string' ? bytes : Buffer.from(bytes as Uint8Array))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
}

let world: ScratchCatalog
beforeAll(async () => {
  world = await openScratchCatalog()
})
afterAll(() => world.remove())

const secretAccessKey = 'ada+secret/with=signs'
const url = '/iceberg/v1/lake/namespaces'

async function signed(service: string, body: string | undefined, secret = secretAccessKey): Promise<{ readonly status: number; readonly body: string }> {
  const signer = new SignatureV4({ service, region: 'us-east-1', sha256: Sha256, credentials: { accessKeyId: 'ADA', secretAccessKey: secret } })
  const method = body === undefined ? 'GET' : 'POST'
  const request = await signer.sign(
    { method, protocol: 'http:', hostname: 'localhost', path: url, query: {}, headers: { host: 'localhost', 'content-type': 'application/json' }, ...(body !== undefined && { body }) },
    { signingDate: new Date(world.world.clock.nowMs()) },
  )
  const answer = await world.app.inject({ method, url, headers: request.headers, ...(body !== undefined && { payload: body }) })
  return { status: answer.statusCode, body: answer.body }
}

describe('SigV4', () => {
  test.each(['execute-api', 's3tables', 'glue', 's3'])('signs for %s', async (service) => {
    expect((await signed(service, undefined)).status).toBe(200)
    expect((await signed(service, JSON.stringify({ namespace: [`of-${service}`] }))).status).toBe(200)
  })

  test.each(['iam', 'sts', 'S3', 'execute-ap', ''])('does not for %j', async (service) => {
    expect((await signed(service, undefined)).status).toBe(401)
  })

  test('with another secret is refused, in the form of the specification', async () => {
    const answer = await signed('execute-api', undefined, 'wrong')
    expect(answer.status).toBe(401)
    expect(JSON.parse(answer.body)).toMatchObject({ error: { type: 'NotAuthorizedException', code: 401 } })
  })

  test('covers the body', async () => {
    const signer = new SignatureV4({ service: 's3tables', region: 'us-east-1', sha256: Sha256, credentials: { accessKeyId: 'ADA', secretAccessKey } })
    const request = await signer.sign(
      { method: 'POST', protocol: 'http:', hostname: 'localhost', path: url, query: {}, headers: { host: 'localhost', 'content-type': 'application/json' }, body: '{"namespace":["a"]}' },
      { signingDate: new Date(world.world.clock.nowMs()) },
    )
    expect((await world.app.inject({ method: 'POST', url, headers: request.headers, payload: '{"namespace":["b"]}' })).statusCode).toBe(401)
  })
})

describe('without good credentials', () => {
  test.each([
    ['none', undefined],
    ['Basic', `Basic ${Buffer.from(`ADA:${secretAccessKey}`).toString('base64')}`],
    ['an unknown scheme', 'Digest username="ADA"'],
    ['a token of nobody', 'Bearer abc'],
    ['a token in the form of ours', `Bearer ${['{"alg":"HS256","typ":"JWT"}', '{"iss":"moraine","sub":"ADA","scope":"","iat":0,"exp":99999999999}', 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.')}`],
    ['a token without a signature', `Bearer ${['{"alg":"none","typ":"JWT"}', '{"iss":"moraine","sub":"ADA","scope":"","iat":0,"exp":99999999999}'].map((part) => Buffer.from(part).toString('base64url')).join('.')}.`],
  ])('%s: 401 with the body of the specification', async (_, authorization) => {
    for (const [method, path] of [['GET', '/iceberg/v1/config?warehouse=lake'], ['POST', url], ['DELETE', `${url}/x`]] as const) {
      const answer = await world.app.inject({ method, url: path, headers: authorization === undefined ? {} : { authorization } })
      expect(answer.statusCode).toBe(401)
      expect(answer.json()).toEqual({ error: { message: expect.any(String) as string, type: 'NotAuthorizedException', code: 401 } })
    }
  })
})

describe('the token endpoint', () => {
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
  const client = { client_id: 'ADA', client_secret: secretAccessKey }
  const basic = `Basic ${Buffer.from(`ADA:${encodeURIComponent(secretAccessKey)}`).toString('base64')}`

  async function ask(form: readonly (readonly [string, string])[], authorization?: string): Promise<readonly [number, Record<string, unknown>]> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8', ...(authorization !== undefined && { authorization }) }
    const answer = await world.app.inject({ method: 'POST', url: '/iceberg/v1/oauth/tokens', headers, payload: new URLSearchParams(form.map(([name, value]) => [name, value])).toString() })
    return [answer.statusCode, answer.json<Record<string, unknown>>()]
  }
  const entries = (form: Record<string, string>): [string, string][] => Object.entries(form)
  const granted = async (): Promise<string> => (await ask(entries({ grant_type: 'client_credentials', ...client })))[1]['access_token'] as string

  test('takes the client’s credentials in the form or by Basic, form-encoded', async () => {
    for (const [form, authorization] of [[{ grant_type: 'client_credentials', ...client }, undefined], [{ grant_type: 'client_credentials' }, basic]] as const) {
      const [status, body] = await ask(entries(form), authorization)
      expect([status, body]).toEqual([200, { access_token: expect.any(String) as string, token_type: 'bearer', expires_in: 86_400, issued_token_type: accessToken }])
    }
  })

  test('gives back the scope that was asked for', async () => {
    expect((await ask(entries({ grant_type: 'client_credentials', scope: 'catalog sign', ...client })))[1]['scope']).toBe('catalog sign')
    expect((await ask(entries({ grant_type: 'client_credentials', scope: '', ...client })))[1]['scope']).toBeUndefined()
  })

  test.each([
    ['a parameter twice', [['grant_type', 'client_credentials'], ['grant_type', 'client_credentials']], undefined, 'invalid_request'],
    ['two ways to authenticate', entries({ grant_type: 'client_credentials', ...client }), basic, 'invalid_request'],
    ['no credentials', entries({ grant_type: 'client_credentials' }), undefined, 'invalid_client'],
    ['an empty secret', entries({ grant_type: 'client_credentials', client_id: 'ADA', client_secret: '' }), undefined, 'invalid_client'],
    ['a client that is not there', entries({ grant_type: 'client_credentials', client_id: 'EVE', client_secret: 'x' }), undefined, 'invalid_client'],
    ['a malformed scope', entries({ grant_type: 'client_credentials', scope: 'a"b', ...client }), undefined, 'invalid_scope'],
    ['another grant', entries({ grant_type: 'authorization_code', ...client }), undefined, 'unsupported_grant_type'],
    ['an exchange without a token', entries({ grant_type: exchange, subject_token_type: accessToken }), undefined, 'invalid_request'],
    ['an exchange of another type of token', entries({ grant_type: exchange, subject_token: 'x', subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }), undefined, 'invalid_request'],
    ['an exchange for another type of token', entries({ grant_type: exchange, subject_token: 'x', subject_token_type: accessToken, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }), undefined, 'invalid_request'],
    ['an exchange with half an actor', entries({ grant_type: exchange, subject_token: 'x', subject_token_type: accessToken, actor_token: 'x' }), undefined, 'invalid_request'],
    ['an exchange of what is no token of ours', entries({ grant_type: exchange, subject_token: 'x', subject_token_type: accessToken }), undefined, 'invalid_grant'],
  ] as [string, [string, string][], string | undefined, string][])('refuses %s', async (_, form, authorization, error) => {
    expect(await ask(form, authorization)).toEqual([error === 'invalid_client' ? 401 : 400, { error, error_description: expect.any(String) as string }])
  })

  test('renews a token while it is good, and after that for the client itself', async () => {
    const token = await granted()
    const form = { grant_type: exchange, subject_token: token, subject_token_type: accessToken }
    expect((await ask(entries(form)))[0]).toBe(200)
    expect((await ask(entries({ ...form, requested_token_type: accessToken })))[0]).toBe(200)
    world.world.clock.advance(86_401_000)
    expect((await world.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } })).statusCode).toBe(401)
    expect((await ask(entries(form)))[1]['error']).toBe('invalid_grant')
    const [status, body] = await ask(entries(form), basic)
    expect(status).toBe(200)
    expect((await world.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${String(body['access_token'])}` } })).statusCode).toBe(200)
  })
})
