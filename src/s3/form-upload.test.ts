import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessKeyId, domain, openScratchServer, secretAccessKey, type ScratchAnswer, type ScratchServer } from './scratch-server.ts'

let server: ScratchServer
beforeAll(async () => {
  server = await openScratchServer()
  await server.send('PUT', '/forms')
})
afterAll(() => server.close())

interface Form {
  readonly fields?: Readonly<Record<string, string>>
  /** Beside one for each field: what else the policy says. */
  readonly conditions?: readonly unknown[]
  /** Instead of one condition for each field. */
  readonly onlyConditions?: readonly unknown[]
  readonly expiration?: string
  readonly secret?: string
  readonly file?: string
  readonly withoutFile?: boolean
  readonly fileName?: string
  readonly after?: Readonly<Record<string, string>>
  readonly host?: string
  readonly path?: string
}

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const boundary = 'a-boundary'

/** Signs a policy for the form as a web page's server does, and posts the form as a browser does. */
async function post({ fields = { key: 'key' }, conditions = [], onlyConditions, expiration = '2026-01-01T01:00:00Z', secret = secretAccessKey, file = 'content', withoutFile = false, fileName = 'photo.jpg', after = {}, host, path = '/forms' }: Form): Promise<ScratchAnswer> {
  const day = '20260101'
  const scope = `${day}/us-east-1/s3/aws4_request`
  const all = { ...fields, 'x-amz-algorithm': 'AWS4-HMAC-SHA256', 'x-amz-credential': `${accessKeyId}/${scope}`, 'x-amz-date': '20260101T000000Z' }
  const named = onlyConditions ?? Object.entries(fields).map(([name, value]) => ['eq', `$${name}`, value])
  const document = { expiration, conditions: [{ bucket: 'forms' }, ...named, ...conditions, ['starts-with', '$x-amz-algorithm', ''], ['starts-with', '$x-amz-credential', ''], ['starts-with', '$x-amz-date', '']] }
  const policy = Buffer.from(JSON.stringify(document)).toString('base64')
  const key = [day, 'us-east-1', 's3', 'aws4_request'].reduce<Buffer>((so, part) => hmac(so, part), Buffer.from(`AWS4${secret}`))
  const before = { ...all, policy, 'x-amz-signature': hmac(key, policy).toString('hex') }
  const part = (name: string, value: string, more = '') => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
  const text = [
    ...Object.entries(before).map(([name, value]) => part(name, value)),
    ...(withoutFile ? [] : [part('file', file, fileName === '' ? '' : `; filename="${fileName}"`)]),
    ...Object.entries(after).map(([name, value]) => part(name, value)),
    `--${boundary}--\r\n`,
  ].join('')
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, ...(host === undefined ? {} : { host }) }
  return server.send('POST', path, { headers, body: text, signed: false })
}

const got = (key: string) => server.send('GET', `/forms/${key}`)

