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
    case 'pieces':
      return lacksValue(pattern, resolve) ? 'unresolved' : matchPieces(pattern.pieces, text, resolve)
  }
}

/** The text that a pattern without wildcards stands for; undefined: unresolved. */
export function textOf(pattern: Pattern, resolve: Resolve): string | undefined {
  if (pattern.kind === 'exact') return pattern.text
  if (pattern.kind !== 'pieces') return undefined
  if (!isResolved(pattern.pieces, resolve)) return undefined
  return pattern.pieces.map(piece => textOfPiece(piece, resolve) ?? '').join('')
}

/** Whether a variable in it has no value. */
export const lacksValue = (pattern: Pattern, resolve: Resolve): boolean => pattern.kind === 'pieces' && pattern.hasVariables && !isResolved(pattern.pieces, resolve)

function isResolved(pieces: readonly Piece[], resolve: Resolve): boolean {
  for (const piece of pieces) if (piece.kind === 'variable' && textOfPiece(piece, resolve) === undefined) return false
  return true
}

/** The text that a piece stands for; undefined for wildcards, and for a variable without a value. */
function textOfPiece(piece: Piece, resolve: Resolve): string | undefined {
  if (piece.kind === 'text') return piece.text
  return piece.kind === 'variable' ? (resolve(piece.key) ?? piece.otherwise) : undefined
}

/** Greedy with one point to fall back to, so the cost is bounded by pieces times characters. */
function matchPieces(pieces: readonly Piece[], text: string, resolve: Resolve): boolean {
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
    const length = piece === undefined ? -1 : lengthAt(piece, text, at, resolve)
    if (length >= 0) {
      at += length
      index += 1
      continue
    }
    if (retryIndex < 0) return false
    retryAt = nextStart(pieces[retryIndex], text, retryAt + 1, resolve)
    if (retryAt < 0) return false
    at = retryAt
    index = retryIndex
  }
}

/** Where what follows a `*` may start, at `from` or after it; -1: nowhere. */
function nextStart(piece: Piece | undefined, text: string, from: number, resolve: Resolve): number {
  if (from > text.length) return -1
  const wanted = piece === undefined ? undefined : textOfPiece(piece, resolve)
  return wanted === undefined ? from : text.indexOf(wanted, from)
}

/** How much of the text the piece takes, or -1. `?` takes one character, also one of two UTF-16 units. */
function lengthAt(piece: Piece, text: string, at: number, resolve: Resolve): number {
  if (piece.kind !== 'one') {
    const wanted = textOfPiece(piece, resolve) ?? ''
    return text.startsWith(wanted, at) ? wanted.length : -1
  }
  const point = text.codePointAt(at)
  if (point === undefined) return -1
  return point > 0xffff ? 2 : 1
}

/** A condition key's name as contexts have it: lower case, but for the name of a tag after the slash. */
export function conditionKey(name: string): string {
  const slash = name.indexOf('/')
  return slash < 0 ? name.toLowerCase() : name.slice(0, slash).toLowerCase() + name.slice(slash)
}
