import { int64Of, type Json } from './json.ts'

/** The text is not JSON; the message says where. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
}

/** Deeper values are refused, so that no walk over a value can exhaust the stack. */
export const maxJsonDepth = 200

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses UTF-8 JSON (RFC 8259) with exact integers. A repeated member's last value wins. `isDetached`: no value keeps the
 * text alive, for those of which a small part outlives the rest.
 */
export function parseJsonBytes(bytes: Uint8Array, { isDetached = false }: { readonly isDetached?: boolean } = {}): Json {
  return parseJson(decodeUtf8(bytes), isDetached)
}

/** `JsonSyntaxError` for bytes that are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new JsonSyntaxError('not valid UTF-8', { cause })
  }
}

export function parseJson(text: string, isDetached = false): Json {
  if (isPlain(text)) {
    try {
      return JSON.parse(text) as Json
    } catch {
      // The other parser says what is wrong, and where.
    }
  }
  return new Parser(text, isDetached).document()
}

const maxPlainLength = 16 * 1024
const maxPlainOpenings = maxJsonDepth

/**
 * Whether the built-in parser, which takes a third of the time, gives the same: no number that a double
 * does not hold, and no depth. Digits and brackets within strings count too: then it is not plain.
 */
function isPlain(text: string): boolean {
  if (text.length > maxPlainLength) return false
  let digits = 0
  let openings = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= char.digit0 && code <= char.digit9) {
      if (++digits > maxPlainDigits) return false
      continue
    }
    // An exponent of three digits may be out of range.
    if ((code | 0x20) === char.e && digits > 0 && hugeExponent.test(text.slice(at, at + 5))) return false
    digits = 0
    if ((code === char.openBrace || code === char.openBracket) && ++openings > maxPlainOpenings) return false
  }
  return true
}

const maxPlainDigits = 15
const hugeExponent = /^e[+-]?\d{3}/i

const char = { quote: 34, backslash: 92, openBrace: 123, closeBrace: 125, openBracket: 91, closeBracket: 93, comma: 44, colon: 58, minus: 45, digit0: 48, digit9: 57, e: 0x65 } as const
const numberPattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y

/** V8 keeps of a longer slice the text that it is of; joined with something, it is copied. */
const shortestSlice = 13

function detached(slice: string): string {
  return slice.length < shortestSlice ? slice : ` ${slice}`.slice(1)
}

class Parser {
  readonly #text: string
  readonly #isDetached: boolean
  #at = 0
  #depth = 0

  constructor(text: string, isDetached: boolean) {
    this.#text = text
    this.#isDetached = isDetached
  }

  document(): Json {
    const value = this.#value()
    this.#space()
    if (this.#at < this.#text.length) throw this.#unexpected()
    return value
  }

  #value(): Json {
    this.#space()
    const code = this.#text.charCodeAt(this.#at)
    switch (code) {
      case char.openBrace:
        return this.#nested(() => this.#object())
      case char.openBracket:
        return this.#nested(() => this.#array())
      case char.quote:
        return this.#string()
      case 116:
        return this.#word('true', true)
      case 102:
        return this.#word('false', false)
      case 110:
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #nested(read: () => Json): Json {
    if (++this.#depth > maxJsonDepth) throw new JsonSyntaxError(`nested deeper than ${maxJsonDepth} levels`)
    const value = read()
    this.#depth--
    return value
  }

  #object(): Json {
    const members: Record<string, Json> = {}
    this.#at++
    this.#space()
    if (this.#take(char.closeBrace)) return members
    for (;;) {
      this.#space()
      if (this.#text.charCodeAt(this.#at) !== char.quote) throw this.#unexpected()
      const name = this.#string()
      this.#space()
      if (!this.#take(char.colon)) throw this.#unexpected()
      const value = this.#value()
      if (name === '__proto__') Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true })
      else members[name] = value
      this.#space()
      if (this.#take(char.closeBrace)) return members
      if (!this.#take(char.comma)) throw this.#unexpected()
    }
  }

  #array(): Json {
    const items: Json[] = []
    this.#at++
    this.#space()
    if (this.#take(char.closeBracket)) return items
    for (;;) {
      items.push(this.#value())
      this.#space()
      if (this.#take(char.closeBracket)) return items
      if (!this.#take(char.comma)) throw this.#unexpected()
    }
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    let escaped = false
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === char.quote) {
        this.#at = at + 1
        if (escaped) return this.#unescape(start - 1, at + 1)
        return this.#isDetached ? detached(text.slice(start, at)) : text.slice(start, at)
      }
      if (code === char.backslash) {
        escaped = true
        at++
      } else if (code < 0x20) {
        this.#at = at
        throw this.#unexpected()
      }
    }
    this.#at = text.length
    throw this.#unexpected()
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start, end)) as string
    } catch (cause) {
      throw new JsonSyntaxError(`bad escape in the string at position ${start}`, { cause })
    }
  }

  #number(): Json {
    numberPattern.lastIndex = this.#at
    const match = numberPattern.exec(this.#text)
    if (match === null) throw this.#unexpected()
    const lexeme = match[0]
    this.#at += lexeme.length
    const value = Number(lexeme)
    const isInteger = match[1] === undefined && match[2] === undefined
    // What no double holds is no 64-bit integer either; reading it digit by digit would take as long as the client likes.
    if (!Number.isFinite(value)) throw new JsonSyntaxError(`number out of range at position ${this.#at}`)
    if (isInteger && !Number.isSafeInteger(value)) return int64Of(BigInt(lexeme))
    return value
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected()
    this.#at += word.length
    return value
  }

  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false
    this.#at++
    return true
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.#at++
    }
  }

  #unexpected(): JsonSyntaxError {
    if (this.#at >= this.#text.length) return new JsonSyntaxError('unexpected end of JSON')
    return new JsonSyntaxError(`unexpected character at position ${this.#at}`)
  }
}