describe('a signed form', () => {
  test('stores its file and answers 204 with its ETag and place', async () => {
    const answer = await post({ fields: { key: 'plain' } })
    expect(answer).toMatchObject({ status: 204, body: '', headers: { etag: `"${createHash('md5').update('content').digest('hex')}"`, location: `http://${server.host}/forms/plain` } })
    expect(await got('plain')).toMatchObject({ status: 200, body: 'content' })
  })

  test('may carry its content as a text field', async () => {
    expect((await post({ fields: { key: 'text' }, fileName: '' })).status).toBe(204)
    expect(await got('text')).toMatchObject({ body: 'content' })
  })

  test('reaches the bucket by its host name, and says so', async () => {
    const host = `forms.${domain}`
    expect(await post({ fields: { key: 'by/host' }, host, path: '/' })).toMatchObject({ status: 204, headers: { location: `http://${host}/by/host` } })
  })

  test('puts the file’s name into its key', async () => {
    expect((await post({ fields: { key: 'user/${filename}' }, onlyConditions: [['starts-with', '$key', 'user/']], fileName: 'C:\\pictures\\a b.png' })).status).toBe(204)
    expect(await got('user/a%20b.png')).toMatchObject({ status: 200 })
  })

  test('keeps headers, metadata, tags and storage class', async () => {
    const fields = {
      key: 'rich', 'Content-Type': 'image/png', 'Cache-Control': 'no-cache', 'x-amz-meta-Author': 'Ada', 'x-amz-storage-class': 'STANDARD_IA',
      tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>',
    }
    expect((await post({ fields })).status).toBe(204)
    expect((await got('rich')).headers).toMatchObject({
      'content-type': 'image/png', 'cache-control': 'no-cache', 'x-amz-meta-author': 'Ada', 'x-amz-storage-class': 'STANDARD_IA', 'x-amz-tagging-count': '1',
    })
  })

  test.each(['200', '201', '204', '418'])('answers success_action_status %s', async status => {
    const answer = await post({ fields: { key: 'status&', success_action_status: status } })
    expect(answer.status).toBe(status === '418' ? 204 : Number(status))
    if (status === '201') expect(answer.body).toMatch(/<PostResponse><Location>[^<]*<\/Location><Bucket>forms<\/Bucket><Key>status&amp;<\/Key><ETag>/)
  })

  test('redirects with what it stored, and ignores what is no URL', async () => {
    const { status, headers } = await post({ fields: { key: 'k', success_action_redirect: 'https://example.org/done?a=1' } })
    const location = new URL(headers.location ?? '')
    expect([status, location.origin, Object.fromEntries(location.searchParams)]).toEqual([303, 'https://example.org', { a: '1', bucket: 'forms', key: 'k', etag: String(headers.etag) }])
    for (const target of ['nowhere', 'javascript:alert(1)']) expect((await post({ fields: { key: 'k', success_action_redirect: target } })).status).toBe(204)
  })

  test('ignores the fields after its file', async () => {
    expect((await post({ fields: { key: 'after' }, after: { acl: 'public-read', key: 'other' } })).status).toBe(204)
    expect(await got('other')).toMatchObject({ status: 404 })
  })

  test('has its checksums verified', async () => {
    const right = createHash('sha256').update('content').digest('base64')
    expect((await post({ fields: { key: 'checked', 'x-amz-checksum-sha256': right } })).status).toBe(204)
    const wrong = createHash('sha256').update('other').digest('base64')
    expect(await post({ fields: { key: 'unchecked', 'x-amz-checksum-sha256': wrong } })).toMatchObject({ status: 400, code: 'BadDigest' })
    expect(await post({ fields: { key: 'unchecked', 'content-md5': createHash('md5').update('x').digest('base64') } })).toMatchObject({ status: 400, code: 'BadDigest' })
    expect(await got('unchecked')).toMatchObject({ status: 404 })
  })

  test('has its file held to the length range', async () => {
    const limited = (file: string) => post({ fields: { key: 'limited' }, conditions: [['content-length-range', 3, 5]], file })
    expect(await limited('12')).toMatchObject({ status: 400, code: 'EntityTooSmall' })
    expect(await limited('123456')).toMatchObject({ status: 400, code: 'EntityTooLarge' })
    expect(await got('limited')).toMatchObject({ status: 404 })
    expect((await limited('1234')).status).toBe(204)
  })
})

describe('a form is refused', () => {
  test.each<[string, Form, number, string]>([
    ['whose policy has expired', { expiration: '2025-12-31T23:59:59Z' }, 403, 'AccessDenied'],
    ['that another key signed', { secret: 'not the secret' }, 403, 'SignatureDoesNotMatch'],
    ['whose field differs from its condition', { onlyConditions: [['eq', '$key', 'another']] }, 403, 'AccessDenied'],
    ['with a field that no condition names', { onlyConditions: [] }, 403, 'AccessDenied'],
    ['without a key', { fields: {} }, 400, 'InvalidArgument'],
    ['without a file', { withoutFile: true }, 400, 'InvalidArgument'],
    ['with an ACL that opens the object', { fields: { key: 'k', acl: 'public-read' } }, 400, 'AccessControlListNotSupported'],
    ['with fields of more than 20 KiB', { fields: { key: 'k', 'x-amz-meta-long': 'x'.repeat(21_000) } }, 400, 'MaxPostPreDataLengthExceededError'],
    ['with a key of more than 1,024 bytes', { fields: { key: 'k'.repeat(1025) } }, 400, 'KeyTooLongError'],
    ['with more than 2 KiB of metadata', { fields: { key: 'k', 'x-amz-meta-long': 'x'.repeat(2100) } }, 400, 'MetadataTooLarge'],
    ['for a bucket that is not there', { path: '/nobody', onlyConditions: [['starts-with', '$key', ''], { bucket: 'nobody' }] }, 403, 'AccessDenied'],
  ])('%s', async (_, form, status, code) => {
    expect(await post(form)).toMatchObject({ status, code })
  })

  test('that is signed by Version 2, by a message that names Version 4', async () => {
    const part = (name: string) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nvalue\r\n`
    const body = `${['key', 'AWSAccessKeyId', 'policy', 'signature', 'file'].map(part).join('')}--${boundary}--\r\n`
    const answer = await server.send('POST', '/forms', { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, body, signed: false })
    expect(answer).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(answer.body).toContain('AWS4-HMAC-SHA256')
  })

  test('that is unsigned, or no form', async () => {
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    const bare = `--${boundary}\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--${boundary}--\r\n`
    expect(await server.send('POST', '/forms', { headers, body: bare, signed: false })).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(await server.send('POST', '/forms', { headers: { 'content-type': 'multipart/form-data' }, body: bare, signed: false })).toMatchObject({ status: 400, code: 'MalformedPOSTRequest' })
    expect((await server.send('POST', '/forms', { headers, body: 'no part at all', signed: false })).status).toBe(400)
    expect((await server.send('POST', '/forms', { headers: { 'content-type': 'text/plain' }, body: bare, signed: false })).status).toBeGreaterThanOrEqual(400)
  })
})
