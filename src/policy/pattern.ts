/** A value in a policy that may hold wildcards and policy variables, taken apart once. */
export type Pattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly text: string }
  | { readonly kind: 'prefix'; readonly text: string }
  | { readonly kind: 'pieces'; readonly pieces: readonly Piece[]; readonly hasVariables: boolean }

/** `any` is `*`, `one` is `?`; a variable's value is matched as text, whatever it holds. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | { readonly kind: 'variable'; readonly key: string; readonly otherwise: string | undefined }

/** The value of a condition key that has exactly one, or undefined: only such can stand for a variable. */
export type Resolve = (key: string) => string | undefined

/** `unresolved`: a variable has no value, so that nothing can be said. */
export type Matched = boolean | 'unresolved'

export interface PatternRules {
  readonly wildcards: boolean
  /** Policy variables: only in documents of version 2012-10-17. */
  readonly variables: boolean
}

/** Undefined: a variable is not well formed. */
export function compilePattern(text: string, { wildcards, variables }: PatternRules): Pattern | undefined {
  const pieces: Piece[] = []
  const addText = (more: string) => {
    const last = pieces.at(-1)
    if (last?.kind === 'text') pieces[pieces.length - 1] = { kind: 'text', text: last.text + more }
    else if (more !== '') pieces.push({ kind: 'text', text: more })
  }
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? ''
    if (variables && character === '$' && text[at + 1] === '{') {
      const end = text.indexOf('}', at)
      const piece = end < 0 ? undefined : variablePiece(text.slice(at + 2, end))
      if (piece === undefined) return undefined
      if (piece.kind === 'text') addText(piece.text)
      else pieces.push(piece)
      at = end + 1
    } else {
      if (wildcards && character === '*') {
        if (pieces.at(-1)?.kind !== 'any') pieces.push({ kind: 'any' })
      } else if (wildcards && character === '?') pieces.push({ kind: 'one' })
      else addText(character)
      at += 1
    }
  }
  return simplest(pieces)
}

/** `${*}`, `${?}` and `${$}` are the characters themselves; else a key, and perhaps a default in single quotes. */
function variablePiece(inside: string): Piece | undefined {
  if (inside === '*' || inside === '?' || inside === '$') return { kind: 'text', text: inside }
  const [, name, otherwise] = /^\s*([A-Za-z0-9-]+:[^,'{}$*?]*[^,'{}$*?\s])\s*(?:,\s*'([^']*)'\s*)?$/.exec(inside) ?? []
  return name === undefined ? undefined : { kind: 'variable', key: conditionKey(name), otherwise }
}

function simplest(pieces: readonly Piece[]): Pattern {
  const [first, second] = pieces
  if (first === undefined) return { kind: 'exact', text: '' }
  if (pieces.length === 1 && first.kind === 'any') return { kind: 'any' }
  if (pieces.length === 1 && first.kind === 'text') return { kind: 'exact', text: first.text }
  if (pieces.length === 2 && first.kind === 'text' && second?.kind === 'any') return { kind: 'prefix', text: first.text }
  return { kind: 'pieces', pieces, hasVariables: pieces.some(({ kind }) => kind === 'variable') }
}

export function matchPattern(pattern: Pattern, text: string, resolve: Resolve): Matched {
  switch (pattern.kind) {
    case 'any':
      return true
    case 'exact':
      return text === pattern.text
    case 'prefix':
      return text.startsWith(pattern.text)
    case 'pieces': {
      const pieces = pattern.hasVariables ? resolved(pattern.pieces, resolve) : pattern.pieces
      return pieces === undefined ? 'unresolved' : matchPieces(pieces, text)
    }
  }
}

/** The text that a pattern without wildcards stands for; undefined: unresolved. */
export function textOf(pattern: Pattern, resolve: Resolve): string | undefined {
  if (pattern.kind === 'exact') return pattern.text
  if (pattern.kind !== 'pieces') return undefined
  const pieces = resolved(pattern.pieces, resolve)
  return pieces?.map(piece => (piece.kind === 'text' ? piece.text : '')).join('')
}

function resolved(pieces: readonly Piece[], resolve: Resolve): readonly Piece[] | undefined {
  const found: Piece[] = []
  for (const piece of pieces) {
    if (piece.kind !== 'variable') found.push(piece)
    else {
      const text = resolve(piece.key) ?? piece.otherwise
      if (text === undefined) return undefined
      found.push({ kind: 'text', text })
    }
  }
  return found
}

/** Greedy with one point to fall back to, so the cost is bounded by pieces times characters. */
function matchPieces(pieces: readonly Piece[], text: string): boolean {
  let at = 0
  let index = 0
  let retryIndex = -1
  let retryAt = 0
  for (;;) {
    const piece = pieces[index]
    if (piece?.kind === 'any') {
      retryIndex = ++index
      retryAt = at
      if (retryIndex === pieces.length) return true
      continue
    }
    if (piece === undefined && at === text.length) return true
    const length = piece === undefined ? -1 : lengthAt(piece, text, at)
    if (length >= 0) {
      at += length
      index += 1
      continue
    }
    if (retryIndex < 0 || retryAt >= text.length) return false
    retryAt += 1
    at = retryAt
    index = retryIndex
  }
}

/** How much of the text the piece takes, or -1. `?` takes one character, also one of two UTF-16 units. */
function lengthAt(piece: Piece, text: string, at: number): number {
  if (piece.kind === 'text') return text.startsWith(piece.text, at) ? piece.text.length : -1
  const point = text.codePointAt(at)
  if (point === undefined) return -1
  return point > 0xffff ? 2 : 1
}

/** A condition key's name as contexts have it: lower case, but for the name of a tag after the slash. */
export function conditionKey(name: string): string {
  const slash = name.indexOf('/')
  return slash < 0 ? name.toLowerCase() : name.slice(0, slash).toLowerCase() + name.slice(slash)
}
