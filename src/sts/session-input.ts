import type { Credentials, PolicyDescriptorType, Tag } from '@aws-sdk/client-sts'
import { secondMs } from '../../base/units.ts'
import type { SessionBasis } from '../identity/caller.ts'
import { PackedTokenTooLarge, type PolicySet, type SessionCredentials } from '../identity/session-token.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { QueryError } from '../wire/query-error.ts'
import type { StsCall } from './operation.ts'

export interface DurationRule {
  readonly fallbackSeconds: number
  readonly mostSeconds: number
}

const leastSeconds = 900

export function durationMs(seconds: number | undefined, { fallbackSeconds, mostSeconds }: DurationRule): number {
  const chosen = seconds ?? Math.min(fallbackSeconds, mostSeconds)
  if (chosen >= leastSeconds && chosen <= mostSeconds) return chosen * secondMs
  if (chosen > mostSeconds) throw new QueryError('ValidationError', `The requested DurationSeconds exceeds the MaxSessionDuration of ${mostSeconds} seconds that holds here.`)
  throw new QueryError('ValidationError', `1 validation error detected: Value '${chosen}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to ${leastSeconds}`)
}

const maxPolicyCharacters = 2048
const maxPolicyArns = 10

/** A session's policies, checked; `undefined` when it is given none and has all rights of what it is made of. */
export function sessionPolicies(policy: string | undefined, arns: readonly PolicyDescriptorType[] | undefined, { policies }: StsCall): PolicySet | undefined {
  if (policy === undefined && arns === undefined) return undefined
  const documents = policy === undefined ? [] : [policy]
  for (const document of documents) {
    if (document.length > maxPolicyCharacters) throw new QueryError('PackedPolicyTooLarge', `The session policy has more than ${maxPolicyCharacters} characters.`)
    try {
      policies.compiled(document, 'identity')
    } catch (error) {
      throw error instanceof PolicyError ? new QueryError('MalformedPolicyDocument', error.message) : error
    }
  }
  const named = (arns ?? []).map(({ arn = '' }) => arn)
  if (named.length > maxPolicyArns || named.some(arn => !/^arn:aws:iam::(aws|\d{12}):policy\/[\x21-\x7e]{1,640}$/.test(arn))) {
    throw new QueryError('ValidationError', `policyArns has at most ${maxPolicyArns} ARNs of managed policies.`)
  }
  return { documents, arns: named }
}

/** Session tags by name; as IAM's, keys differ by more than case. */
export function sessionTags(tags: readonly Tag[] | undefined): Readonly<Record<string, string>> {
  const named: Record<string, string> = {}
  for (const { Key: key = '', Value: value = '' } of tags ?? []) {
    const isLegal = key.length >= 1 && key.length <= 128 && value.length <= 256 && /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(key + value) && !/^aws:/i.test(key)
    if (!isLegal) throw new QueryError('ValidationError', 'A session tag’s key or value is malformed.')
    if (Object.keys(named).some(known => known.toLowerCase() === key.toLowerCase())) throw new QueryError('InvalidParameterValue', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.')
    named[key] = value
  }
  if (Object.keys(named).length > 50) throw new QueryError('ValidationError', 'A session has at most 50 tags.')
  return named
}

export function checkSessionName(name: string | undefined): string {
  if (name !== undefined && /^[\w+=,.@-]{2,64}$/.test(name)) return name
  throw new QueryError('ValidationError', "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}")
}

export async function openSession(basis: SessionBasis, lifetimeMs: number, { identity }: StsCall): Promise<Credentials> {
  try {
    return credentialsView(await identity.openSession(basis, lifetimeMs))
  } catch (error) {
    throw error instanceof PackedTokenTooLarge ? new QueryError('PackedPolicyTooLarge', 'The session’s policies and tags are too large together.') : error
  }
}

function credentialsView({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs }: SessionCredentials): Credentials {
  return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: new Date(Math.floor(expiresAtMs / secondMs) * secondMs) }
}
