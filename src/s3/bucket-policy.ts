import { bucketArn, isObjectAction, objectArn, s3Actions } from '../policy/actions/s3-actions.ts'
import { compilePolicy } from '../policy/compile.ts'
import { isKnownConditionKey } from '../policy/condition-key-names.ts'
import { matchesAction } from '../policy/evaluate.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { S3Error } from '../wire/errors.ts'
import type { Policy, Statement } from '../policy/language.ts'

/**
 * A bucket's policy, checked as AWS does when it is put: its resources are of the bucket, its actions are S3's and apply to
 * its resources, and its condition keys are known. Throws MalformedPolicy.
 */
export function compileBucketPolicy(bucket: string, text: string): Policy {
  const policy = compiled(text)
  for (const statement of policy.statements) checkStatement(bucket, statement)
  return policy
}

function compiled(text: string): Policy {
  try {
    return compilePolicy(text, { kind: 'resource' })
  } catch (error) {
    if (error instanceof PolicyError) throw new S3Error('MalformedPolicy', error.message)
    throw error
  }
}

function checkStatement(bucket: string, { index, actions, resources, conditions }: Statement): void {
  const fail = (reason: string): never => {
    throw new S3Error('MalformedPolicy', `${reason} (statement ${index + 1})`)
  }
  const named = [...s3Actions].filter(action => actions.patterns.some(pattern => matchesAction({ negated: false, patterns: [pattern] }, action.toLowerCase())))
  for (const pattern of actions.patterns) {
    if (![...s3Actions].some(action => matchesAction({ negated: false, patterns: [pattern] }, action.toLowerCase()))) fail('Policy has invalid action')
  }
  for (const { key } of conditions) if (!isKnownConditionKey(key)) fail(`Policy has an invalid condition key: ${key}`)
  const texts = resources?.texts ?? []
  const isBucket = (resource: string): boolean => resource === bucketArn(bucket)
  const isWithin = (resource: string): boolean => resource.startsWith(objectArn(bucket, ''))
  // A pattern such as `arn:aws:s3:::bucket*` is about the bucket and its objects.
  const isBoth = (resource: string): boolean => resource.startsWith(`${bucketArn(bucket)}*`) || resource.startsWith(`${bucketArn(bucket)}?`)
  if (!texts.every(resource => isBucket(resource) || isWithin(resource) || isBoth(resource))) fail('Policy has invalid resource')
  if (actions.negated || resources?.negated === true) return
  const applies = (action: string): boolean => texts.some(resource => isBoth(resource) || (isObjectAction(action) ? isWithin(resource) : isBucket(resource)))
  if (!named.some(applies)) fail('Action does not apply to any resource(s) in statement')
}
