import { S3Error } from '../wire/errors.ts'

/** RestoreStatus is the one optional attribute: nothing here is ever archived, so no entry has one. */
export function refuseUnknownAttributes(names: readonly string[] | undefined): void {
  for (const name of names ?? []) {
    if (name !== 'RestoreStatus') throw new S3Error('InvalidArgument', 'Invalid attribute name specified.', { ArgumentName: 'x-amz-optional-object-attributes', ArgumentValue: name })
  }
}
