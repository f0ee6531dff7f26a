import { describe, expect, it } from 'vitest'
import { compilePolicy } from '../policy/compile.ts'
import type { AccessRequest, Decision, PoliciesInForce } from '../policy/evaluate.ts'
import { anonymous, rootPrincipal, type Principal } from '../policy/principal.ts'
import { policyService } from './policy-service.ts'

const account = { accountId: '111111111111', id: 'a'.repeat(64) }
const owner = rootPrincipal('accountRoot', account)
const bob: Principal = {
  ...owner, kind: 'user', arn: 'arn:aws:iam::111111111111:user/bob', userId: 'AIDABOB', userName: 'bob', keys: new Map([['aws:groups', ['staff']], ['jwt:sub', ['b-1']], ['jwt:aud', ['a', 'b']]]),
}
const get: AccessRequest = {
  principal: bob, action: 's3:GetObject', resource: 'arn:aws:s3:::lake/a/b', resourceAccountId: account.accountId,
  context: key => ({ 'aws:sourceip': ['10.0.0.1'], 's3:prefix': ['a/'], 's3:x-amz-copy-source': ['x/y'] })[key],
}
const none: PoliciesInForce = { identity: [], limits: [], resource: [] }
const named = (...Statement: readonly object[]) => [{ name: 'p', policy: compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement }), { kind: 'identity' }) }]
const allow = (Action: string, Resource = '*') => ({ Effect: 'Allow', Action, Resource })

type Reply = () => Response | Promise<Response>

function serviceThat(reply: Reply) {
  const asked: { readonly url: string; readonly authorization: string | null; readonly input: Readonly<Record<string, unknown>> }[] = []
  const faults: unknown[] = []
  const decider = policyService({
    url: 'https://opa.example.org/v1/data/allow',
    authorization: 'Bearer secret',
    fetch: async (url, init) => {
      const text = typeof init?.body === 'string' ? init.body : ''
      asked.push({ url: String(url as string), authorization: new Headers(init?.headers).get('authorization'), input: (JSON.parse(text) as { readonly input: Record<string, unknown> }).input })
      return reply()
    },
    onFault: fault => faults.push(fault),
  })
  return { asked, faults, decide: async (request: AccessRequest, policies = none): Promise<Decision> => decider.decide(request, policies) }
}

const answering = (result: unknown, status = 200): Reply => () => new Response(JSON.stringify({ result }), { status })

describe('a policy service', () => {
  it('is asked in MinIO’s words, and ours for what MinIO has none for', async () => {
    const { asked, decide } = serviceThat(answering(true))
    expect(await decide(get)).toEqual({ decision: 'allow', because: { kind: 'service', outcome: 'allows' } })
    expect(asked).toEqual([{
      url: 'https://opa.example.org/v1/data/allow',
      authorization: 'Bearer secret',
      input: {
        account: 'bob', groups: ['staff'], action: 's3:GetObject', bucket: 'lake', object: 'a/b', owner: false, denyOnly: false, claims: { sub: 'b-1', aud: ['a', 'b'] },
        conditions: { SourceIp: ['10.0.0.1'], prefix: ['a/'], 'X-Amz-Copy-Source': ['x/y'] },
        accountId: '111111111111', principal: 'arn:aws:iam::111111111111:user/bob', resource: ['arn:aws:s3:::lake/a/b'], resourceAccountId: '111111111111',
      },
    }])
  })

  it('is told what a table is in, and whose the owner’s requests are', async () => {
    const { asked, decide } = serviceThat(answering({ allow: true }))
    await decide({ ...get, principal: owner, action: 's3tables:GetTable', resource: ['arn:aws:s3tables:::bucket/lake/namespace/sales/table/orders', 'arn:aws:s3tables:::bucket/lake/table/u'] })
    await decide({ ...get, principal: owner, action: 's3:ListBucket', resource: 'arn:aws:s3:::bucket' })
    await decide({ ...get, action: 'iam:ListUsers', resource: 'arn:aws:iam::111111111111:user/' })
    expect(asked.map(({ input: { bucket, object, owner: isOwner } }) => [bucket, object, isOwner])).toEqual([['lake', 'namespace/sales/table/orders', true], ['bucket', '', true], ['', '', false]])
  })

  it.each<readonly [string, Reply, 'allows' | 'refuses' | 'fails']>([
    ['true', answering(true), 'allows'],
    ['an object that allows', answering({ allow: true, why: 'x' }), 'allows'],
    ['false', answering(false), 'refuses'],
    ['an object that does not allow', answering({ allow: false }), 'refuses'],
    ['no result', () => new Response('{}'), 'fails'],
    ['null', answering(null), 'fails'],
    ['text that says true', answering('true'), 'fails'],
    ['one', answering(1), 'fails'],
    ['a list', answering([true]), 'fails'],
    ['an object without a word', answering({}), 'fails'],
    ['an object with a word for it', answering({ allow: 'true' }), 'fails'],
    ['true with an error’s status', answering(true, 500), 'fails'],
    ['true with another success', answering(true, 201), 'fails'],
    ['no JSON', () => new Response('true'), 'fails'],
    ['more than anybody reads', () => new Response(JSON.stringify({ result: true, more: 'x'.repeat(100_000) })), 'fails'],
    ['nothing, since it is away', () => Promise.reject(new TypeError('fetch failed')), 'fails'],
  ])('that answers %s', async (_what, reply, outcome) => {
    const { decide, faults } = serviceThat(reply)
    expect(await decide(get, { ...none, identity: named(allow('*')) })).toEqual({ decision: outcome === 'allows' ? 'allow' : 'deny', because: { kind: 'service', outcome } })
    expect(faults).toHaveLength(outcome === 'fails' ? 1 : 0)
  })

  it('cannot widen: denies, boundaries, sessions, limits and the other account go on to refuse, and it is not asked', async () => {
    const { asked, decide } = serviceThat(answering(true))
    const other = named(allow('s3:PutObject'))
    const bound: readonly PoliciesInForce[] = [
      { ...none, identity: named({ Effect: 'Deny', Action: 's3:GetObject', Resource: '*' }) },
      { ...none, boundary: other }, { ...none, session: other }, { ...none, limits: [other] }, { ...none, limits: [[]] },
    ]
    for (const policies of bound) expect((await decide(get, policies)).decision).toBe('deny')
    expect((await decide({ ...get, resourceAccountId: '222222222222' })).decision).toBe('deny')
    expect((await decide({ ...get, principal: anonymous })).decision).toBe('deny')
    expect(asked).toEqual([])
  })

  it('can refuse whom no policy binds', async () => {
    const { decide } = serviceThat(answering(false))
    for (const principal of [owner, rootPrincipal('serverRoot', account)]) expect((await decide({ ...get, principal })).decision).toBe('deny')
  })

  it('is asked each time, and its faults are told once until it answers again', async () => {
    let reply: Reply = answering(true)
    const { asked, faults, decide } = serviceThat(() => reply())
    await decide(get)
    reply = answering(false)
    expect((await decide(get)).decision).toBe('deny')
    reply = () => Promise.reject(new TypeError('fetch failed'))
    await decide(get)
    await decide(get)
    reply = answering(true)
    expect((await decide(get)).decision).toBe('allow')
    expect(asked).toHaveLength(5)
    expect(faults).toEqual([expect.any(TypeError), undefined])
  })
})
