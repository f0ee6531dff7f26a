import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authenticate, type Authentication, type SignatureRules } from './authenticate.ts'
import { SigV4Error } from './sigv4-error.ts'
import { SigningKeys } from './signing-keys.ts'
import type { SignedRequest } from './signed-request.ts'

const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const publishedMs = Date.parse('2013-05-24T00:00:00Z')
const emptyHash = createHash('sha256').digest('hex')

const rulesAt = (nowMs: number, more: Partial<SignatureRules> = {}): SignatureRules => ({
  services: ['s3'],
  region: undefined,
  nowMs,
  keys: new SigningKeys(),
  secretOf: (id) => (id === accessKeyId ? secretAccessKey : undefined),
  ...more,
})

class NodeSha256 {
  readonly #hash
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  }
  update(bytes: string | Uint8Array): void {
    this.#hash.update(bytes)
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest())
  }
}

interface ToSign {
  readonly method: string
  readonly path: string
  readonly query?: Record<string, string | string[]>
  readonly headers?: Record<string, string>
  readonly service?: string
  readonly region?: string
}

const signer = (service: string, region: string): SignatureV4 =>
  new SignatureV4({
    service,
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: NodeSha256 as never,
    uriEscapePath: service !== 's3',
  })

const escape = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function queryText(query: Record<string, string | string[] | null>): string {
  const pieces: string[] = []
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) pieces.push(`${escape(name)}=${escape(one)}`)
  }
  return pieces.length === 0 ? '' : `?${pieces.join('&')}`
}

async function signHeader(input: ToSign, signedMs: number): Promise<SignedRequest> {
  const service = input.service ?? 's3'
  const signed = await signer(service, input.region ?? 'us-east-1').sign(
    {
      method: input.method,
      protocol: 'http:',
      hostname: 'localhost',
      path: input.path,
      query: input.query ?? {},
      headers: { host: 'localhost:9000', ...(service === 's3' ? { 'x-amz-content-sha256': emptyHash } : {}), ...input.headers },
    },
    { signingDate: new Date(signedMs) },
  )
  return { method: input.method, url: input.path + queryText(input.query ?? {}), rawHeaders: Object.entries(signed.headers).flat() }
}

async function presign(input: ToSign, signedMs: number, expiresIn: number): Promise<SignedRequest> {
  const signed = await signer(input.service ?? 's3', input.region ?? 'us-east-1').presign(
    {
      method: input.method,
      protocol: 'http:',
      hostname: 'localhost',
      path: input.path,
      query: input.query ?? {},
      headers: { host: 'localhost:9000', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...input.headers },
    },
    { signingDate: new Date(signedMs), expiresIn },
  )
  return {
    method: input.method,
    url: input.path + queryText((signed.query ?? {}) as Record<string, string>),
    rawHeaders: Object.entries(signed.headers).flat(),
  }
}

async function codeOf(promise: Promise<Authentication>): Promise<string> {
  try {
    const { kind } = await promise
    return kind === 'anonymous' ? kind : 'accepted'
  } catch (error) {
    if (error instanceof SigV4Error) return error.code
    throw error
  }
}

const refusal = (request: SignedRequest, rules: SignatureRules): Promise<SigV4Error> =>
  authenticate(request, rules).then(
    () => expect.fail('accepted'),
    (error: unknown) => error as SigV4Error,
  )

