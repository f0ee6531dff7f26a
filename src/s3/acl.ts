import { S3Error } from '../wire/errors.ts'
import type { AccessControlPolicy, Grant as GrantElement, Grantee as GranteeElement } from '@aws-sdk/client-s3'

export const aclMembers = ['ACL', 'GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWriteACP'] as const

/** The members of a request that set an access control list. */
export type AclInput = Partial<Record<(typeof aclMembers)[number] | 'GrantWrite', string | undefined>>

export type Permission = 'FULL_CONTROL' | 'READ' | 'WRITE' | 'READ_ACP' | 'WRITE_ACP'
export type Grantee = { readonly kind: 'account'; readonly id: string } | { readonly kind: 'group'; readonly uri: string }

export interface Grant {
  readonly to: Grantee
  readonly permission: Permission
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html */
export interface Acl {
  readonly grants: readonly Grant[]
}

export const allUsers = 'http://acs.amazonaws.com/groups/global/AllUsers'
export const authenticatedUsers = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers'
const logDelivery = 'http://acs.amazonaws.com/groups/s3/LogDelivery'

const permissions: readonly string[] = ['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP']
const grantLimit = 100

/** Who owns what the list is about, and where it is. */
export interface AclPlace {
  readonly ownerId: string
  readonly bucketOwnerId: string
  readonly isObject: boolean
  /** Whether a canonical user id is one of this server's accounts. */
  readonly isAccount: (id: string) => Promise<boolean>
}

/** What an owner-enforced bucket allows: AWS names the first, clients send the second by default. Both change nothing. */
const ownerOnly = new Set(['bucket-owner-full-control', 'private'])

/** In an owner-enforced bucket ACLs have no effect, and a request that sets another one is refused. Errors: AccessControlListNotSupported. */
export function refuseAcl(input: AclInput): void {
  const { ACL: acl } = input
  if ((acl !== undefined && !ownerOnly.has(acl)) || hasGrantHeaders(input)) throw new S3Error('AccessControlListNotSupported')
}

const hasGrantHeaders = ({ GrantFullControl, GrantRead, GrantReadACP, GrantWriteACP, GrantWrite }: AclInput): boolean =>
  [GrantFullControl, GrantRead, GrantReadACP, GrantWriteACP, GrantWrite].some(grant => grant !== undefined)

export const privateAcl = (ownerId: string): Acl => ({ grants: [{ to: { kind: 'account', id: ownerId }, permission: 'FULL_CONTROL' }] })

/** The list that a request's headers set; undefined: they set none. Errors: InvalidArgument, InvalidRequest, NotImplemented. */
export async function aclOfHeaders(input: AclInput, place: AclPlace): Promise<Acl | undefined> {
  if (hasGrantHeaders(input)) {
    if (input.ACL !== undefined) throw new S3Error('InvalidRequest', 'Specifying both Canned ACLs and Header Grants is not allowed')
    return headerGrants(input, place)
  }
  return input.ACL === undefined ? undefined : cannedAcl(input.ACL, place)
}

function cannedAcl(name: string, { ownerId, bucketOwnerId, isObject }: AclPlace): Acl {
  const own = privateAcl(ownerId).grants
  const plus = (...grants: readonly Grant[]): Acl => ({ grants: [...own, ...grants] })
  const group = (uri: string, permission: Permission): Grant => ({ to: { kind: 'group', uri }, permission })
  const owner = (permission: Permission): readonly Grant[] => (ownerId === bucketOwnerId ? [] : [{ to: { kind: 'account', id: bucketOwnerId }, permission }])
  switch (name) {
    case 'private':
      return plus()
    case 'public-read':
      return plus(group(allUsers, 'READ'))
    case 'public-read-write':
      return plus(group(allUsers, 'READ'), group(allUsers, 'WRITE'))
    case 'authenticated-read':
      return plus(group(authenticatedUsers, 'READ'))
    case 'bucket-owner-read':
      return plus(...(isObject ? owner('READ') : []))
    case 'bucket-owner-full-control':
      return plus(...(isObject ? owner('FULL_CONTROL') : []))
    case 'log-delivery-write':
      if (!isObject) return plus(group(logDelivery, 'WRITE'), group(logDelivery, 'READ_ACP'))
      break
    case 'aws-exec-read':
      // It is for a service that is not here.
      throw new S3Error('NotImplemented', undefined, { Header: 'x-amz-acl', ACL: name })
  }
  throw new S3Error('InvalidArgument', undefined, { ArgumentName: 'x-amz-acl', ArgumentValue: name })
}

async function headerGrants(input: AclInput, place: AclPlace): Promise<Acl> {
  const lists: readonly (readonly [string | undefined, Permission])[] = [
    [input.GrantFullControl, 'FULL_CONTROL'], [input.GrantRead, 'READ'], [input.GrantWrite, 'WRITE'], [input.GrantReadACP, 'READ_ACP'], [input.GrantWriteACP, 'WRITE_ACP'],
  ]
  const grants: Grant[] = []
  for (const [list, permission] of lists) {
    for (const item of list?.split(',') ?? []) {
      const [, kind = '', value = ''] = /^\s*(id|uri|emailAddress)\s*=\s*"?([^"]*)"?\s*$/.exec(item) ?? []
      if (kind === '') throw new S3Error('InvalidArgument', 'Argument format not recognized', { ArgumentName: 'x-amz-grant', ArgumentValue: item })
      grants.push({ to: await granteeOf({ kind, value }, place), permission })
    }
  }
  return bounded(grants)
}

