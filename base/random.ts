/**
 * Randomness as a port. A production implementation is cryptographically secure;
 * a seeded one makes simulations repeat.
 */
export interface Random {
  /** `count` fresh random bytes. */
  bytes(count: number): Uint8Array
}
