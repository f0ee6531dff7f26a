import { S3Error } from '../wire/errors.ts'

export const aclMembers = ['ACL', 'GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWriteACP'] as const

/** What an owner-enforced bucket allows: AWS names the first, clients send the second by default. Both change nothing. */
const ownerOnly = new Set(['bucket-owner-full-control', 'private'])

/**
 * Buckets are owner-enforced (AWS's default since 2023): ACLs have no effect, and a request that sets
 * another one is refused. Errors: AccessControlListNotSupported.
 */
export function refuseAcl(input: Partial<Record<(typeof aclMembers)[number] | 'GrantWrite', string | undefined>>): void {
  const { ACL: acl, GrantFullControl, GrantRead, GrantReadACP, GrantWriteACP, GrantWrite } = input
  const grants = [GrantFullControl, GrantRead, GrantReadACP, GrantWriteACP, GrantWrite]
  if ((acl !== undefined && !ownerOnly.has(acl)) || grants.some(grant => grant !== undefined)) throw new S3Error('AccessControlListNotSupported')
}

/** The access control list of everything in an owner-enforced bucket. */
export const ownerGrant = (owner: { readonly ID: string; readonly DisplayName?: string }) => ({
  Owner: owner,
  Grants: [{ Grantee: { ...owner, Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }],
})
