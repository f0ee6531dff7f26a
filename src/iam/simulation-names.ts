import { QueryError } from '../wire/query-error.ts'

/** A user, group or role of the account, by its ARN. */
export function arnPattern(arn: string | undefined, accountId: string): { readonly kind: 'user' | 'group' | 'role'; readonly name: string } {
  const [, kind, rest] = new RegExp(`^arn:aws:iam::${accountId}:(user|group|role)/(.+)$`).exec(arn ?? '') ?? []
  if ((kind !== 'user' && kind !== 'group' && kind !== 'role') || rest === undefined) throw new QueryError('InvalidInput', `Invalid Entity Arn: ${arn ?? ''}`)
  return { kind, name: rest.slice(rest.lastIndexOf('/') + 1) }
}
