/**
 * - `Syntax`: not JSON, or a name twice in one object.
 * - `Grammar`: JSON, but no policy: an element is missing, unknown or of another type.
 * - `Principal`, `Action`, `Resource`, `Condition`: that element's value is none.
 * - `TooLarge`: more bytes, statements or values than are taken.
 */
export type PolicyErrorCode = 'Syntax' | 'Grammar' | 'Principal' | 'Action' | 'Resource' | 'Condition' | 'TooLarge'

/** A document that is refused, and where: `line` and `column` count from 1. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly code: PolicyErrorCode
  readonly line: number
  readonly column: number

  constructor(code: PolicyErrorCode, reason: string, { line, column }: Position) {
    super(`${reason} (line ${line}, column ${column})`)
    this.code = code
    this.line = line
    this.column = column
  }
}

export interface Position {
  readonly line: number
  readonly column: number
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}
