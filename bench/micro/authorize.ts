/**
 * What authorization adds to a small GET: `node bench/micro/authorize.ts`. A user with 100 statements in force, half of them in
 * the bucket's policy, the one that allows the last, many with conditions and variables. The best of many short runs, so that a
 * busy machine does not blur it. The bound is 50 µs; exits 1 beyond it. The other lines are the ways that skip evaluation.
 */
import { compilePolicy } from '../../src/policy/compile.ts'
import { byPolicies } from '../../src/policy/decider.ts'
import { evaluatePolicy } from '../../src/policy/evaluate.ts'
import { rootPrincipal, type Principal } from '../../src/policy/principal.ts'
import { createAuthorizer } from '../../src/s3/authorize.ts'
import { defaultAccess, type BucketAccess } from '../../src/s3/bucket-access.ts'
import type { Bucket } from '../../engine/index.ts'
import type { S3RequestFacts } from '../../src/s3/request-facts.ts'

const boundMicroseconds = 50
const accountId = '111122223333'
const account = { name: 'ada', id: 'a'.repeat(64), accountId, displayName: '', email: '' }
const headers: Readonly<Record<string, string>> = { 'user-agent': 'aws-sdk-js/3', 'x-amz-content-sha256': 'e'.repeat(64) }

/** Like the statements of a company: a prefix each, some with conditions, none of which is about this request but the last. */
function statements(count: number, more: object): object[] {
  return Array.from({ length: count }, (_, index) => ({
    Sid: `s${index}`,
    Effect: index % 5 === 4 ? 'Deny' : 'Allow',
    Action: ['s3:GetObject', 's3:PutObject', 's3:Delete*'],
    Resource: [`arn:aws:s3:::lake/team-${index}/*`, 'arn:aws:s3:::lake/home/${aws:username}/*/archive/*'],
    ...(index % 2 === 0 ? { Condition: { StringLike: { 'aws:PrincipalArn': `arn:aws:iam::*:role/team-${index}*` }, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } } : {}),
    ...more,
  }))
}

const compiled = (list: object[], kind: 'identity' | 'resource') => compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: list }), { kind, maxBytes: 100_000 })
const granting = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/home/${aws:username}/*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } }
const identity = compiled([...statements(49, {}), granting], 'identity')
const resource = compiled(statements(50, { Principal: { AWS: accountId } }), 'resource')

const user: Principal = {
  ...rootPrincipal('accountRoot', account), kind: 'user', arn: `arn:aws:iam::${accountId}:user/bob`, userName: 'bob',
  policies: { identity: [{ name: 'own', policy: identity }], limits: [] },
}
const bucket: Bucket = { name: 'lake', bucketId: '0', ownerId: account.id, region: 'us-east-1', createdAtMs: 0, versioning: 'Unversioned', documentsRevision: 1 }
const named = [{ name: 'bucket', policy: resource }]
const access: BucketAccess = { ...defaultAccess, policy: { text: '', named, denies: named, isPublic: false } }
const authorizer = createAuthorizer({
  engine: { headObject: () => Promise.reject(new Error('nothing asks for tags')) },
  accessOf: async () => access,
  accountIdOf: async () => accountId,
  accountBlockOf: async () => undefined,
  decider: byPolicies,
})

const factsOf = (principal: Principal): S3RequestFacts => ({
  operation: 'GetObject', caller: { principal, account, accessKeyId: 'k' }, nowMs: Date.parse('2026-02-03T04:05:06Z'), sourceIp: '10.1.2.3', isSecure: true,
  header: name => headers[name], parameter: () => undefined, signed: undefined, body: undefined, copySource: undefined, notes: {},
})
const need = { action: 's3:GetObject', bucket, key: 'home/bob/2026/report.parquet' }

async function microseconds(turn: () => Promise<void>): Promise<number> {
  let best = Infinity
  for (let run = 0; run < 1500; run++) {
    const startMs = performance.now()
    for (let count = 0; count < 20; count++) await turn()
    best = Math.min(best, ((performance.now() - startMs) * 1000) / 20)
  }
  return best
}

const line = (name: string, time: number) => console.log(`${name.padEnd(42)}${time.toFixed(2)} µs`)
const bob = factsOf(user)
if ((await authorizer.decide(bob, need)).decision !== 'allow') throw new Error('the last statement allows it')
const whole = await microseconds(() => authorizer.require(bob, [need]))
line('a user, 100 statements in force:', whole)
const request = { principal: user, action: need.action, resource: 'arn:aws:s3:::lake/home/bob/x', resourceAccountId: accountId, context: (key: string) => (key === 'aws:username' ? ['bob'] : key === 'aws:securetransport' ? ['true'] : undefined) }
line('evaluatePolicy alone:', await microseconds(async () => void evaluatePolicy(request, { ...user.policies, resource: named })))
line('the operator’s key:', await microseconds(() => authorizer.require(factsOf(rootPrincipal('serverRoot', account)), [need])))
line('the owner, a bucket without documents:', await microseconds(() => authorizer.require(factsOf(rootPrincipal('accountRoot', account)), [{ ...need, bucket: { ...bucket, documentsRevision: 0 } }])))
if (whole > boundMicroseconds) {
  console.error(`over the bound of ${boundMicroseconds} µs`)
  process.exitCode = 1
}
