import { allUsers, authenticatedUsers, isPublicGrantee, privateAcl } from './acl.ts'
import type { Attributes, ObjectVersion } from '../../engine/index.ts'
import type { Principal } from '../policy/principal.ts'
import type { Acl, Grantee, Permission } from './acl.ts'

/** Where a version keeps its list, among what it was put with: no header of HTTP has such a name. */
const attribute = 'moraine-acl'

export function withAcl(attributes: Attributes, acl: Acl | undefined): Attributes {
  const { [attribute]: _, ...headers } = attributes.headers
  return { ...attributes, headers: acl === undefined ? headers : { ...headers, [attribute]: JSON.stringify(acl.grants) } }
}

/** Without a list of its own, an object is its owner's alone. */
export function aclOf({ attributes, ownerId }: Pick<ObjectVersion, 'attributes' | 'ownerId'>): Acl {
  const stored = attributes.headers[attribute]
  return stored === undefined ? privateAcl(ownerId) : { grants: JSON.parse(stored) as Acl['grants'] }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#acl-access-policy-permission-mapping */
const bucketActions: Readonly<Record<string, Permission>> = {
  's3:ListBucket': 'READ',
  's3:ListBucketVersions': 'READ',
  's3:ListBucketMultipartUploads': 'READ',
  's3:PutObject': 'WRITE',
  's3:GetBucketAcl': 'READ_ACP',
  's3:PutBucketAcl': 'WRITE_ACP',
}

const objectActions: Readonly<Record<string, Permission>> = {
  's3:GetObject': 'READ',
  's3:GetObjectVersion': 'READ',
  's3:GetObjectAcl': 'READ_ACP',
  's3:GetObjectVersionAcl': 'READ_ACP',
  's3:PutObjectAcl': 'WRITE_ACP',
  's3:PutObjectVersionAcl': 'WRITE_ACP',
}

/** Actions that an object's own list grants, and that are its owner's to do: not the bucket owner's. */
export const isOfObjectOwner = (action: string): boolean => Object.hasOwn(objectActions, action)

/**
 * What a list grants of an action: to the caller's account, which hands it on by its own policies, or to everyone.
 * `ignorePublic`: as if groups were not in it.
 */
export function grantOf(acl: Acl, action: string, principal: Principal, ignorePublic: boolean): 'account' | 'everyone' | undefined {
  const wanted = bucketActions[action] ?? objectActions[action]
  if (wanted === undefined) return undefined
  let granted: 'account' | 'everyone' | undefined
  for (const { to, permission } of acl.grants) {
    if (permission !== wanted && permission !== 'FULL_CONTROL') continue
    if (ignorePublic && isPublicGrantee(to)) continue
    const who = grantedTo(to, principal)
    if (who === 'everyone') return who
    granted ??= who
  }
  return granted
}

function grantedTo(to: Grantee, { kind, canonicalUserId }: Principal): 'account' | 'everyone' | undefined {
  if (to.kind === 'account') return kind !== 'anonymous' && to.id === canonicalUserId ? 'account' : undefined
  if (to.uri === allUsers) return 'everyone'
  return to.uri === authenticatedUsers && kind !== 'anonymous' ? 'everyone' : undefined
}
