/**
 * Cases written from AWS's documentation: condition operators, variables, wildcards, example policies of S3.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
 * …/reference_policies_condition-single-vs-multi-valued-context-keys.html, …/reference_policies_variables.html
 */
import { describe, expect, it } from 'vitest'
import { compilePolicy } from './compile.ts'
import { evaluatePolicy } from './evaluate.ts'
import { PolicyError } from './policy-error.ts'
import { rootPrincipal, type Principal } from './principal.ts'

const account = { accountId: '111122223333', id: 'a'.repeat(64) }
const bob: Principal = { ...rootPrincipal('accountRoot', account), kind: 'user', arn: 'arn:aws:iam::111122223333:user/bob', userId: 'AIDABOB', userName: 'bob' }

type Values = Readonly<Record<string, readonly string[]>>
type Lines = Readonly<Record<string, Readonly<Record<string, unknown>>>>

interface Asked {
  readonly action?: string
  readonly resource?: string
  readonly context?: Values
  readonly version?: string
}

function decide(statements: readonly object[], { action = 's3:GetObject', resource = 'arn:aws:s3:::b/k', context = {}, version = '2012-10-17' }: Asked): string {
  const policy = compilePolicy(JSON.stringify({ Version: version, Statement: statements }), { kind: 'identity' })
  return evaluatePolicy({ principal: bob, action, resource, resourceAccountId: account.accountId, context: key => context[key] }, { identity: [{ name: 'p', policy }], limits: [], resource: [] }).decision
}

const when = (Condition: Lines, context: Values, effect = 'Allow'): string =>
  decide([...(effect === 'Deny' ? [{ Effect: 'Allow', Action: '*', Resource: '*' }] : []), { Effect: effect, Action: '*', Resource: '*', Condition }], { context })

const key = 'aws:userid'

