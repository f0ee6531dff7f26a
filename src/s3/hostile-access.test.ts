/** Ways to reach what one has no right to: names that read as others, deputies that do it in one's stead, rights that are gone. */
import { SignatureV4 } from '@smithy/signature-v4'
import { createHash, createHmac } from 'node:crypto'
import { request as sendRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { allow, document, foreign, user } from './scratch-callers.ts'
import { openScratchServer, secretAccessKey, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
const denied = { status: 403, code: 'AccessDenied' }

beforeAll(async () => {
  server = await openScratchServer()
  for (const bucket of ['open', 'secret']) await server.send('PUT', `/${bucket}`)
  await server.send('PUT', '/secret/key', { body: 'secret' })
  await server.send('PUT', '/open/public/key', { body: 'public' })
  await server.send('PUT', '/open/private/key', { body: 'private' })
})
afterAll(() => server.close())

const bob = (...documents: object[]) => server.callers.set('bob', user('bob', documents))

describe('names that read as others', () => {
  it.each([
    '/open/public/../private/key', '/open/public/..%2Fprivate/key', '/open/public/%2e%2e/private/key', '/open/public%2F..%2Fprivate%2Fkey', '/open/./private/key',
    '/open//private/key', '/open/private%2Fkey', '/open%2Fprivate%2Fkey', '/open/PRIVATE/key', '/open/private/ke%79', '/open/public/key%00/../../private/key',
    '/open/private/key?x=arn:aws:s3:::open/public/key', '//open/private/key', '/secret/key', '/open/../secret/key', '/OPEN/public/key', '/open/public%EF%BC%8Fkey',
    '/open/pub%C4%B1ic/key', '/open/public\\key', '/open/public;/private/key', '/open/%70rivate/key', '/open/*', '/open/%2A', '/open/public*/key',
  ])('%s is not what the policy allows', async path => {
    bob(allow('s3:*', 'arn:aws:s3:::open/public/*'))
    const { status, body } = await server.send('GET', path, { as: 'bob' })
    expect([200, 206]).not.toContain(status)
    expect(body).not.toContain('private<')
    expect(['private', 'secret']).not.toContain(body)
  })

  it.each(['public/../private/key', 'public/..%2Fprivate/key', 'public//../private/key', 'public/key/../../private/key'])('the key %s is its own object under the prefix, and nothing else', async key => {
    bob(allow('s3:*', 'arn:aws:s3:::open/public/*'))
    await server.send('PUT', `/open/${key}`, { as: 'bob', body: 'mine' })
    expect((await server.send('GET', '/open/private/key')).body).toBe('private')
  })

  test('a user’s name is text in a policy, never a wildcard', async () => {
    server.callers.set('bob', user('bob', [allow('s3:*', 'arn:aws:s3:::open/${aws:username}/*')], { userName: '*' }))
    expect(await server.send('GET', '/open/private/key', { as: 'bob' })).toMatchObject(denied)
    server.callers.set('bob', user('bob', [allow('s3:*', 'arn:aws:s3:::open/${aws:username}/*')], { userName: 'public/key/../..' }))
    expect(await server.send('GET', '/open/private/key', { as: 'bob' })).toMatchObject(denied)
  })

  test('a deny by name is not passed by another spelling', async () => {
    bob(allow('s3:*', '*'), document({ Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::open/private/*' }))
    for (const path of ['/open/private/key', '/open/%70rivate/key', '/open/private%2Fkey', '/open/pri%76ate/%6bey']) expect(await server.send('GET', path, { as: 'bob' })).toMatchObject(denied)
  })
})

describe('deputies', () => {
  const copy = (source: string, more: Record<string, string> = {}) => server.send('PUT', '/open/public/copy', { as: 'bob', headers: { 'x-amz-copy-source': source, ...more } })
  it.each(['secret/key', '/secret/key', 'secret%2Fkey', '%2Fsecret/key', 'open/private/key', 'open%2Fprivate%2Fkey', 'open/%70rivate/key'])(
    'CopyObject does not read %s for whom may not', async source => {
      bob(allow('s3:*', ['arn:aws:s3:::open/public/*', 'arn:aws:s3:::open']))
      expect((await copy(source)).status).not.toBe(200)
    },
  )

  test('CopyObject reads neither a version nor tags without their own rights', async () => {
    await server.send('PUT', '/open', { query: { versioning: '' }, body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' })
    const put = await server.send('PUT', '/open/public/tagged', { body: 'x', headers: { 'x-amz-tagging': 'team=red' } })
    const versionId = String(put.headers['x-amz-version-id'])
    bob(allow(['s3:GetObject', 's3:PutObject', 's3:PutObjectTagging'], 'arn:aws:s3:::open/public/*'))
    expect(await copy(`open/public/tagged?versionId=${versionId}`)).toMatchObject(denied)
    expect(await copy('open/public/tagged')).toMatchObject(denied)
    expect((await copy('open/public/tagged', { 'x-amz-tagging-directive': 'REPLACE' })).status).toBe(200)
    bob(allow(['s3:GetObject', 's3:PutObject', 's3:PutObjectTagging', 's3:GetObjectTagging'], 'arn:aws:s3:::open/public/*'))
    expect((await copy('open/public/tagged')).status).toBe(200)
  })

  test('UploadPartCopy does not read for whom may not', async () => {
    bob(allow('s3:*', 'arn:aws:s3:::open/public/*'))
    const started = await server.send('POST', '/open/public/parts', { as: 'bob', query: { uploads: '' } })
    const uploadId = /<UploadId>([^<]*)</.exec(started.body)?.[1] ?? ''
    const part = (source: string) => server.send('PUT', '/open/public/parts', { as: 'bob', query: { partNumber: '1', uploadId }, headers: { 'x-amz-copy-source': source } })
    expect(await part('secret/key')).toMatchObject(denied)
    expect(await part('open/private/key')).toMatchObject(denied)
    expect((await part('open/public/key')).status).toBe(200)
  })

  test('a bucket’s owner reads for nobody: another account copies by its own rights', async () => {
    server.callers.set('eve', user('eve', [allow('s3:*', '*')], { of: foreign }))
    expect((await server.send('PUT', '/eves', { as: 'eve' })).status).toBe(200)
    expect(await server.send('PUT', '/eves/copy', { as: 'eve', headers: { 'x-amz-copy-source': 'secret/key' } })).toMatchObject(denied)
  })

  test('a rename reads and deletes its source', async () => {
    bob(allow('s3:*', 'arn:aws:s3:::open/public/*'))
    for (const source of ['private/key', '/private/key', '%70rivate/key']) {
      expect((await server.send('PUT', '/open/public/renamed', { as: 'bob', query: { renameObject: '' }, headers: { 'x-amz-rename-source': source } })).status).not.toBe(200)
    }
    expect((await server.send('GET', '/open/private/key')).body).toBe('private')
  })

  test('a copy that expects another owner of its source is refused', async () => {
    bob(allow('s3:*', '*'))
    expect(await copy('secret/key', { 'x-amz-source-expected-bucket-owner': foreign.accountId })).toMatchObject(denied)
  })

  test('what a request brings along needs its own right', async () => {
    bob(allow('s3:PutObject', 'arn:aws:s3:::open/public/*'))
    const put = (headers: Record<string, string>) => server.send('PUT', '/open/public/with', { as: 'bob', headers })
    expect((await put({})).status).toBe(200)
    for (const header of ['x-amz-tagging', 'x-amz-acl', 'x-amz-grant-read', 'x-amz-object-lock-mode', 'x-amz-object-lock-legal-hold', 'if-match']) expect(await put({ [header]: 'a' })).toMatchObject(denied)
  })
})

/** A URL that is signed once. */
async function presigned(as: string, path: string, query: Record<string, string> = {}): Promise<string> {
  const signer = new SignatureV4({ credentials: { accessKeyId: as, secretAccessKey }, region: 'us-east-1', service: 's3', sha256: Sha256 as never, uriEscapePath: false })
  const ready = await signer.presign({ method: 'GET', protocol: 'http:', hostname: '127.0.0.1', path, query, headers: { host: server.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }, { signingDate: new Date(server.clock.nowMs()), expiresIn: 600 })
  return `${path}?${new URLSearchParams(ready.query as Record<string, string>).toString().replaceAll('+', '%20')}`
}

const visit = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = sendRequest({ host: '127.0.0.1', port: Number(server.host.split(':')[1]), path: url, headers: { host: server.host } }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', reject).end()
  })

class Sha256 {
  readonly #hash: ReturnType<typeof createHash>
  constructor(secret?: Uint8Array | string) {
    this.#hash = secret === undefined ? createHash('sha256') : (createHmac('sha256', secret) as unknown as ReturnType<typeof createHash>)
  }
  update(bytes: Uint8Array | string): void {
    this.#hash.update(bytes)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
}

describe('a presigned URL', () => {
  test('holds as long as its signer’s rights', async () => {
    bob(allow('s3:GetObject', 'arn:aws:s3:::open/public/*'))
    const url = await presigned('bob', '/open/public/key')
    expect(await visit(url)).toBe(200)
    bob()
    expect(await visit(url)).toBe(403)
    bob(allow('s3:GetObject', 'arn:aws:s3:::open/public/*'))
    expect(await visit(url)).toBe(200)
    server.callers.delete('bob')
    expect(await visit(url)).toBe(403)
  })

  test('carries its headers to the conditions, and to the owner it expects', async () => {
    bob(allow('s3:GetObject', 'arn:aws:s3:::open/public/*', { Condition: { StringEquals: { 's3:authType': 'REST-QUERY-STRING' }, NumericLessThan: { 's3:signatureAge': '1000' } } }))
    const url = await presigned('bob', '/open/public/key')
    expect(await visit(url)).toBe(200)
    expect(await server.send('GET', '/open/public/key', { as: 'bob' })).toMatchObject(denied)
    server.clock.advance(2000)
    expect(await visit(url)).toBe(403)
    bob(allow('s3:GetObject', 'arn:aws:s3:::open/public/*'))
    expect(await visit(await presigned('bob', '/open/public/key', { 'x-amz-expected-bucket-owner': '999999999999' }))).toBe(403)
  })
})

test('limits bind whatever else grants', async () => {
  server.callers.set('bob', user('bob', [allow('*', '*')], { limits: [[allow('s3:GetObject', 'arn:aws:s3:::open/public/*')]] }))
  expect((await server.send('GET', '/open/public/key', { as: 'bob' })).status).toBe(200)
  expect(await server.send('GET', '/open/private/key', { as: 'bob' })).toMatchObject(denied)
  const root = server.callers.get('bob')
  if (root === undefined) throw new Error('bob is there')
  server.callers.set('bob', { ...root, principal: { ...root.principal, kind: 'serverRoot' } })
  expect(await server.send('GET', '/open/private/key', { as: 'bob' })).toMatchObject(denied)
  server.callers.set('bob', { ...root, principal: { ...root.principal, kind: 'accountRoot' } })
  expect(await server.send('GET', '/open/private/key', { as: 'bob' })).toMatchObject(denied)
})
