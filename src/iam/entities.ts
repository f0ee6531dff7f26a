import { builtInPolicies, isBuiltInArn, type BuiltInPolicy } from '../identity/built-in-policies.ts'
import { iamArn, type GroupRecord, type IamKind, type IamRecords, type PolicyRecord, type RoleRecord, type UserRecord } from '../identity/iam-records.ts'
import type { IamReader, IamRows } from '../identity/iam-rows.ts'
import { QueryError } from '../wire/query-error.ts'

type Grantee = 'user' | 'group' | 'role'

/** `NoSuchEntity` when there is none. */
export async function requireEntity<K extends 'user' | 'group' | 'role'>(rows: IamReader, kind: K, name: string | undefined): Promise<IamRecords[K]> {
  const record = name === undefined || name === '' ? undefined : await rows.get(kind, name)
  if (record === undefined) throw new QueryError('NoSuchEntity', `The ${kind} with name ${name ?? ''} cannot be found.`)
  return record
}

/** `EntityAlreadyExists` when the name is in use, in any case of its letters. */
export async function requireFree(rows: IamReader, kind: IamKind, name: string): Promise<void> {
  if ((await rows.get(kind, name)) !== undefined) throw new QueryError('EntityAlreadyExists', `${kind[0]?.toUpperCase()}${kind.slice(1)} with name ${name} already exists.`)
}

/** A customer managed policy by ARN. */
export async function requirePolicy(rows: IamReader, arn: string | undefined): Promise<PolicyRecord> {
  const policy = await rows.get('policy', (arn ?? '').slice((arn ?? '').lastIndexOf('/') + 1))
  if (policy === undefined || iamArn(rows.accountId, 'policy', policy) !== arn) throw noPolicy(arn)
  return policy
}

export const noPolicy = (arn: string | undefined): QueryError => new QueryError('NoSuchEntity', `Policy ${arn ?? ''} does not exist or is not attachable.`)

export type AnyPolicy = { readonly kind: 'customer'; readonly policy: PolicyRecord } | { readonly kind: 'builtIn'; readonly policy: BuiltInPolicy }

export async function requireAnyPolicy(rows: IamReader, arn: string | undefined): Promise<AnyPolicy> {
  const builtIn = builtInPolicies.get(arn ?? '')
  if (builtIn !== undefined) return { kind: 'builtIn', policy: builtIn }
  return { kind: 'customer', policy: await requirePolicy(rows, arn) }
}

/** Those that every account has cannot be changed by anybody. */
export function refuseBuiltIn(arn: string | undefined): void {
  if (arn !== undefined && isBuiltInArn(arn)) throw new QueryError('AccessDenied', `The policy ${arn} belongs to the server and cannot be changed.`)
}

/** Changes one user, group or role in one commit. */
export function changing<K extends Grantee>(kind: K, name: string | undefined, change: (record: IamRecords[K], rows: IamRows) => IamRecords[K] | Promise<IamRecords[K]>) {
  return async (rows: IamRows): Promise<IamRecords[K]> => {
    const changed = await change(await requireEntity(rows, kind, name), rows)
    rows.put(kind, changed)
    return changed
  }
}

/** A user or role that still has something cannot be deleted: what it had would be lost without a word. */
export function refuseWithPolicies({ attached, inline }: Pick<UserRecord | RoleRecord | GroupRecord, 'attached' | 'inline'>): void {
  if (attached.length > 0) throw new QueryError('DeleteConflict', 'Cannot delete entity, must detach all policies first.')
  if (Object.keys(inline).length > 0) throw new QueryError('DeleteConflict', 'Cannot delete entity, must delete policies first.')
}