describe('condition operators', () => {
  // [operator, policy's values, request's values (undefined: the key is absent), holds]
  it.each<[string, unknown, readonly string[] | undefined, boolean]>([
    ['StringEquals', 'a', ['a'], true],
    ['StringEquals', 'a', ['A'], false],
    ['StringEquals', 'a*', ['ab'], false],
    ['StringEquals', 'a*', ['a*'], true],
    ['StringEquals', ['a', 'b'], ['b'], true],
    ['StringEquals', 'a', undefined, false],
    ['StringNotEquals', 'a', ['b'], true],
    ['StringNotEquals', 'a', ['a'], false],
    ['StringNotEquals', ['a', 'b'], ['b'], false],
    ['StringNotEquals', ['a', 'b'], ['c'], true],
    ['StringNotEquals', 'a', undefined, true],
    ['StringEqualsIgnoreCase', 'Straße', ['STRAße'], true],
    ['StringEqualsIgnoreCase', 'a', ['A'], true],
    ['StringEqualsIgnoreCase', 'a', ['b'], false],
    ['StringNotEqualsIgnoreCase', 'a', ['A'], false],
    ['StringNotEqualsIgnoreCase', 'a', ['b'], true],
    ['StringLike', 'home/*', ['home/bob/x'], true],
    ['StringLike', 'home/?', ['home/bob'], false],
    ['StringLike', 'home/?ob', ['home/bob'], true],
    ['StringLike', '', [''], true],
    ['StringLike', '*', ['anything'], true],
    ['StringLike', 'Home/*', ['home/x'], false],
    ['StringLike', '*a*b*c', ['xxaxxbxxc'], true],
    ['StringLike', '*a*b*c', ['xxaxxcxxb'], false],
    ['StringNotLike', 'home/*', ['home/x'], false],
    ['StringNotLike', 'home/*', ['other'], true],
    ['StringNotLike', 'home/*', undefined, true],
    ['NumericEquals', '10', ['10'], true],
    ['NumericEquals', 10, ['10.0'], true],
    ['NumericEquals', '10', ['11'], false],
    ['NumericEquals', '10', ['ten'], false],
    ['NumericEquals', '10', undefined, false],
    ['NumericNotEquals', '10', ['11'], true],
    ['NumericNotEquals', '10', ['10'], false],
    ['NumericNotEquals', '10', undefined, true],
    ['NumericLessThan', '10', ['9.99'], true],
    ['NumericLessThan', '10', ['10'], false],
    ['NumericLessThan', '10', ['-1'], true],
    ['NumericLessThanEquals', '10', ['10'], true],
    ['NumericLessThanEquals', '10', ['10.1'], false],
    ['NumericGreaterThan', '10', ['11'], true],
    ['NumericGreaterThan', '10', ['9'], false],
    ['NumericGreaterThan', '9', ['10'], true],
    ['NumericGreaterThanEquals', '10', ['10'], true],
    ['NumericGreaterThanEquals', '10', ['9'], false],
    ['DateEquals', '2020-01-01T00:00:00Z', ['2020-01-01T00:00:00Z'], true],
    ['DateEquals', '2020-01-01T00:00:00Z', ['2020-01-01T01:00:00+01:00'], true],
    ['DateEquals', '1577836800', ['2020-01-01T00:00:00Z'], true],
    ['DateNotEquals', '2020-01-01T00:00:00Z', ['2020-01-02T00:00:00Z'], true],
    ['DateNotEquals', '2020-01-01T00:00:00Z', ['2020-01-01T00:00:00Z'], false],
    ['DateNotEquals', '2020-01-01T00:00:00Z', undefined, true],
    ['DateLessThan', '2020-04-01T00:00:00Z', ['2020-03-31T23:59:59Z'], true],
    ['DateLessThan', '2020-04-01T00:00:00Z', ['2020-04-01T00:00:00Z'], false],
    ['DateLessThanEquals', '2020-04-01T00:00:00Z', ['2020-04-01T00:00:00Z'], true],
    ['DateGreaterThan', '2020-04-01T00:00:00Z', ['2020-04-01T00:00:01Z'], true],
    ['DateGreaterThan', '2020-04-01T00:00:00Z', ['2020-04-01T00:00:00Z'], false],
    ['DateGreaterThanEquals', '2020-04-01T00:00:00Z', ['2020-04-01T00:00:00Z'], true],
    ['DateGreaterThan', '2020-04-01', ['2020-04-02T00:00:00Z'], true],
    ['DateGreaterThan', '2020-04-01T00:00:00Z', ['never'], false],
    ['Bool', 'true', ['true'], true],
    ['Bool', true, ['true'], true],
    ['Bool', 'true', ['TRUE'], true],
    ['Bool', 'true', ['false'], false],
    ['Bool', 'false', ['false'], true],
    ['Bool', 'false', undefined, false],
    ['BinaryEquals', 'QmluYXJ5VmFsdWVJbkJhc2U2NA==', ['QmluYXJ5VmFsdWVJbkJhc2U2NA=='], true],
    ['BinaryEquals', 'QmluYXJ5VmFsdWVJbkJhc2U2NA==', ['QmluYXJ5'], false],
    ['IpAddress', '203.0.113.0/24', ['203.0.113.7'], true],
    ['IpAddress', '203.0.113.0/24', ['203.0.114.7'], false],
    ['IpAddress', '203.0.113.7', ['203.0.113.7'], true],
    ['IpAddress', '203.0.113.7', ['203.0.113.8'], false],
    ['IpAddress', '0.0.0.0/0', ['8.8.8.8'], true],
    ['IpAddress', '0.0.0.0/0', ['2001:db8::1'], false],
    ['IpAddress', ['203.0.113.0/24', '2001:DB8:1234:5678::/64'], ['2001:db8:1234:5678::9'], true],
    ['IpAddress', '2001:DB8:1234:5678::/64', ['2001:db8:1234:5679::9'], false],
    ['IpAddress', '::/0', ['2001:db8::1'], true],
    ['IpAddress', '203.0.113.0/24', ['::ffff:203.0.113.7'], true],
    ['IpAddress', '203.0.113.0/24', ['unknown'], false],
    ['IpAddress', '203.0.113.0/24', undefined, false],
    ['NotIpAddress', '203.0.113.0/24', ['203.0.113.7'], false],
    ['NotIpAddress', '203.0.113.0/24', ['8.8.8.8'], true],
    ['NotIpAddress', '203.0.113.0/24', undefined, true],
    ['ArnEquals', 'arn:aws:iam::111122223333:user/bob', ['arn:aws:iam::111122223333:user/bob'], true],
    ['ArnEquals', 'arn:aws:iam::111122223333:user/*', ['arn:aws:iam::111122223333:user/bob'], true],
    ['ArnLike', 'arn:aws:iam::*:user/bob', ['arn:aws:iam::111122223333:user/bob'], true],
    ['ArnLike', 'arn:aws:*:*:111122223333:*', ['arn:aws:sns:eu-west-1:111122223333:topic:sub'], true],
    ['ArnLike', 'arn:aws:s3:*:*:b', ['arn:aws:s3:::b'], true],
    ['ArnLike', 'arn:aws:s3:::b', ['nothing'], false],
    ['ArnNotEquals', 'arn:aws:iam::111122223333:user/bob', ['arn:aws:iam::111122223333:user/eve'], true],
    ['ArnNotLike', 'arn:aws:iam::111122223333:user/*', ['arn:aws:iam::111122223333:user/eve'], false],
    ['ArnNotLike', 'arn:aws:iam::111122223333:user/*', undefined, true],
    ['Null', 'true', undefined, true],
    ['Null', 'true', ['x'], false],
    ['Null', 'false', ['x'], true],
    ['Null', 'false', undefined, false],
    ['Null', true, [], true],
    ['StringEqualsIfExists', 'a', undefined, true],
    ['StringEqualsIfExists', 'a', ['a'], true],
    ['StringEqualsIfExists', 'a', ['b'], false],
    ['StringNotEqualsIfExists', 'a', undefined, true],
    ['StringLikeIfExists', 'a*', undefined, true],
    ['NumericLessThanIfExists', '10', undefined, true],
    ['NumericLessThanIfExists', '10', ['10'], false],
    ['NumericGreaterThanIfExists', '10', ['11'], true],
    ['BoolIfExists', 'true', undefined, true],
    ['BoolIfExists', 'true', ['false'], false],
    ['DateLessThanIfExists', '2020-01-01T00:00:00Z', undefined, true],
    ['IpAddressIfExists', '203.0.113.0/24', undefined, true],
    ['ArnLikeIfExists', 'arn:aws:s3:::b', undefined, true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', ['a', 'b'], [], true],
    ['ForAllValues:StringEquals', ['a', 'b'], undefined, true],
    ['ForAllValues:StringLike', ['a*'], ['ab', 'ac'], true],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'd'], true],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'a'], false],
    ['ForAllValues:StringEqualsIfExists', ['a'], undefined, true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'd'], false],
    ['ForAnyValue:StringEquals', ['a', 'b'], [], false],
    ['ForAnyValue:StringEquals', ['a', 'b'], undefined, false],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'c'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'b'], false],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], undefined, false],
    ['ForAnyValue:StringLike', ['a*'], ['x', 'ab'], true],
    ['ForAnyValue:StringEqualsIfExists', ['a'], undefined, true],
    ['forallvalues:stringequals', ['a'], ['a'], true],
    ['STRINGEQUALS', ['a'], ['a'], true],
  ])('%s %j of %j: %s', (operator, values, given, holds) => {
    const context = given === undefined ? {} : { [key]: given }
    expect(when({ [operator]: { [key]: values } }, context)).toBe(holds ? 'allow' : 'deny')
    expect(when({ [operator]: { [key]: values } }, context, 'Deny')).toBe(holds ? 'deny' : 'allow')
  })

  it('must all hold, operators and keys alike', () => {
    const both = { StringEquals: { 'aws:userid': 'a', 'aws:username': 'bob' }, Bool: { 'aws:SecureTransport': 'true' } }
    expect(when(both, { 'aws:userid': ['a'], 'aws:username': ['bob'], 'aws:securetransport': ['true'] })).toBe('allow')
    expect(when(both, { 'aws:userid': ['a'], 'aws:username': ['eve'], 'aws:securetransport': ['true'] })).toBe('deny')
    expect(when(both, { 'aws:userid': ['a'], 'aws:username': ['bob'], 'aws:securetransport': ['false'] })).toBe('deny')
  })

  it('take keys in any case, but for the names of tags', () => {
    expect(when({ StringEquals: { 'AWS:UserID': 'a' } }, { 'aws:userid': ['a'] })).toBe('allow')
    expect(when({ StringEquals: { 'AWS:PrincipalTag/Team': 'a' } }, { 'aws:principaltag/Team': ['a'] })).toBe('allow')
  })
})

