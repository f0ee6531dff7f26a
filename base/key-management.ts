/**
 * KeyManagement: data keys, wrapped by named master keys that never leave it.
 *
 * - **Confidentiality.** What `wrapped` holds is of no use without the master key; a data key exists in the clear
 *   only in the memory of whoever asked for it.
 * - **Binding.** A wrapped key is unwrapped only under the very context (names and values, in any order) and the
 *   master key's name that it was made under: `Rejected` otherwise, and for any changed byte.
 * - **Durability.** Once `generateDataKey` has resolved, `unwrapDataKey` works for as long as the master key exists,
 *   in every process and after a restart, also when the master key has had new versions since.
 * - **Retries.** Both calls may be repeated. `Unavailable` says that nothing is known and that later may help.
 *
 * `key-management-suite.ts` holds every implementation to it.
 */
export interface KeyManagement {
  /** The master key that is used where none is named. */
  readonly defaultKeyName: string
  /** The names of the master keys, in order. */
  keyNames(): Promise<readonly string[]>
  /** A new data key of 32 random bytes. `NoSuchKey`, `Unavailable`. */
  generateDataKey(request: { readonly keyName?: string; readonly context: KeyContext }): Promise<DataKey>
  /** The same data key, wrapped anew by the default master key's newest version. `Unavailable`. */
  wrapDataKey(plaintext: Buffer, context: KeyContext): Promise<WrappedKey>
  /** Whether `wrapDataKey` would use the same master key in the same version. */
  isCurrent(key: WrappedKey): boolean
  /** `NoSuchKey`, `Rejected`, `Unavailable`. */
  unwrapDataKey(key: WrappedKey, context: KeyContext): Promise<Buffer>
}

/** What a data key is for: authenticated, not secret, needed again to unwrap it. */
export type KeyContext = Readonly<Record<string, string>>

export interface WrappedKey {
  readonly keyName: string
  readonly wrapped: Buffer
}

export interface DataKey extends WrappedKey {
  /** 32 bytes. */
  readonly plaintext: Buffer
}

/**
 * - `NoSuchKey`: there is no master key of that name.
 * - `Rejected`: the wrapped key was changed, or belongs to another context or master key.
 * - `Unavailable`: the service cannot be asked now.
 */
export type KeyManagementErrorCode = 'NoSuchKey' | 'Rejected' | 'Unavailable'

export class KeyManagementError extends Error {
  override readonly name = 'KeyManagementError'
  readonly code: KeyManagementErrorCode

  constructor(code: KeyManagementErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
