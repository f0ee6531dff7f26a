import { S3Error } from '../wire/errors.ts'

const keyLimitBytes = 1024

/** Errors: KeyTooLongError over 1,024 UTF-8 bytes, InvalidArgument for an empty key. */
export function refuseKey(key: string): void {
  if (key === '') throw new S3Error('InvalidArgument', 'The key must not be empty.', { ArgumentName: 'Key', ArgumentValue: '' })
  const sizeBytes = Buffer.byteLength(key)
  if (sizeBytes > keyLimitBytes) throw new S3Error('KeyTooLongError', undefined, { Size: String(sizeBytes), MaxSizeAllowed: String(keyLimitBytes) })
}