describe('actions', () => {
  it.each<[unknown, string, boolean]>([
    ['s3:GetObject', 's3:GetObject', true],
    ['s3:getobject', 's3:GetObject', true],
    ['S3:GetObject', 's3:GetObject', true],
    ['s3:GetObject', 's3:GetObjectVersion', false],
    ['s3:GetObject*', 's3:GetObjectVersion', true],
    ['s3:*Object', 's3:PutObject', true],
    ['s3:*Object', 's3:PutObjectAcl', false],
    ['s3:*', 's3:ListBucket', true],
    ['s3:*', 's3tables:GetTable', false],
    ['s3tables:*', 's3tables:GetTable', true],
    ['*', 'iam:CreateUser', true],
    ['*:*', 'iam:CreateUser', true],
    ['s3:?etObject', 's3:GetObject', true],
    ['s3:?etObject', 's3:PutObject', false],
    [['s3:GetObject', 's3:PutObject'], 's3:PutObject', true],
    [['s3:GetObject', 's3:PutObject'], 's3:DeleteObject', false],
  ])('%j of %s: %s', (Action, action, holds) => {
    expect(decide([{ Effect: 'Allow', Action, Resource: '*' }], { action })).toBe(holds ? 'allow' : 'deny')
    expect(decide([{ Effect: 'Allow', NotAction: Action, Resource: '*' }], { action })).toBe(holds ? 'deny' : 'allow')
  })
})