async function granteeOf({ kind, value }: { readonly kind: string; readonly value: string }, { isAccount }: AclPlace): Promise<Grantee> {
  if (kind === 'emailAddress') throw new S3Error('NotImplemented', 'Grants to e-mail addresses are not supported. Grant to a canonical user id.')
  if (kind === 'uri') {
    if (value !== allUsers && value !== authenticatedUsers && value !== logDelivery) throw new S3Error('InvalidArgument', 'Invalid group uri', { ArgumentName: 'uri', ArgumentValue: value })
    return { kind: 'group', uri: value }
  }
  if (!/^[0-9a-f]{64}$/.test(value) || !(await isAccount(value))) throw new S3Error('InvalidArgument', 'Invalid id', { ArgumentName: 'id', ArgumentValue: value })
  return { kind: 'account', id: value }
}

function bounded(grants: readonly Grant[]): Acl {
  if (grants.length > grantLimit) throw new S3Error('InvalidRequest', `An ACL has ${grantLimit} grants at most`)
  return { grants }
}

/** The list of a request's body. Its owner must be the owner. Errors: MalformedACLError, AccessDenied. */
export async function aclOfDocument({ Grants: elements = [], Owner: owner }: AccessControlPolicy, place: AclPlace): Promise<Acl> {
  if (owner?.ID === undefined) throw new S3Error('MalformedACLError')
  if (owner.ID !== place.ownerId) throw new S3Error('AccessDenied')
  const grants: Grant[] = []
  for (const { Grantee: grantee, Permission: permission = '' } of elements as readonly GrantElement[]) {
    if (!permissions.includes(permission)) throw new S3Error('MalformedACLError')
    grants.push({ to: await granteeOf(elementGrantee(grantee), place), permission: permission as Permission })
  }
  return bounded(grants)
}

function elementGrantee(grantee: GranteeElement | undefined): { readonly kind: string; readonly value: string } {
  if (grantee?.Type === 'CanonicalUser' && grantee.ID !== undefined) return { kind: 'id', value: grantee.ID }
  if (grantee?.Type === 'Group' && grantee.URI !== undefined) return { kind: 'uri', value: grantee.URI }
  if (grantee?.Type === 'AmazonCustomerByEmail') return { kind: 'emailAddress', value: grantee.EmailAddress ?? '' }
  throw new S3Error('MalformedACLError')
}

/** A list as GetBucketAcl and GetObjectAcl show it. */
export function aclOutput(owner: { readonly ID: string; readonly DisplayName?: string }, { grants }: Acl): AccessControlPolicy {
  return {
    Owner: owner,
    Grants: grants.map(({ to, permission }) => ({
      Grantee: to.kind === 'group' ? { URI: to.uri, Type: 'Group' as const } : { ID: to.id, Type: 'CanonicalUser' as const },
      Permission: permission,
    })),
  }
}

/** It grants something to everybody, signed or not. */
export const isPublicAcl = ({ grants }: Acl): boolean => grants.some(({ to }) => isPublicGrantee(to))

export const isPublicGrantee = (to: Grantee): boolean => to.kind === 'group' && (to.uri === allUsers || to.uri === authenticatedUsers)
