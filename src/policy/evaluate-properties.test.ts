import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compilePolicy } from './compile.ts'
import { evaluatePolicy } from './evaluate.ts'
import { naiveDecision, type NaiveDocument, type NaivePolicies, type NaiveRequest, type NaiveStatement, type NaiveWho } from './naive-model.ts'
import { anonymous, type Principal } from './principal.ts'
import type { NamedPolicy, PolicyKind } from './language.ts'

const own = '111111111111'
const other = '222222222222'

const whos: readonly NaiveWho[] = [
  { kind: 'accountRoot', account: own, arn: `arn:aws:iam::${own}:root` },
  { kind: 'accountRoot', account: other, arn: `arn:aws:iam::${other}:root` },
  { kind: 'user', account: own, arn: `arn:aws:iam::${own}:user/bob` },
  { kind: 'user', account: other, arn: `arn:aws:iam::${other}:user/bob` },
  { kind: 'roleSession', account: own, arn: `arn:aws:iam::${own}:role/reader`, sessionArn: `arn:aws:sts::${own}:assumed-role/reader/s1` },
  { kind: 'roleSession', account: other, arn: `arn:aws:iam::${other}:role/reader`, sessionArn: `arn:aws:sts::${other}:assumed-role/reader/s1` },
  { kind: 'anonymous', account: '', arn: '' },
]

const principalNames = ['*', own, other, `arn:aws:iam::${own}:root`, ...whos.flatMap(({ kind, arn, sessionArn }) => (kind === 'user' || kind === 'roleSession' ? [arn, ...(sessionArn ? [sessionArn] : [])] : []))]
const actions = ['s3:GetObject', 's3:PutObject', 's3:GetObjectVersion', 's3:ListBucket']
const resources = ['arn:aws:s3:::b', 'arn:aws:s3:::b/home/bob/x', 'arn:aws:s3:::b/home/eve/*', 'arn:aws:s3:::c/k?y', 'arn:aws:s3:::b/home/*/x']
const resourcePatterns = ['*', 'arn:aws:s3:::b', 'arn:aws:s3:::b/*', 'arn:aws:s3:::b/home/${aws:username}/*', 'arn:aws:s3:::?/*', 'arn:aws:s3:::*/home/${aws:missing}/*', "arn:aws:s3:::b/home/${aws:missing, 'bob'}/*", 'arn:aws:s3:::b/*/x']
const few = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 })

const conditionLine = fc.oneof(
  fc.tuple(fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'), fc.constantFrom('', 'IfExists'), fc.constantFrom('', 'ForAllValues:', 'ForAnyValue:'),
    fc.constantFrom('aws:username', 's3:prefix', 's3:RequestObjectTagKeys'), few(['bob', 'BOB', 'eve', 'b*', '', '${aws:username}', '${s3:prefix}', "${aws:missing, 'bob'}"])),
  fc.tuple(fc.constantFrom('NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericGreaterThanEquals'), fc.constantFrom('', 'IfExists'), fc.constant(''), fc.constant('s3:max-keys'), few(['0', '10', '100.5'])),
  fc.tuple(fc.constant('Bool'), fc.constantFrom('', 'IfExists'), fc.constant(''), fc.constant('aws:SecureTransport'), few(['true', 'false'])),
  fc.tuple(fc.constant('Null'), fc.constant(''), fc.constant(''), fc.constantFrom('aws:username', 's3:prefix', 'aws:missing'), fc.constantFrom(['true'], ['false'])),
)

const statement = (kind: PolicyKind): fc.Arbitrary<NaiveStatement> =>
  fc.record({
    effect: fc.constantFrom('Allow' as const, 'Allow' as const, 'Deny' as const),
    notAction: fc.boolean(),
    actions: few(['*', 's3:*', 's3:Get*', 's3:getobject', 's3:PutObject', 's3:?istBucket', 'iam:*']),
    notResource: fc.boolean(),
    resources: few(resourcePatterns),
    conditions: fc.array(conditionLine, { maxLength: 2 }),
    notPrincipal: fc.boolean(),
    principals: few(principalNames),
    star: fc.boolean(),
  }).map(({ effect, notAction, actions: named, notResource, resources: about, conditions, notPrincipal, principals, star }) => {
    const Condition: Record<string, Record<string, readonly string[]>> = {}
    for (const [operator, ifExists, qualifier, key, values] of conditions) (Condition[`${qualifier}${operator}${ifExists}`] ??= {})[key] = values
    return {
      Effect: effect,
      ...(notAction && named.length < 3 ? { NotAction: named } : { Action: named }),
      ...(notResource && about.length < 3 ? { NotResource: about } : { Resource: about }),
      ...(conditions.length === 0 ? {} : { Condition }),
      ...(kind === 'identity' ? {} : { [notPrincipal && !star ? 'NotPrincipal' : 'Principal']: star && !notPrincipal ? '*' : { AWS: principals } }),
    }
  })

const document = (kind: PolicyKind): fc.Arbitrary<NaiveDocument> => fc.array(statement(kind), { minLength: 1, maxLength: 4 }).map(Statement => ({ Version: '2012-10-17' as const, Statement }))
const permissive: NaiveDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }] }
const maybe = (kind: PolicyKind) => fc.option(fc.oneof(document(kind), fc.constant(permissive)), { nil: undefined })