describe('resources', () => {
  it.each<[unknown, string, boolean]>([
    ['*', 'arn:aws:s3:::b/k', true],
    ['arn:aws:s3:::b/k', 'arn:aws:s3:::b/k', true],
    ['arn:aws:s3:::b/k', 'arn:aws:s3:::b/K', false],
    ['arn:aws:s3:::B/k', 'arn:aws:s3:::b/k', false],
    ['arn:aws:s3:::b', 'arn:aws:s3:::b/k', false],
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::b', false],
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/', true],
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/a/b/c', true],
    ['arn:aws:s3:::b*', 'arn:aws:s3:::bucket/k', true],
    ['arn:aws:s3:::*/k', 'arn:aws:s3:::b/a/k', true],
    ['arn:aws:s3:::b/a?c', 'arn:aws:s3:::b/abc', true],
    ['arn:aws:s3:::b/a?c', 'arn:aws:s3:::b/ac', false],
    ['arn:aws:s3:::b/a?c', 'arn:aws:s3:::b/a/c', true],
    ['arn:aws:s3:::b/a?c', 'arn:aws:s3:::b/a𝄞c', true],
    ['arn:aws:s3:*:*:b/k', 'arn:aws:s3:::b/k', true],
    ['arn:*:s3:::b/k', 'arn:aws:s3:::b/k', true],
    ['arn:aws:*:::b/k', 'arn:aws:s3:::b/k', true],
    ['arn:aws:iam:::b/k', 'arn:aws:s3:::b/k', false],
    ['arn:aws:s3:::b/a:b', 'arn:aws:s3:::b/a:b', true],
    ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/a:b:c:d:e:f:g', true],
    ['arn:aws:s3:::b/${*}', 'arn:aws:s3:::b/*', true],
    ['arn:aws:s3:::b/${*}', 'arn:aws:s3:::b/x', false],
    ['arn:aws:s3:::b/${?}', 'arn:aws:s3:::b/?', true],
    ['arn:aws:s3:::b/${$}{x}', 'arn:aws:s3:::b/${x}', true],
    [['arn:aws:s3:::c/*', 'arn:aws:s3:::b/*'], 'arn:aws:s3:::b/k', true],
  ])('%j of %s: %s', (Resource, resource, holds) => {
    expect(decide([{ Effect: 'Allow', Action: '*', Resource }], { resource })).toBe(holds ? 'allow' : 'deny')
    expect(decide([{ Effect: 'Allow', Action: '*', NotResource: Resource }], { resource })).toBe(holds ? 'deny' : 'allow')
  })
})

