import { S3Error } from '../wire/errors.ts'

/** A POST form's policy: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html */
export interface PostPolicy {
  readonly expirationMs: number
  readonly conditions: readonly PolicyCondition[]
}

export type PolicyCondition =
  | { readonly kind: 'eq' | 'starts-with'; readonly field: string; readonly value: string }
  | { readonly kind: 'content-length-range'; readonly minimumBytes: number; readonly maximumBytes: number }

/** The form's fields before the file, by lower-case name; `bucket` is the request's own. */
export type FormFields = ReadonlyMap<string, string>

/** Fields that no condition needs to name. */
const unchecked = new Set(['x-amz-signature', 'file', 'policy', 'awsaccesskeyid', 'signature'])

/** Errors: InvalidPolicyDocument for what is no policy. */
export function parsePostPolicy(base64: string): PostPolicy {
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'))
  } catch {
    throw invalid('Invalid JSON.')
  }
  if (typeof document !== 'object' || document === null) throw invalid('Invalid JSON.')
  const { expiration, conditions, ...others } = document as Record<string, unknown>
  const [other] = Object.keys(others)
  if (other !== undefined) throw invalid(`Unexpected: '${other}'`)
  const expirationMs = typeof expiration === 'string' ? Date.parse(expiration) : Number.NaN
  if (Number.isNaN(expirationMs)) throw invalid('Policy is missing expiration.')
  if (!Array.isArray(conditions)) throw invalid('Policy is missing conditions.')
  return { expirationMs, conditions: conditions.flatMap(conditionsOf) }
}

function conditionsOf(condition: unknown): PolicyCondition[] {
  if (Array.isArray(condition)) return [listCondition(condition)]
  if (typeof condition !== 'object' || condition === null) throw invalid('Invalid Condition.')
  return Object.entries(condition).map(([field, value]) => {
    if (typeof value !== 'string') throw invalid('Invalid Simple-Condition.')
    return { kind: 'eq', field: field.toLowerCase(), value }
  })
}

function listCondition([operator, first, second, ...rest]: readonly unknown[]): PolicyCondition {
  const kind = typeof operator === 'string' ? operator.toLowerCase() : ''
  if (rest.length > 0) throw invalid('Invalid Condition.')
  if (kind === 'content-length-range') {
    const minimumBytes = Number(first)
    const maximumBytes = Number(second)
    if (!Number.isSafeInteger(minimumBytes) || !Number.isSafeInteger(maximumBytes) || minimumBytes < 0) throw invalid('Invalid content-length-range.')
    return { kind, minimumBytes, maximumBytes }
  }
  if ((kind !== 'eq' && kind !== 'starts-with') || typeof first !== 'string' || typeof second !== 'string' || !first.startsWith('$')) throw invalid('Invalid Condition.')
  return { kind, field: first.slice(1).toLowerCase(), value: second }
}

const invalid = (reason: string) => new S3Error('InvalidPolicyDocument', `Invalid Policy: ${reason}`)

/**
 * Holds a form to its policy and returns the range its file must lie in. Every field must be named by a condition
 * (but `x-ignore-*` and the signature's own). Errors: AccessDenied (expired, or a condition failed).
 */
export function admitForm(policy: PostPolicy, fields: FormFields, nowMs: number): { minimumBytes: number; maximumBytes: number } {
  if (policy.expirationMs <= nowMs) throw new S3Error('AccessDenied', 'Invalid according to Policy: Policy expired.')
  const named = new Set<string>()
  let [minimumBytes, maximumBytes] = [0, Number.MAX_SAFE_INTEGER]
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      minimumBytes = Math.max(minimumBytes, condition.minimumBytes)
      maximumBytes = Math.min(maximumBytes, condition.maximumBytes)
      continue
    }
    named.add(condition.field)
    if (!holds(condition, fields.get(condition.field) ?? '')) throw failed(condition)
  }
  for (const name of fields.keys()) {
    if (!named.has(name) && !unchecked.has(name) && !name.startsWith('x-ignore-')) {
      throw new S3Error('AccessDenied', `Invalid according to Policy: Extra input fields: ${name}`)
    }
  }
  return { minimumBytes, maximumBytes }
}

/** Content-Type may be a list of prefixes' candidates: each of its comma-separated values must start so. */
function holds({ kind, field, value }: PolicyCondition & { kind: 'eq' | 'starts-with' }, actual: string): boolean {
  if (kind === 'eq') return actual === value
  if (field === 'content-type') return actual.split(',').every(part => part.trimStart().startsWith(value))
  return actual.startsWith(value)
}

const failed = ({ kind, field, value }: PolicyCondition & { kind: 'eq' | 'starts-with' }) =>
  new S3Error('AccessDenied', `Invalid according to Policy: Policy Condition failed: ["${kind}", "$${field}", "${value}"]`)
