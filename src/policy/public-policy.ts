import { parseIpRange } from './ip-range.ts'
import { parseOperator } from './conditions.ts'
import type { Condition } from './conditions.ts'
import type { Policy, Statement } from './language.ts'

/**
 * Whether a resource's policy makes it public: an Allow for everybody that no condition narrows down to fixed values.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
export function isPublicPolicy({ statements }: Policy): boolean {
  return statements.some(isPublicStatement)
}

function isPublicStatement({ effect, principals, conditions }: Statement): boolean {
  if (effect !== 'Allow' || principals === undefined) return false
  return (principals.everyone || principals.negated) && !conditions.some(narrows)
}

/** Keys whose fixed values say who may come. */
const narrowingKeys: ReadonlySet<string> = new Set([
  'aws:sourcearn', 'aws:sourcevpc', 'aws:sourcevpce', 'aws:sourceowner', 'aws:sourceaccount', 'aws:userid', 'aws:principalarn', 'aws:principalaccount',
  'aws:principalorgid', 'aws:principalorgpaths', 's3:x-amz-server-side-encryption-aws-kms-key-id', 's3:dataaccesspointarn', 's3:dataaccesspointaccount',
])

const equalities: ReadonlySet<string> = new Set(['stringequals', 'stringequalsignorecase', 'stringlike', 'arnequals', 'arnlike'])

function narrows({ operator, contextKey, values }: Condition): boolean {
  const parsed = parseOperator(operator)
  if (parsed === undefined || parsed.ifExists || parsed.qualifier === 'ForAllValues') return false
  if (contextKey === 'aws:sourceip') return parsed.name === 'ipaddress' && values.every(isNarrowRange)
  return narrowingKeys.has(contextKey) && equalities.has(parsed.name) && values.every(value => isFixed(contextKey, value))
}

/** AWS takes a user id of a role with any session (`AROA…:*`) for fixed, and an account's whole part of an ARN not. */
const isFixed = (contextKey: string, value: string): boolean =>
  !/[*?]|\$\{/.test(contextKey === 'aws:userid' ? value.replace(/^(ARO[A-Z0-9]+):\*$/, '$1') : value)

/** Wider than a /8 of IPv4 or a /32 of IPv6 is the world. */
function isNarrowRange(text: string): boolean {
  const range = parseIpRange(text)
  if (range === undefined) return false
  return range.last - range.first < (range.bits === 32 ? 1n << 24n : 1n << 96n)
}