describe('policy variables', () => {
  const home = 'arn:aws:s3:::b/home/${aws:username}/*'
  it.each<[string, string, Values, boolean]>([
    [home, 'arn:aws:s3:::b/home/bob/x', { 'aws:username': ['bob'] }, true],
    [home, 'arn:aws:s3:::b/home/eve/x', { 'aws:username': ['bob'] }, false],
    [home, 'arn:aws:s3:::b/home/eve/x', { 'aws:username': ['*'] }, false],
    [home, 'arn:aws:s3:::b/home/*/x', { 'aws:username': ['*'] }, true],
    [home, 'arn:aws:s3:::b/home//x', {}, false],
    [home, 'arn:aws:s3:::b/home/${aws:username}/x', {}, false],
    [home, 'arn:aws:s3:::b/home/bob/x', { 'aws:username': ['bob', 'eve'] }, false],
    ["arn:aws:s3:::b/home/${aws:username, 'guest'}/*", 'arn:aws:s3:::b/home/guest/x', {}, true],
    ["arn:aws:s3:::b/home/${aws:username, 'guest'}/*", 'arn:aws:s3:::b/home/guest/x', { 'aws:username': ['bob'] }, false],
    ["arn:aws:s3:::b/home/${aws:username, ''}/*", 'arn:aws:s3:::b/home//x', {}, true],
    ['arn:aws:s3:::b/${aws:PrincipalTag/Team}/*', 'arn:aws:s3:::b/red/x', { 'aws:principaltag/Team': ['red'] }, true],
    ['arn:aws:s3:::b/${jwt:preferred_username}/*', 'arn:aws:s3:::b/ada/x', { 'jwt:preferred_username': ['ada'] }, true],
    ['arn:aws:s3:::b/${ldap:username}/*', 'arn:aws:s3:::b/ada/x', { 'ldap:username': ['ada'] }, true],
    ['arn:aws:s3:::b/${AWS:UserName}/*', 'arn:aws:s3:::b/bob/x', { 'aws:username': ['bob'] }, true],
  ])('%s of %s with %j: %s', (Resource, resource, context, holds) => {
    expect(decide([{ Effect: 'Allow', Action: '*', Resource }], { resource, context })).toBe(holds ? 'allow' : 'deny')
  })

  it('are text in documents of 2008-10-17', () => {
    const statements = [{ Effect: 'Allow', Action: '*', Resource: home }]
    expect(decide(statements, { version: '2008-10-17', resource: 'arn:aws:s3:::b/home/bob/x', context: { 'aws:username': ['bob'] } })).toBe('deny')
    expect(decide(statements, { version: '2008-10-17', resource: 'arn:aws:s3:::b/home/${aws:username}/x' })).toBe('allow')
  })

  it('work in conditions', () => {
    const prefix = { StringLike: { 's3:prefix': ['home/${aws:username}/*'] } }
    expect(when(prefix, { 's3:prefix': ['home/bob/'], 'aws:username': ['bob'] })).toBe('allow')
    expect(when(prefix, { 's3:prefix': ['home/eve/'], 'aws:username': ['bob'] })).toBe('deny')
    expect(when(prefix, { 's3:prefix': ['home/bob/'] })).toBe('deny')
  })

  it('without a value give no right', () => {
    expect(decide([{ Effect: 'Allow', Action: '*', NotResource: home }], { resource: 'arn:aws:s3:::c/x' })).toBe('deny')
    expect(when({ StringNotEquals: { 'aws:userid': '${aws:username}' } }, { 'aws:userid': ['x'] })).toBe('deny')
    expect(when({ StringNotEquals: { 'aws:userid': '${aws:username}' } }, { 'aws:userid': ['x'] }, 'Deny')).toBe('deny')
  })
})

