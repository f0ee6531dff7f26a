import { S3Error } from '../wire/errors.ts'
import { aclOfHeaders, isPublicAcl, refuseAcl, type Acl, type AclInput } from './acl.ts'
import type { Bucket } from '../../engine/index.ts'
import type { Caller } from '../identity/caller.ts'
import type { S3Service } from './operation.ts'

interface Place {
  readonly service: S3Service
  readonly caller: Caller
  readonly bucketRow: Bucket
}

/**
 * Whose a new object is, and its access control list.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 * Errors: AccessControlListNotSupported, AccessDenied (a public list where those are blocked), and those of a malformed list.
 */
export async function ownershipOf({ service, caller, bucketRow }: Place, input: AclInput): Promise<{ readonly ownerId: string; readonly acl: Acl | undefined }> {
  const { isOwnerEnforced, ownershipControls } = await service.authorizer.accessOf(bucketRow)
  if (isOwnerEnforced) {
    refuseAcl(input)
    return { ownerId: bucketRow.ownerId, acl: undefined }
  }
  const given = ownershipControls === 'BucketOwnerPreferred' && input.ACL === 'bucket-owner-full-control'
  const ownerId = given ? bucketRow.ownerId : caller.account.id
  const acl = await aclOfHeaders(input, { ownerId, bucketOwnerId: bucketRow.ownerId, isObject: true, isAccount: id => isAccount(service, id) })
  await refusePublicAcl(service, bucketRow, acl)
  return { ownerId, acl }
}

/** Who a delete marker belongs to. */
export async function markerOwnerOf({ service, caller, bucketRow }: Place): Promise<string> {
  const { isOwnerEnforced } = await service.authorizer.accessOf(bucketRow)
  return isOwnerEnforced ? bucketRow.ownerId : caller.account.id
}

export async function refusePublicAcl(service: S3Service, bucketRow: Bucket, acl: Acl | undefined): Promise<void> {
  if (acl !== undefined && isPublicAcl(acl) && (await service.authorizer.blockOf(bucketRow)).BlockPublicAcls) throw new S3Error('AccessDenied')
}

export const isAccount = async (service: S3Service, id: string): Promise<boolean> => (await service.accountIdOf(id)) !== undefined
