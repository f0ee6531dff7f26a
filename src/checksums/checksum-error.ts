/** Each code is S3's own name. */
export type ChecksumErrorCode = 'InvalidRequest' | 'InvalidPart'

/**
 * - `InvalidRequest`: the algorithm is unknown, or cannot do what was asked of it.
 * - `InvalidPart`: a stored checksum or ETag does not have its algorithm's form.
 */
export class ChecksumError extends Error {
  override readonly name = 'ChecksumError'
  readonly code: ChecksumErrorCode

  constructor(code: ChecksumErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