describe('the published examples', () => {
  const authorization = (headers: string, signature: string): string =>
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${headers},Signature=${signature}`

  it('GET with a range', async () => {
    const request = {
      method: 'GET',
      url: '/test.txt',
      rawHeaders: [
        'Host', 'examplebucket.s3.amazonaws.com',
        'Authorization', authorization('host;range;x-amz-content-sha256;x-amz-date', 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'),
        'Range', 'bytes=0-9',
        'x-amz-content-sha256', emptyHash,
        'x-amz-date', '20130524T000000Z',
      ],
    }
    const result = await authenticate(request, rulesAt(publishedMs))
    expect(result).toMatchObject({ kind: 'authenticated', accessKeyId, region: 'us-east-1', service: 's3', payload: { kind: 'sha256' } })
  })

  it('PUT with a $ in the key and a Date header', async () => {
    const request = {
      method: 'PUT',
      url: '/test$file.text',
      rawHeaders: [
        'Host', 'examplebucket.s3.amazonaws.com',
        'Date', 'Fri, 24 May 2013 00:00:00 GMT',
        'Authorization', authorization('date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class', '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd'),
        'x-amz-storage-class', 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256', '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
        'x-amz-date', '20130524T000000Z',
      ],
    }
    expect(await codeOf(authenticate(request, rulesAt(publishedMs)))).toBe('accepted')
  })

  it('a sub-resource and a listing', async () => {
    const get = (url: string, signature: string): SignedRequest => ({
      method: 'GET',
      url,
      rawHeaders: [
        'Host', 'examplebucket.s3.amazonaws.com',
        'x-amz-date', '20130524T000000Z',
        'x-amz-content-sha256', emptyHash,
        'Authorization', authorization('host;x-amz-content-sha256;x-amz-date', signature),
      ],
    })
    const rules = rulesAt(publishedMs)
    expect(await codeOf(authenticate(get('/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'), rules))).toBe('accepted')
    expect(await codeOf(authenticate(get('/?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'), rules))).toBe('accepted')
  })

  const presigned: SignedRequest = {
    method: 'GET',
    url: `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${accessKeyId}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
    rawHeaders: ['Host', 'examplebucket.s3.amazonaws.com'],
  }

  it('a presigned GET, until it expires', async () => {
    expect(await codeOf(authenticate(presigned, rulesAt(publishedMs + 86_399_000)))).toBe('accepted')
    const late = await refusal(presigned, rulesAt(publishedMs + 86_400_000))
    expect(late).toMatchObject({ code: 'AccessDenied', message: 'Request has expired', detail: { 'X-Amz-Expires': '86400', Expires: '2013-05-25T00:00:00Z' } })
    expect(await refusal(presigned, rulesAt(publishedMs - 901_000))).toMatchObject({ code: 'AccessDenied', message: 'Request is not yet valid' })
  })
})

const nowMs = Date.parse('2026-02-03T04:05:06Z')

/** The SDK's query is a plain object, which has no room for `__proto__`. */
const keyText = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text.isWellFormed() && text !== '__proto__')

describe('what an SDK signs is accepted', () => {
  it('headers: any key, query and header values', async () => {
    await fc.assert(
      fc.asyncProperty(keyText, fc.dictionary(keyText, keyText, { maxKeys: 4 }), fc.stringMatching(/^[ -~]{0,30}$/), async (key, query, meta) => {
        const path = `/bucket/${key.split('/').map(escape).join('/')}`
        const request = await signHeader({ method: 'GET', path, query, headers: { 'x-amz-meta-a': meta } }, nowMs)
        expect(await codeOf(authenticate(request, rulesAt(nowMs)))).toBe('accepted')
      }),
      { numRuns: 200 },
    )
  })

  it('presigned: any key and query', async () => {
    await fc.assert(
      fc.asyncProperty(keyText, fc.dictionary(keyText, keyText, { maxKeys: 4 }), async (key, query) => {
        const path = `/bucket/${key.split('/').map(escape).join('/')}`
        const request = await presign({ method: 'PUT', path, query, headers: { 'x-amz-meta-a': 'b', 'content-type': 'text/plain' } }, nowMs, 60)
        expect(await codeOf(authenticate(request, rulesAt(nowMs + 59_000)))).toBe('accepted')
      }),
      { numRuns: 200 },
    )
  })

  it('other services: encoded twice, normalised, the body hashed by the caller', async () => {
    const bodySha256Hex = createHash('sha256').update('{"a":1}').digest('hex')
    for (const service of ['execute-api', 's3tables', 'glue']) {
      for (const path of ['/iceberg/v1/namespaces/a%1Fb/tables/t%20x', '/a//b/./c/../d/', '/']) {
        const request = await signHeader({ method: 'POST', path, service, headers: { 'x-amz-content-sha256': bodySha256Hex } }, nowMs)
        const rules = rulesAt(nowMs, { services: [service], bodySha256Hex })
        expect(await codeOf(authenticate(request, rules))).toBe('accepted')
        expect(await codeOf(authenticate(request, { ...rules, bodySha256Hex: emptyHash }))).toBe('XAmzContentSHA256Mismatch')
      }
    }
  })
})

