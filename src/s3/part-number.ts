import { S3Error } from '../wire/errors.ts'

/** 1 to 10,000. Errors: InvalidArgument. */
export function partNumberIn(partNumber: number | undefined): number {
  if (partNumber === undefined || !Number.isInteger(partNumber) || partNumber < 1 || partNumber > 10_000) {
    throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', { ArgumentName: 'partNumber', ArgumentValue: String(partNumber) })
  }
  return partNumber
}
