import { S3Error } from '../wire/errors.ts'
import type { Bucket, Engine } from '../../engine/index.ts'
import type { Caller } from '../identity/caller.ts'

/**
 * The bucket, when the caller may use it: its owner's account and root may, until policies come.
 * `expectedOwner` is the 12-digit account id that a client insists on. Errors: NoSuchBucket, AccessDenied.
 */
export async function admittedBucket(
  engine: Engine,
  accountIdOf: (ownerId: string) => Promise<string | undefined>,
  { bucket, caller, expectedOwner }: { readonly bucket: string; readonly caller: Caller; readonly expectedOwner: string | undefined },
): Promise<Bucket> {
  const row = await engine.headBucket(bucket)
  if (caller.principal.kind !== 'serverRoot' && row.ownerId !== caller.account.id) throw new S3Error('AccessDenied')
  if (expectedOwner !== undefined && (await accountIdOf(row.ownerId)) !== expectedOwner) throw new S3Error('AccessDenied')
  return row
}