describe('corners of the canonical request', () => {
  const canonicalOf = async (request: SignedRequest): Promise<string | undefined> => (await refusal(request, rulesAt(nowMs))).detail['CanonicalRequest']
  const wrong = (names: string, headers: readonly string[], url = '/a'): SignedRequest => ({
    method: 'GET',
    url,
    rawHeaders: [
      ...headers,
      'X-Amz-Date', '20260203T040506Z',
      'X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD',
      'Authorization', `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260203/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${'0'.repeat(64)}`,
    ],
  })
  const always = 'x-amz-content-sha256;x-amz-date'
  const tail = `x-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20260203T040506Z\n\n`

  it('duplicate headers, white space, names in any case, an IPv6 host', async () => {
    const request = wrong(`host;x-amz-a;${always}`, ['HOST', '[::1]:9000', 'X-Amz-A', ' one \t two ', 'x-amz-a', 'three'])
    expect(await canonicalOf(request)).toBe(`GET\n/a\n\nhost:[::1]:9000\nx-amz-a:one two,three\n${tail}host;x-amz-a;${always}\nUNSIGNED-PAYLOAD`)
  })

  it('empty query values, + and %20, order, duplicates; paths as they are', async () => {
    const request = wrong(`host;${always}`, ['Host', 'h'], '/b//x/../y?b=2&acl&b=1&a=x+y&c=%7e&B=%2f&&')
    expect(await canonicalOf(request)).toBe(`GET\n/b//x/../y\nB=%2F&a=x%20y&acl=&b=1&b=2&c=~\nhost:h\n${tail}host;${always}\nUNSIGNED-PAYLOAD`)
  })

  it('a host that is not signed, a signed header that is gone', async () => {
    expect(await refusal(wrong(always, ['Host', 'h']), rulesAt(nowMs))).toMatchObject({ code: 'AccessDenied', detail: { HeadersNotSigned: 'host' } })
    expect(await canonicalOf(wrong(`host;range;${always}`, ['Host', 'h']))).not.toContain('range:')
  })

  it('header bytes outside ASCII, signed as sent or as UTF-8', async () => {
    for (const value of ['\xfc', Buffer.from('\xfc').toString('latin1')]) {
      const request = await signHeader({ method: 'GET', path: '/', headers: { 'x-amz-meta-a': '\xfc' } }, nowMs)
      const rawHeaders = request.rawHeaders.map((text) => (text === '\xfc' ? value : text))
      expect(await codeOf(authenticate({ ...request, rawHeaders }, rulesAt(nowMs)))).toBe('accepted')
    }
  })
})

/** True when the two requests mean the same: the mutation was only another spelling. */
function sameMeaning(a: SignedRequest, b: SignedRequest): boolean {
  const normal = (request: SignedRequest): string => {
    const headers: string[] = []
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      headers.push(`${request.rawHeaders[i]?.toLowerCase()}:${request.rawHeaders[i + 1]?.trim().replace(/\s+/g, ' ')}`)
    }
    const url = request.url.replace(/%[0-9a-f]{2}/gi, (hex) => hex.toUpperCase())
    return JSON.stringify([request.method, url, headers.sort()])
  }
  return normal(a) === normal(b)
}

const flip = (text: string, at: number, by: number): string => {
  const code = (text.charCodeAt(at) - 33 + by) % 94
  return text.slice(0, at) + String.fromCharCode(33 + code) + text.slice(at + 1)
}

