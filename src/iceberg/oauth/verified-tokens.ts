import { parseAccessToken, type TokenSecret, type UnverifiedToken } from './access-token.ts'

const maxTokens = 1_000

/**
 * Tokens whose signature was found right, with the secret that it was right for: clients send one with
 * every request. Whether it has expired and whether its key is still there is asked each time. Bounded;
 * the one remembered first goes first.
 */
export class VerifiedTokens {
  readonly #secrets = new Map<string, { readonly token: UnverifiedToken; readonly secretAccessKey: string }>()

  has(text: string): boolean {
    return this.#secrets.has(text)
  }

  /** As `parseAccessToken`. */
  parse(text: string): UnverifiedToken | undefined {
    const known = this.#secrets.get(text)
    const token = known?.token ?? parseAccessToken(text)
    if (token === undefined) return undefined
    return { claims: token.claims, verify: async (secret) => known?.secretAccessKey === secret.secretAccessKey || this.#verify(text, token, secret) }
  }

  async #verify(text: string, token: UnverifiedToken, secret: TokenSecret): Promise<boolean> {
    this.#secrets.delete(text)
    if (!(await token.verify(secret))) return false
    this.#secrets.set(text, { token, secretAccessKey: secret.secretAccessKey })
    for (const first of this.#secrets.keys()) {
      if (this.#secrets.size <= maxTokens) break
      this.#secrets.delete(first)
    }
    return true
  }
}
