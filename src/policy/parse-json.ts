import { PolicyError, positionOf } from './policy-error.ts'

/** JSON that remembers where each value stands, in UTF-16 units from the start of the text. */
export type JsonNode =
  | { readonly kind: 'object'; readonly at: number; readonly members: ReadonlyMap<string, Member> }
  | { readonly kind: 'array'; readonly at: number; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly at: number; readonly text: string }
  | { readonly kind: 'number'; readonly at: number; readonly text: string }
  | { readonly kind: 'boolean'; readonly at: number; readonly text: 'true' | 'false' }
  | { readonly kind: 'null'; readonly at: number }

export interface Member {
  /** Where the name stands. */
  readonly at: number
  readonly value: JsonNode
}

const maxDepth = 12

/** RFC 8259, strictly; a name twice in one object is refused, as IAM does. Throws `PolicyError` of code `Syntax`. */
export function parseJson(text: string): JsonNode {
  const reader = new Reader(text)
  const node = reader.value(0)
  reader.skipSpace()
  if (!reader.isAtEnd) reader.fail('Unexpected text after the document')
  return node
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  fail(reason: string, at = this.#at): never {
    throw new PolicyError('Syntax', `Syntax error in policy: ${reason}`, positionOf(this.#text, at))
  }

  skipSpace(): void {
    const space = /[ \t\r\n]*/y
    space.lastIndex = this.#at
    space.exec(this.#text)
    this.#at = space.lastIndex
  }

  value(depth: number): JsonNode {
    if (depth > maxDepth) this.fail('Nested too deeply')
    this.skipSpace()
    const at = this.#at
    const first = this.#text[at]
    if (first === '{') return this.#object(at, depth)
    if (first === '[') return this.#array(at, depth)
    if (first === '"') return { kind: 'string', at, text: this.#string() }
    const number = this.#take(/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y)
    if (number !== undefined) return { kind: 'number', at, text: number }
    const word = this.#take(/true|false|null/y)
    if (word === undefined) return this.fail(this.isAtEnd ? 'The document ends too early' : 'A value is expected')
    return word === 'null' ? { kind: 'null', at } : { kind: 'boolean', at, text: word as 'true' | 'false' }
  }

  #object(at: number, depth: number): JsonNode {
    const members = new Map<string, Member>()
    this.#at += 1
    if (this.#accepts('}')) return { kind: 'object', at, members }
    do {
      this.skipSpace()
      const nameAt = this.#at
      if (this.#text[nameAt] !== '"') this.fail('A name in double quotes is expected')
      const name = this.#string()
      if (members.has(name)) this.fail(`${JSON.stringify(name)} is given twice`, nameAt)
      if (!this.#accepts(':')) this.fail('A colon is expected')
      members.set(name, { at: nameAt, value: this.value(depth + 1) })
    } while (this.#accepts(','))
    if (!this.#accepts('}')) this.fail('A comma or } is expected')
    return { kind: 'object', at, members }
  }

  #array(at: number, depth: number): JsonNode {
    const items: JsonNode[] = []
    this.#at += 1
    if (this.#accepts(']')) return { kind: 'array', at, items }
    do items.push(this.value(depth + 1))
    while (this.#accepts(','))
    if (!this.#accepts(']')) this.fail('A comma or ] is expected')
    return { kind: 'array', at, items }
  }

  #string(): string {
    const at = this.#at
    const raw = this.#take(/"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y)
    if (raw === undefined) return this.fail('A string is not closed, or holds what must be escaped', at)
    return JSON.parse(raw) as string
  }

  #accepts(character: string): boolean {
    this.skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    if (found !== undefined) this.#at += found.length
    return found
  }
}
