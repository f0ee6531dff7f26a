/** Reads HTTP/1.1 responses off a socket without keeping their bodies: status, length, and where each ends. */

export interface ReadResponse {
  readonly status: number
  readonly bodyBytes: number
  readonly close: boolean
  /** A short body that was sent with its length, as Latin-1; empty otherwise. */
  readonly text: string
}

/** Longer bodies are not kept. */
const shortBytes = 1024

type State =
  | { readonly kind: 'head'; text: string }
  | { readonly kind: 'sized'; remaining: number }
  | { readonly kind: 'chunk size'; line: string }
  | { readonly kind: 'chunk'; remaining: number }
  | { readonly kind: 'trailer'; line: string }

export class ResponseReader {
  #state: State = { kind: 'head', text: '' }
  #status = 0
  #close = false
  #bodyBytes = 0
  #text = ''
  readonly #done: (response: ReadResponse) => void

  constructor(done: (response: ReadResponse) => void) {
    this.#done = done
  }

  /** Bytes as they come; `bodiless` when the request was HEAD. */
  push(bytes: Buffer, bodiless: boolean): void {
    let at = 0
    while (at < bytes.length) at = this.#consume(bytes, at, bodiless)
  }

  #consume(bytes: Buffer, at: number, bodiless: boolean): number {
    const state = this.#state
    switch (state.kind) {
      case 'head':
        return this.#readHead(state, bytes, at, bodiless)
      case 'sized': {
        const end = Math.min(bytes.length, at + state.remaining)
        if (this.#bodyBytes <= shortBytes) this.#text += bytes.toString('latin1', at, end)
        state.remaining -= end - at
        if (state.remaining === 0) this.#finish()
        return end
      }
      case 'chunk': {
        const end = Math.min(bytes.length, at + state.remaining)
        state.remaining -= end - at
        if (state.remaining === 0) this.#state = { kind: 'chunk size', line: '' }
        return end
      }
      case 'chunk size':
      case 'trailer': {
        const end = bytes.indexOf(0x0a, at)
        state.line += bytes.toString('latin1', at, end < 0 ? bytes.length : end + 1)
        if (end < 0) return bytes.length
        this.#readLine(state.kind, state.line.trimEnd())
        return end + 1
      }
    }
  }

  #readHead(state: { text: string }, bytes: Buffer, at: number, bodiless: boolean): number {
    const before = state.text.length
    state.text += bytes.toString('latin1', at)
    const end = state.text.indexOf('\r\n\r\n', Math.max(0, before - 3))
    if (end < 0) return bytes.length
    const head = state.text.slice(0, end)
    const next = at + end + 4 - before
    this.#status = Number(head.slice(9, 12))
    if (!(this.#status >= 100)) throw new Error('the server does not answer in HTTP/1')
    this.#close = /\r\nconnection: *close/i.test(head)
    if (this.#status === 100) {
      this.#state = { kind: 'head', text: '' }
      return next
    }
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    if (bodiless || this.#status === 204 || this.#status === 304) this.#finish()
    else if (length !== null) this.#startBody(Number(length[1]))
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#state = { kind: 'chunk size', line: '' }
    else this.#startBody(0)
    return next
  }

  #startBody(remaining: number): void {
    this.#bodyBytes = remaining
    if (remaining === 0) this.#finish()
    else this.#state = { kind: 'sized', remaining }
  }

  #readLine(kind: 'chunk size' | 'trailer', line: string): void {
    if (kind === 'trailer') {
      if (line === '') this.#finish()
      else this.#state = { kind: 'trailer', line: '' }
      return
    }
    const size = Number.parseInt(line, 16)
    if (size === 0) this.#state = { kind: 'trailer', line: '' }
    else {
      this.#bodyBytes += size
      // The line end after the chunk's bytes belongs to it.
      this.#state = { kind: 'chunk', remaining: size + 2 }
    }
  }

  #finish(): void {
    this.#state = { kind: 'head', text: '' }
    const bodyBytes = this.#bodyBytes
    const text = this.#text
    this.#bodyBytes = 0
    this.#text = ''
    this.#done({ status: this.#status, bodyBytes, close: this.#close, text })
  }
}
