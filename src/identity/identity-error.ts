/**
 * - `IdTaken`, `AccountIdTaken`: another account has the id.
 * - `IdChanged`, `AccountIdChanged`: the account exists with another id, and ids never change.
 * - `AccessKeyTaken`: another account or user (or root) has the access key.
 * - `NoSuchAccount`, `NoSuchUser`, `NoSuchKey`: there is none, or it is another's.
 * - `TooManyKeys`: the owner has as many access keys as it may.
 */
export type IdentityErrorCode =
  | 'IdTaken' | 'AccountIdTaken' | 'IdChanged' | 'AccountIdChanged' | 'AccessKeyTaken' | 'NoSuchAccount' | 'NoSuchUser' | 'NoSuchKey' | 'TooManyKeys'

export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: IdentityErrorCode

  constructor(code: IdentityErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
