import { KiB, secondMs } from '../../base/units.ts'
import { compilePolicy } from '../policy/compile.ts'
import type { Context } from '../policy/conditions.ts'
import type { Decider } from '../policy/decider.ts'
import { evaluatePolicy, type AccessRequest, type Decision } from '../policy/evaluate.ts'
import type { NamedPolicy } from '../policy/language.ts'
import type { Principal } from '../policy/principal.ts'
import { readAnswer } from './read-answer.ts'

/** An external policy service: Open Policy Agent, or another that answers as MinIO's policy plugin does. */
export interface PolicyServiceOptions {
  readonly url: string
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  readonly fetch: typeof fetch
  /** Told once when it fails, and once more when it answers again (`undefined`). */
  readonly onFault: (fault: unknown) => void
}

const timeoutMs = 5 * secondMs
const maxAnswerBytes = 64 * KiB

/**
 * MinIO's policy plugin: `POST URL {"input": …}`, which answers `{"result": true}` or `{"result": {"allow": true}}`. Its
 * answer stands in for an Allow of the caller's own policies; what denies or limits besides goes on to (explicit denies,
 * boundaries, session policies, limits of credentials, the other account's side), and nobody is asked about what that
 * refuses anyway. Every signed request is asked about, roots' too. Requests without a signature have no policies of their
 * own: the resource's decide.
 *
 * Any other answer, or none within five seconds, denies. Nothing is remembered: only the service knows when its mind has
 * changed. A request asks one question at a time, so no more are under way than requests are.
 */
export function policyService({ url, authorization, fetch, onFault }: PolicyServiceOptions): Decider {
  const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) }
  let isDown = false
  const ask = async (request: AccessRequest): Promise<Decision> => {
    try {
      const body = JSON.stringify({ input: inputOf(request) })
      const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
      const isAllowed = readResult(answer.status, await readAnswer(answer, maxAnswerBytes))
      if (isDown) onFault(undefined)
      isDown = false
      return isAllowed ? allowed : refused
    } catch (error) {
      if (!isDown) onFault(error)
      isDown = true
      return failed
    }
  }
  return {
    bindsRoots: true,
    decide(request, policies) {
      const possible = evaluatePolicy(request, { ...policies, identity: [...policies.identity, anything] })
      return possible.decision === 'deny' || request.principal.kind === 'anonymous' ? possible : ask(request)
    },
  }
}

const allowed: Decision = { decision: 'allow', because: { kind: 'service', outcome: 'allows' } }
const refused: Decision = { decision: 'deny', because: { kind: 'service', outcome: 'refuses' } }
const failed: Decision = { decision: 'deny', because: { kind: 'service', outcome: 'fails' } }

const anything: NamedPolicy = {
  name: 'policy service',
  policy: compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }), { kind: 'identity' }),
}

/** Throws for whatever is not plainly one or the other: a policy without a result is a mistake, and nobody's right. */
function readResult(status: number, text: string): boolean {
  if (status !== 200) throw new Error(`the policy service answered ${status}`)
  const { result } = JSON.parse(text) as { readonly result?: unknown }
  const value = typeof result === 'object' && result !== null ? (result as { readonly allow?: unknown }).allow : result
  if (typeof value !== 'boolean') throw new Error('the policy service’s answer has no result that is true or false')
  return value
}

/** MinIO's names, and ours for what it has none for: `accountId`, `principal`, `resource`. */
function inputOf({ principal, action, resource, resourceAccountId, context }: AccessRequest): object {
  const arns = [resource].flat()
  return {
    account: principal.userName ?? principal.sessionArn ?? principal.arn,
    groups: groupsOf(principal),
    action,
    ...placeOf(arns),
    conditions: conditionsOf(context),
    owner: principal.kind === 'serverRoot' || principal.kind === 'accountRoot',
    claims: claimsOf(principal),
    denyOnly: false,
    accountId: principal.accountId,
    principal: principal.sessionArn ?? principal.arn,
    resource: arns,
    resourceAccountId: resourceAccountId ?? '',
  }
}

/** Of a table: the warehouse, and what follows it in its ARN by name. */
function placeOf(arns: readonly string[]): { readonly bucket: string; readonly object: string } {
  for (const arn of arns) {
    const [, bucket = '', object = ''] = /^arn:aws:s3tables:::bucket\/([^/]+)\/?(.*)$/s.exec(arn) ?? /^arn:aws:s3:::([^/]+)\/?(.*)$/s.exec(arn) ?? []
    if (bucket !== '') return { bucket, object }
  }
  return { bucket: '', object: '' }
}

const groupsOf = ({ keys }: Principal): readonly string[] => keys.get('aws:groups') ?? keys.get('jwt:groups') ?? keys.get('ldap:groups') ?? []

/** Claims of tokens by their names, and MinIO's names of a directory's. */
function claimsOf({ keys }: Principal): Record<string, unknown> {
  const claims: Record<string, unknown> = {}
  for (const [key, values] of keys) {
    const name = claimNames[key] ?? (key.startsWith('jwt:') ? key.slice('jwt:'.length) : undefined)
    if (name !== undefined) claims[name] = values.length === 1 ? values[0] : values
  }
  return claims
}

const claimNames: Readonly<Record<string, string>> = { 'ldap:user': 'ldapUser', 'ldap:username': 'ldapUsername' }

/** Names in the service's input, each with our key. Headers are spelled as MinIO spells them. */
const conditionNames: readonly (readonly [name: string, key: string])[] = [
  ...['CurrentTime', 'EpochTime', 'SecureTransport', 'SourceIp', 'UserAgent', 'Referer', 'userid', 'username', 'principaltype'].map(name => [name, `aws:${name.toLowerCase()}`] as const),
  ...['prefix', 'delimiter', 'max-keys', 'versionid', 'LocationConstraint', 'signatureversion', 'signatureAge', 'authType', 'object-lock-mode', 'object-lock-legal-hold', 'object-lock-retain-until-date', 'object-lock-remaining-retention-days', 'RequestObjectTagKeys']
    .map(name => [name, `s3:${name.toLowerCase()}`] as const),
  ...['X-Amz-Acl', 'X-Amz-Content-Sha256', 'X-Amz-Copy-Source', 'X-Amz-Metadata-Directive', 'X-Amz-Server-Side-Encryption', 'X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id', 'X-Amz-Storage-Class']
    .map(name => [name, `s3:${name.toLowerCase()}`] as const),
  ...['namespace', 'tableName', 'viewName', 'functionName', 'registerLocation'].map(name => [name, `s3tables:${name.toLowerCase()}`] as const),
]

function conditionsOf(context: Context): Record<string, readonly string[]> {
  return Object.fromEntries(conditionNames.flatMap(([name, key]) => {
    const values = context(key)
    return values === undefined ? [] : [[name, values] as const]
  }))
}
