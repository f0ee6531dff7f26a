/** A value in a policy that may hold wildcards and policy variables, taken apart once. */
export type Pattern =
  | { readonly kind: 'exact'; readonly text: string }
  | { readonly kind: 'prefix'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'wildcards'; readonly pieces: readonly Piece[] }

/** `any` is `*`, `one` is `?`; a variable's value is matched as text, whatever it holds. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | { readonly kind: 'variable'; readonly name: string; readonly otherwise: string | undefined }
