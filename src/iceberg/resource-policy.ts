import { badRequest, type PolicyPlace } from '../../catalog/index.ts'
import { catalogActions, catalogArns } from '../policy/actions/iceberg-actions.ts'
import { compilePolicy } from '../policy/compile.ts'
import { isKnownConditionKey } from '../policy/condition-key-names.ts'
import { matchesAction } from '../policy/evaluate.ts'
import type { Policy, Statement } from '../policy/language.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { isPublicPolicy } from '../policy/public-policy.ts'

/**
 * A policy of a warehouse or table, checked when it is put: it is about the place and what is in it, with `s3tables:`
 * actions and known condition keys, and grants nothing to everybody, as AWS has it for S3 Tables. Throws `BadRequest`.
 */
export function checkResourcePolicy(text: string, place: PolicyPlace): void {
  const policy = compiled(text)
  for (const statement of policy.statements) checkStatement(statement, arnsOf(place))
  if (isPublicPolicy(policy)) throw badRequest('MalformedPolicy: a policy of a table or warehouse cannot be public')
}

function compiled(text: string): Policy {
  try {
    return compilePolicy(text, { kind: 'resource' })
  } catch (error) {
    if (error instanceof PolicyError) throw badRequest(`MalformedPolicy: ${error.message}`)
    throw error
  }
}

function arnsOf({ warehouse, table }: PolicyPlace): readonly string[] {
  if (table === undefined) return catalogArns({ warehouse, namespace: [], kind: 'warehouse', name: undefined, uuid: undefined }, 'itself')
  return catalogArns({ warehouse, kind: 'table', ...table }, 'itself')
}

function checkStatement({ index, actions, resources, conditions }: Statement, arns: readonly string[]): void {
  const fail = (reason: string): never => {
    throw badRequest(`MalformedPolicy: ${reason} (statement ${index + 1})`)
  }
  for (const pattern of actions.patterns) if (![...catalogActions].some((action) => matchesAction({ negated: false, patterns: [pattern] }, action.toLowerCase()))) fail('Policy has invalid action')
  for (const { key } of conditions) if (!isKnownConditionKey(key)) fail(`Policy has an invalid condition key: ${key}`)
  const isWithin = (resource: string): boolean => resource === '*' || arns.some((arn) => resource === arn || resource.startsWith(`${arn}/`) || resource.startsWith(`${arn}*`))
  if (!(resources?.texts ?? []).every(isWithin)) fail('Policy has invalid resource')
}
