import { describe, expect, it } from 'vitest'
import { compilePolicy } from './compile.ts'
import { evaluatePolicy } from './evaluate.ts'
import { rootPrincipal, type Principal } from './principal.ts'

const account = { accountId: '111122223333', id: 'a'.repeat(64) }
const named = (document: object, kind: 'identity' | 'resource' = 'identity') => [{ name: 'p', policy: compilePolicy(JSON.stringify(document), { kind }) }]
const bob: Principal = { ...rootPrincipal('accountRoot', account), kind: 'user', arn: 'arn:aws:iam::111122223333:user/bob', userId: 'AIDABOB', userName: 'bob' }
const request = { principal: bob, action: 's3:GetObject', resource: 'arn:aws:s3:::b/home/bob/x', resourceAccountId: account.accountId, context: (key: string) => (key === 'aws:username' ? ['bob'] : undefined) }
const home = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:Get*', Resource: 'arn:aws:s3:::b/home/${aws:username}/*' } }

describe('a decision', () => {
  it('names the statement that allows', () => {
    expect(evaluatePolicy(request, { identity: named(home), limits: [], resource: [] })).toEqual({
      decision: 'allow',
      because: { kind: 'statement', source: 'identity', policy: 'p', index: 0, sid: undefined },
    })
  })

  it('is deny where nothing allows, with what is missing', () => {
    expect(evaluatePolicy({ ...request, resource: 'arn:aws:s3:::b/home/eve/x' }, { identity: named(home), limits: [], resource: [] })).toEqual({
      decision: 'deny',
      because: { kind: 'missing', source: 'identity' },
    })
  })

  it('is that of the limit, whoever asks', () => {
    const root = rootPrincipal('serverRoot', account)
    expect(evaluatePolicy({ ...request, principal: root }, { identity: [], limits: [named(home)], resource: [] }).decision).toBe('allow')
    expect(evaluatePolicy({ ...request, principal: root, action: 's3:PutObject' }, { identity: [], limits: [named(home)], resource: [] }).decision).toBe('deny')
    expect(evaluatePolicy({ ...request, principal: root, action: 's3:PutObject' }, { identity: [], session: named(home), limits: [], resource: [] }).decision).toBe('deny')
  })

  it('gives no right by a variable without a value, also where the rest of the pattern is about another resource', () => {
    for (const NotResource of ['arn:aws:s3:::b/${aws:missing}', 'arn:?aws:s3:::b/${aws:missing}', 'arn:aws:s3:*:${aws:missing}:other']) {
      const policy = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', NotResource } }
      for (const resource of [request.resource, '*']) expect(evaluatePolicy({ ...request, resource }, { identity: named(policy), limits: [], resource: [] }).decision).toBe('deny')
    }
  })
})