const world = fc.record({
  who: fc.constantFrom(...whos),
  action: fc.constantFrom(...actions),
  resource: fc.constantFrom(...resources),
  resourceAccount: fc.constantFrom(own, other),
  context: fc.record({ 'aws:username': fc.constantFrom(['bob'], ['eve'], ['*']), 's3:prefix': fc.constantFrom([''], ['bob'], ['b?b']), 's3:max-keys': fc.constantFrom(['10'], ['1000']),
    'aws:securetransport': fc.constantFrom(['true'], ['false']), 's3:requestobjecttagkeys': fc.constantFrom([], ['bob'], ['bob', 'eve']) }, { requiredKeys: [] }),
  identity: fc.array(document('identity'), { maxLength: 2 }),
  boundary: maybe('identity'),
  session: maybe('identity'),
  limits: fc.array(fc.oneof(document('identity'), fc.constant(permissive)), { maxLength: 1 }),
  resourcePolicy: fc.option(document('resource'), { nil: undefined }),
})

type World = typeof world extends fc.Arbitrary<infer T> ? T : never

const compiled = (naive: NaiveDocument, kind: PolicyKind): NamedPolicy => ({ name: kind, policy: compilePolicy(JSON.stringify(naive), { kind }) })

function principalOf({ kind, account, arn, sessionArn }: NaiveWho): Principal {
  if (kind === 'anonymous') return anonymous
  return { ...anonymous, kind, accountId: account, canonicalUserId: account, arn, ...(sessionArn === undefined ? {} : { sessionArn }) }
}

function decideBoth({ who, action, resource, resourceAccount, context, identity, boundary, session, limits, resourcePolicy }: World): readonly ['allow' | 'deny', 'allow' | 'deny'] {
  const isPlain = who.kind === 'anonymous' || who.kind === 'accountRoot'
  const request: NaiveRequest = { who, action, resource, resourceAccount, context: context as NaiveRequest['context'] }
  const mine = isPlain ? [] : identity
  const naive: NaivePolicies = {
    identity: mine,
    ...(boundary === undefined || isPlain ? {} : { boundary }),
    ...(session === undefined || isPlain ? {} : { session }),
    limits: who.kind === 'anonymous' ? [] : limits,
    ...(resourcePolicy === undefined ? {} : { resource: resourcePolicy }),
  }
  const { decision } = evaluatePolicy(
    { principal: principalOf(who), action, resource, resourceAccountId: resourceAccount, context: key => request.context[key] },
    {
      identity: naive.identity.map(one => compiled(one, 'identity')),
      ...(naive.boundary === undefined ? {} : { boundary: [compiled(naive.boundary, 'identity')] }),
      ...(naive.session === undefined ? {} : { session: [compiled(naive.session, 'identity')] }),
      limits: naive.limits.map(one => [compiled(one, 'identity')]),
      resource: naive.resource === undefined ? [] : [compiled(naive.resource, 'resource')],
    },
  )
  return [decision, naiveDecision(request, naive)]
}

it('decides as AWS’s chart does, whatever the policies', () => {
  let allowed = 0
  fc.assert(
    fc.property(world, one => {
      const [decision, expected] = decideBoth(one)
      if (decision === 'allow') allowed += 1
      expect(decision).toBe(expected)
    }),
    { numRuns: 20_000 },
  )
  expect(allowed).toBeGreaterThan(500)
}, 120_000)

/** Text that is nearly a policy: pieces of one, cut and joined. */
const nearly = fc.tuple(document('identity'), fc.nat(), fc.nat(), fc.string({ maxLength: 4 })).map(([naive, from, length, inserted]) => {
  const text = JSON.stringify(naive)
  const at = from % text.length
  return text.slice(0, at) + inserted + text.slice(at + (length % 5))
})

it('allows nothing by a broken document that the model would not allow by it', () => {
  fc.assert(
    fc.property(nearly, world, (text, one) => {
      let policy
      try {
        policy = compilePolicy(text, { kind: 'identity' })
      } catch {
        return
      }
      const naive = JSON.parse(text) as NaiveDocument
      const context = one.context as NaiveRequest['context']
      const who = whos[2] as NaiveWho
      const { decision } = evaluatePolicy(
        { principal: principalOf(who), action: one.action, resource: one.resource, resourceAccountId: own, context: key => context[key] },
        { identity: [{ name: 'p', policy }], limits: [], resource: [] },
      )
      if (decision === 'deny') return
      const listed = { ...naive, Statement: [naive.Statement].flat().map(asLists) }
      expect(naiveDecision({ who, action: one.action, resource: one.resource, resourceAccount: own, context }, { identity: [listed], limits: [] })).toBe('allow')
    }),
    { numRuns: 20_000 },
  )
}, 120_000)

/** Single values stand for lists of one; numbers and booleans for their text. */
function asLists(naive: NaiveStatement): NaiveStatement {
  const list = (value: unknown): unknown => (value === undefined ? undefined : [value].flat().map(String))
  const Condition = Object.fromEntries(Object.entries(naive.Condition ?? {}).map(([operator, lines]) => [operator, Object.fromEntries(Object.entries(lines).map(([key, values]) => [key, list(values)]))]))
  const lists = Object.fromEntries(Object.entries(naive).map(([name, value]) => [name, name === 'Effect' || name === 'Sid' ? value : list(value)]))
  return { ...lists, ...(naive.Condition === undefined ? {} : { Condition }) } as NaiveStatement
}
