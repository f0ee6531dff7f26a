import { S3Error } from '../wire/errors.ts'

/** The source key of RenameObject, URL-encoded; a leading slash is not part of it. Errors: InvalidArgument. */
export function parseRenameSource(source: string): string {
  try {
    return decodeURIComponent(source.startsWith('/') ? source.slice(1) : source)
  } catch {
    throw new S3Error('InvalidArgument', undefined, { ArgumentName: 'x-amz-rename-source', ArgumentValue: source })
  }
}