describe('what was changed is refused', () => {
  const place = fc.record({ where: fc.nat(), by: fc.integer({ min: 1, max: 93 }) })
  const mutate = (request: SignedRequest, { where, by }: { where: number; by: number }): SignedRequest => {
    const texts = [request.method, request.url, ...request.rawHeaders]
    let at = where % texts.reduce((sum, text) => sum + text.length, 0)
    const index = texts.findIndex((text) => (at < text.length ? true : ((at -= text.length), false)))
    texts[index] = flip(texts[index] ?? '', at, by)
    return { method: texts[0] ?? '', url: texts[1] ?? '', rawHeaders: texts.slice(2) }
  }

  it('one byte of a signed request', async () => {
    const original = await signHeader(
      { method: 'GET', path: '/bucket/a/b%20c', query: { 'list-type': '2', prefix: 'x y' }, headers: { range: 'bytes=0-9', 'x-amz-meta-a': 'some value' } },
      nowMs,
    )
    await fc.assert(
      fc.asyncProperty(place, async (mutation) => {
        const request = mutate(original, mutation)
        const code = await codeOf(authenticate(request, rulesAt(nowMs)))
        if (code === 'accepted') expect(sameMeaning(request, original)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('one byte of a presigned request', async () => {
    const original = await presign({ method: 'GET', path: '/bucket/a/b%20c', query: { versionId: 'abc' }, headers: { 'x-amz-meta-a': 'v', range: 'bytes=0-9' } }, nowMs, 600)
    await fc.assert(
      fc.asyncProperty(place, async (mutation) => {
        const request = mutate(original, mutation)
        const code = await codeOf(authenticate(request, rulesAt(nowMs)))
        if (code === 'accepted') expect(sameMeaning(request, original)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('refusals', () => {
  it('name the right region', async () => {
    const request = await signHeader({ method: 'GET', path: '/', region: 'eu-west-1' }, nowMs)
    expect(await refusal(request, rulesAt(nowMs, { region: 'us-east-1' }))).toMatchObject({
      code: 'AuthorizationHeaderMalformed',
      message: "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'",
      detail: { Region: 'us-east-1' },
    })
    expect(await codeOf(authenticate(request, rulesAt(nowMs)))).toBe('accepted')
    const link = await presign({ method: 'GET', path: '/', region: 'eu-west-1' }, nowMs, 60)
    expect(await refusal(link, rulesAt(nowMs, { region: 'us-east-1' }))).toMatchObject({ code: 'AuthorizationQueryParametersError', detail: { Region: 'us-east-1' } })
  })

  it('show what was signed', async () => {
    const request = await signHeader({ method: 'GET', path: '/bucket/key' }, nowMs)
    const error = await refusal({ ...request, url: '/bucket/other' }, rulesAt(nowMs))
    expect(error.code).toBe('SignatureDoesNotMatch')
    expect(error.detail['CanonicalRequest']).toMatch(/^GET\n\/bucket\/other\n\nhost:localhost:9000\n/)
    expect(error.detail['StringToSign']).toMatch(/^AWS4-HMAC-SHA256\n20260203T040506Z\n20260203\/us-east-1\/s3\/aws4_request\n[0-9a-f]{64}$/)
    expect(error.detail['StringToSignBytes']).toMatch(/^41 57 53 34 2d/)
    expect(error.detail['SignatureProvided']).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(error.detail)).not.toContain(secretAccessKey)
  })

  const header = async (change: (headers: Record<string, string>) => void): Promise<SignedRequest> => {
    const request = await signHeader({ method: 'GET', path: '/' }, nowMs)
    const headers: Record<string, string> = {}
    for (let i = 0; i < request.rawHeaders.length; i += 2) headers[request.rawHeaders[i] ?? ''] = request.rawHeaders[i + 1] ?? ''
    change(headers)
    return { ...request, rawHeaders: Object.entries(headers).flat() }
  }

  it.each<[string, string, (headers: Record<string, string>) => void]>([
    ['unknown key', 'InvalidAccessKeyId', (h) => (h['authorization'] = h['authorization']?.replace('AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7OTHER') ?? '')],
    ['unsigned x-amz header', 'AccessDenied', (h) => (h['x-amz-acl'] = 'public-read')],
    ['no date', 'AccessDenied', (h) => delete h['x-amz-date']],
    ['bad date', 'AccessDenied', (h) => (h['x-amz-date'] = 'today')],
    ['other service', 'AuthorizationHeaderMalformed', (h) => (h['authorization'] = h['authorization']?.replace('/s3/', '/ec2/') ?? '')],
    ['other day', 'AuthorizationHeaderMalformed', (h) => (h['authorization'] = h['authorization']?.replace('20260203', '20260204') ?? '')],
    ['other terminal', 'AuthorizationHeaderMalformed', (h) => (h['authorization'] = h['authorization']?.replace('aws4_request', 'aws5_request') ?? '')],
    ['no signature', 'AuthorizationHeaderMalformed', (h) => (h['authorization'] = h['authorization']?.replace(/, Signature=.*/, '') ?? '')],
    ['short credential', 'AuthorizationHeaderMalformed', (h) => (h['authorization'] = h['authorization']?.replace('/20260203/us-east-1', '') ?? '')],
    ['signature version 2', 'InvalidRequest', (h) => (h['authorization'] = 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=')],
    ['another scheme', 'InvalidArgument', (h) => (h['authorization'] = 'Bearer abc')],
    ['unknown payload', 'InvalidArgument', (h) => (h['x-amz-content-sha256'] = 'MAYBE')],
    ['no payload hash', 'InvalidRequest', (h) => delete h['x-amz-content-sha256']],
  ])('%s: %s', async (_, code, change) => {
    expect(await codeOf(authenticate(await header(change), rulesAt(nowMs)))).toBe(code)
  })

  it('skew of more than 15 minutes either way', async () => {
    const request = await signHeader({ method: 'GET', path: '/' }, nowMs)
    for (const skewMs of [-900_001, 900_001]) {
      expect(await refusal(request, rulesAt(nowMs + skewMs))).toMatchObject({
        code: 'RequestTimeTooSkewed',
        detail: { RequestTime: '20260203T040506Z', MaxAllowedSkewMilliseconds: '900000' },
      })
    }
    expect(await codeOf(authenticate(request, rulesAt(nowMs + 900_000)))).toBe('accepted')
  })

  it.each([
    ['X-Amz-Expires=604801', 'AuthorizationQueryParametersError'],
    ['X-Amz-Expires=0', 'AuthorizationQueryParametersError'],
    ['X-Amz-Expires=-1', 'AuthorizationQueryParametersError'],
    ['X-Amz-Expires=soon', 'AuthorizationQueryParametersError'],
    ['X-Amz-Expires=', 'AuthorizationQueryParametersError'],
    ['X-Amz-Expires=61', 'SignatureDoesNotMatch'],
  ])('presigned with %s: %s', async (parameter, code) => {
    const request = await presign({ method: 'GET', path: '/a' }, nowMs, 60)
    expect(await codeOf(authenticate({ ...request, url: request.url.replace(/X-Amz-Expires=\d+/, parameter) }, rulesAt(nowMs)))).toBe(code)
  })

  it('presigned: x-amz headers that the signer moved to the query must agree where they are sent too', async () => {
    const request = await presign({ method: 'PUT', path: '/a', headers: { 'x-amz-meta-a': 'b c' } }, nowMs, 60)
    expect(request.url).toContain('x-amz-meta-a=b%20c')
    const withHeader = (value: string): SignedRequest => ({ ...request, rawHeaders: [...request.rawHeaders, 'X-Amz-Meta-A', value] })
    expect(await codeOf(authenticate(withHeader('b c'), rulesAt(nowMs)))).toBe('accepted')
    expect(await refusal(withHeader('d'), rulesAt(nowMs))).toMatchObject({ code: 'AccessDenied', detail: { HeadersNotSigned: 'x-amz-meta-a' } })
  })

  it('two mechanisms at once, and version 2 in the query', async () => {
    const link = await presign({ method: 'GET', path: '/a' }, nowMs, 60)
    const signed = await signHeader({ method: 'GET', path: '/a' }, nowMs)
    expect(await codeOf(authenticate({ ...signed, url: link.url }, rulesAt(nowMs)))).toBe('InvalidArgument')
    const old = { method: 'GET', url: '/a?AWSAccessKeyId=A&Expires=1&Signature=b', rawHeaders: ['host', 'localhost'] }
    expect(await refusal(old, rulesAt(nowMs))).toMatchObject({
      code: 'InvalidRequest',
      message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    })
  })
})

describe('robustness', () => {
  it('no signature is anonymous', async () => {
    expect(await authenticate({ method: 'GET', url: '/a', rawHeaders: ['Host', 'x'] }, rulesAt(nowMs))).toEqual({ kind: 'anonymous', payload: { kind: 'unsigned' } })
  })

  it('any request gives an answer or a SigV4Error', async () => {
    const names = fc.constantFrom('authorization', 'host', 'x-amz-date', 'date', 'x-amz-content-sha256', 'x-amz-region-set', 'x')
    const bytes = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => Buffer.from(text).toString('latin1'))
    const value = fc.oneof(
      bytes,
      bytes.map((text) => `AWS4-HMAC-SHA256 Credential=${text}, SignedHeaders=${text}, Signature=${text}`),
      bytes.map((text) => `AWS4-ECDSA-P256-SHA256 Credential=${accessKeyId}/20260203/s3/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=${text}`),
      fc.constant('20260203T040506Z'),
      fc.constant('UNSIGNED-PAYLOAD'),
    )
    const parameter = fc.tuple(fc.constantFrom('X-Amz-Algorithm=AWS4-HMAC-SHA256', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders', 'a'), bytes)
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(parameter, { maxLength: 8 }), fc.array(fc.tuple(names, value), { maxLength: 8 }), async (path, query, headers) => {
        const url = `/${path}?${query.map(([name, text]) => `${name}=${text}`).join('&')}`
        await codeOf(authenticate({ method: 'GET', url, rawHeaders: headers.flat() }, rulesAt(nowMs)))
      }),
      { numRuns: 3000 },
    )
  })
})