describe('example policies of S3', () => {
  const all = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
  it.each<[string, readonly object[], Asked, 'allow' | 'deny']>([
    ['deny without TLS: HTTP', [all, { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }], { context: { 'aws:securetransport': ['false'] } }, 'deny'],
    ['deny without TLS: HTTPS', [all, { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }], { context: { 'aws:securetransport': ['true'] } }, 'allow'],
    ['require encryption: none', [all, { Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Condition: { Null: { 's3:x-amz-server-side-encryption': 'true' } } }], { action: 's3:PutObject' }, 'deny'],
    ['require encryption: given', [all, { Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Condition: { Null: { 's3:x-amz-server-side-encryption': 'true' } } }], { action: 's3:PutObject', context: { 's3:x-amz-server-side-encryption': ['AES256'] } }, 'allow'],
    ['require one encryption: another', [all, { Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } } }], { action: 's3:PutObject', context: { 's3:x-amz-server-side-encryption': ['AES256'] } }, 'deny'],
    ['list one folder: it', [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::b', Condition: { StringEquals: { 's3:prefix': ['', 'home/'], 's3:delimiter': '/' } } }], { action: 's3:ListBucket', resource: 'arn:aws:s3:::b', context: { 's3:prefix': ['home/'], 's3:delimiter': ['/'] } }, 'allow'],
    ['list one folder: without prefix', [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::b', Condition: { StringEquals: { 's3:prefix': ['', 'home/'] } } }], { action: 's3:ListBucket', resource: 'arn:aws:s3:::b' }, 'deny'],
    ['at most 10 keys: 10', [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: '*', Condition: { NumericLessThanEquals: { 's3:max-keys': '10' } } }], { action: 's3:ListBucket', context: { 's3:max-keys': ['10'] } }, 'allow'],
    ['at most 10 keys: 11', [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: '*', Condition: { NumericLessThanEquals: { 's3:max-keys': '10' } } }], { action: 's3:ListBucket', context: { 's3:max-keys': ['11'] } }, 'deny'],
    ['at most 10 keys: not said', [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: '*', Condition: { NumericLessThanEquals: { 's3:max-keys': '10' } } }], { action: 's3:ListBucket' }, 'deny'],
    ['tag of the object: it', [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: { StringEquals: { 's3:ExistingObjectTag/security': 'public' } } }], { context: { 's3:existingobjecttag/security': ['public'] } }, 'allow'],
    ['tag of the object: none', [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: { StringEquals: { 's3:ExistingObjectTag/security': 'public' } } }], {}, 'deny'],
    ['only these tag keys: they', [{ Effect: 'Allow', Action: 's3:PutObjectTagging', Resource: '*', Condition: { 'ForAllValues:StringLike': { 's3:RequestObjectTagKeys': ['Owner', 'CreationDate'] } } }], { action: 's3:PutObjectTagging', context: { 's3:requestobjecttagkeys': ['Owner'] } }, 'allow'],
    ['only these tag keys: another', [{ Effect: 'Allow', Action: 's3:PutObjectTagging', Resource: '*', Condition: { 'ForAllValues:StringLike': { 's3:RequestObjectTagKeys': ['Owner', 'CreationDate'] } } }], { action: 's3:PutObjectTagging', context: { 's3:requestobjecttagkeys': ['Owner', 'Cost'] } }, 'deny'],
    ['one of these tag keys: none', [{ Effect: 'Allow', Action: 's3:PutObjectTagging', Resource: '*', Condition: { 'ForAnyValue:StringLike': { 's3:RequestObjectTagKeys': ['Owner'] } } }], { action: 's3:PutObjectTagging' }, 'deny'],
    ['one address range but one address: outside', [{ Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' }, NotIpAddress: { 'aws:SourceIp': '192.0.2.188/32' } } }], { context: { 'aws:sourceip': ['192.0.2.188'] } }, 'deny'],
    ['one address range but one address: inside', [{ Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' }, NotIpAddress: { 'aws:SourceIp': '192.0.2.188/32' } } }], { context: { 'aws:sourceip': ['192.0.2.7'] } }, 'allow'],
    ['copy from one folder: it', [{ Effect: 'Allow', Action: 's3:PutObject', Resource: '*', Condition: { StringLike: { 's3:x-amz-copy-source': 'src/public/*' } } }], { action: 's3:PutObject', context: { 's3:x-amz-copy-source': ['src/public/a'] } }, 'allow'],
    ['copy from one folder: another', [{ Effect: 'Allow', Action: 's3:PutObject', Resource: '*', Condition: { StringLike: { 's3:x-amz-copy-source': 'src/public/*' } } }], { action: 's3:PutObject', context: { 's3:x-amz-copy-source': ['src/private/a'] } }, 'deny'],
    ['one version: it', [{ Effect: 'Allow', Action: 's3:GetObjectVersion', Resource: '*', Condition: { StringEquals: { 's3:VersionId': 'v1' } } }], { action: 's3:GetObjectVersion', context: { 's3:versionid': ['v1'] } }, 'allow'],
    ['one version: another', [{ Effect: 'Allow', Action: 's3:GetObjectVersion', Resource: '*', Condition: { StringEquals: { 's3:VersionId': 'v1' } } }], { action: 's3:GetObjectVersion', context: { 's3:versionid': ['v2'] } }, 'deny'],
    ['one region: it', [{ Effect: 'Allow', Action: 's3:CreateBucket', Resource: '*', Condition: { StringLike: { 's3:LocationConstraint': 'eu-*' } } }], { action: 's3:CreateBucket', context: { 's3:locationconstraint': ['eu-west-1'] } }, 'allow'],
    ['all but deletes: get', [{ Effect: 'Allow', NotAction: 's3:Delete*', Resource: '*' }], {}, 'allow'],
    ['all but deletes: delete', [{ Effect: 'Allow', NotAction: 's3:Delete*', Resource: '*' }], { action: 's3:DeleteObject' }, 'deny'],
    ['all but one bucket: it', [all, { Effect: 'Deny', Action: 's3:*', NotResource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'] }], {}, 'allow'],
    ['all but one bucket: another', [all, { Effect: 'Deny', Action: 's3:*', NotResource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'] }], { resource: 'arn:aws:s3:::c/k' }, 'deny'],
    ['old presigned URLs: young', [all, { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { NumericGreaterThan: { 's3:signatureAge': '600000' } } }], { context: { 's3:signatureage': ['1000'] } }, 'allow'],
    ['old presigned URLs: old', [all, { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { NumericGreaterThan: { 's3:signatureAge': '600000' } } }], { context: { 's3:signatureage': ['700000'] } }, 'deny'],
    ['multi-factor: without', [all, { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } } }], {}, 'deny'],
    ['multi-factor: with', [all, { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } } }], { context: { 'aws:multifactorauthpresent': ['true'] } }, 'allow'],
  ])('%s', (_name, statements, asked, expected) => {
    expect(decide(statements, asked)).toBe(expected)
  })
})

const allow = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
const identity = (statement: object, more: object = {}): string => JSON.stringify({ Version: '2012-10-17', Statement: statement, ...more })

describe('malformed documents are refused with the position', () => {
  it.each<[string, string, string, number, number]>([
    ['nothing', '', 'Syntax', 1, 1],
    ['no JSON', '{"Version": }', 'Syntax', 1, 13],
    ['single quotes', "{'a': 1}", 'Syntax', 1, 2],
    ['a trailing comma', '{"Version": "2012-10-17",\n}', 'Syntax', 2, 1],
    ['text after it', '{} {}', 'Syntax', 1, 4],
    ['a name twice', '{"Statement": [], "Statement": []}', 'Syntax', 1, 19],
    ['a deep nest', `${'['.repeat(40)}`, 'Syntax', 1, 14],
    ['an open string', '{"a', 'Syntax', 1, 2],
    ['a list', '[]', 'Grammar', 1, 1],
    ['no statement', '{"Version": "2012-10-17"}', 'Grammar', 1, 1],
    ['an empty list of statements', '{"Statement": []}', 'Grammar', 1, 15],
    ['an unknown version', '{"Version": "2012-10-18", "Statement": []}', 'Grammar', 1, 13],
    ['an unknown element', '{\n "Statement": [{"Effect": "Allow", "Actions": "*"}]}', 'Grammar', 2, 36],
    ['too much', ' '.repeat(20_481), 'TooLarge', 1, 1],
  ])('%s', (_name, text, code, line, column) => {
    const error = refusalOf(() => compilePolicy(text, { kind: 'identity' }))
    expect([error.code, error.line, error.column]).toEqual([code, line, column])
  })

  it.each<[string, string, string, string]>([
    ['no effect', identity({ Action: '*', Resource: '*' }), 'Grammar', '{"Action"'],
    ['another effect', identity({ ...allow, Effect: 'allow' }), 'Grammar', '"allow"'],
    ['no action', identity({ Effect: 'Allow', Resource: '*' }), 'Grammar', '{"Effect"'],
    ['both Action and NotAction', identity({ ...allow, NotAction: '*' }), 'Grammar', '{"Effect"'],
    ['no resource', identity({ Effect: 'Allow', Action: '*' }), 'Resource', '{"Effect"'],
    ['an empty list of actions', identity({ ...allow, Action: [] }), 'Grammar', '[]'],
    ['an action without a service', identity({ ...allow, Action: 'GetObject' }), 'Action', '"GetObject"'],
    ['an action with a space', identity({ ...allow, Action: 's3: GetObject' }), 'Action', '"s3: GetObject"'],
    ['a resource that is no ARN', identity({ ...allow, Resource: 'b/*' }), 'Resource', '"b/*"'],
    ['a resource of too few parts', identity({ ...allow, Resource: 'arn:aws:s3:*' }), 'Resource', '"arn:aws:s3:*"'],
    ['a broken variable', identity({ ...allow, Resource: 'arn:aws:s3:::b/${aws:username' }), 'Resource', '"arn:aws:s3:::b/${aws:username"'],
    ['a variable without a prefix', identity({ ...allow, Resource: 'arn:aws:s3:::b/${username}' }), 'Resource', '"arn:aws:s3:::b/${username}"'],
    ['a principal in an identity policy', identity({ ...allow, Principal: '*' }), 'Principal', '"Principal"'],
    ['an unknown operator', identity({ ...allow, Condition: { StringMatches: { 'aws:userid': 'x' } } }), 'Condition', '"StringMatches"'],
    ['IfExists with Null', identity({ ...allow, Condition: { NullIfExists: { 'aws:userid': 'true' } } }), 'Condition', '"NullIfExists"'],
    ['a key without a prefix', identity({ ...allow, Condition: { StringEquals: { userid: 'x' } } }), 'Condition', '"userid"'],
    ['a number that is none', identity({ ...allow, Condition: { NumericEquals: { 's3:max-keys': 'ten' } } }), 'Condition', '"ten"'],
    ['a date that is none', identity({ ...allow, Condition: { DateEquals: { 'aws:CurrentTime': 'soon' } } }), 'Condition', '"soon"'],
    ['an address that is none', identity({ ...allow, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } } }), 'Condition', '"10.0.0.0/33"'],
    ['a boolean that is none', identity({ ...allow, Condition: { Bool: { 'aws:SecureTransport': 'yes' } } }), 'Condition', '"yes"'],
    ['a Null that is none', identity({ ...allow, Condition: { Null: { 'aws:userid': 'maybe' } } }), 'Condition', '"maybe"'],
    ['an ARN condition of no ARN', identity({ ...allow, Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*/bob' } } }), 'Condition', '"arn:aws:iam::*/bob"'],
    ['an empty condition', identity({ ...allow, Condition: { StringEquals: { 'aws:userid': [] } } }), 'Condition', '[]'],
    ['a condition of an object', identity({ ...allow, Condition: { StringEquals: { 'aws:userid': {} } } }), 'Condition', '{}'],
    ['a Sid twice', identity([{ ...allow, Sid: 'a' }, { ...allow, Sid: 'a' }]), 'Grammar', '"a"}]'],
    ['a Sid with a space', identity({ ...allow, Sid: 'a b' }), 'Grammar', '"a b"'],
  ])('%s, before what is wrong', (_name, text, code, wrong) => {
    const error = refusalOf(() => compilePolicy(text, { kind: 'identity' }))
    expect([error.code, error.line, text.slice(error.column - 1, error.column - 1 + wrong.length)]).toEqual([code, 1, wrong])
  })

  it.each<[string, unknown]>([
    ['nobody', {}],
    ['a wildcard in an ARN', { AWS: 'arn:aws:iam::111122223333:user/*' }],
    ['a wildcard of accounts', { AWS: 'arn:aws:iam::*:root' }],
    ['a short account', { AWS: '1234' }],
    ['another service’s ARN', { AWS: 'arn:aws:s3:::b' }],
    ['an unknown type', { Nobody: '*' }],
    ['a number', 7],
    ['a name', 'bob'],
    ['a wildcard of federated', { Federated: '*' }],
    ['a short canonical id', { CanonicalUser: 'ab' }],
  ])('a principal of %s', (_name, Principal) => {
    expect(refusalOf(() => compilePolicy(identity({ ...allow, Principal }), { kind: 'resource' })).code).toMatch(/Principal|Grammar/)
  })
})

function refusalOf(run: () => unknown): PolicyError {
  try {
    run()
  } catch (error) {
    if (error instanceof PolicyError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
