import type { IncomingMessage } from 'node:http'
import { must } from '../../base/assert.ts'

/** What the server knows of a request before any protocol looks at it, and what it learns on the way. */
export interface RequestContext {
  /** 16 upper-case hex digits; already in the response's `x-amz-request-id`. */
  readonly requestId: string
  /**
   * The client holds its body back until it sees `100 Continue`: call `response.writeContinue()`
   * once the headers are accepted, or answer at once and the body is never sent.
   */
  readonly expectsContinue: boolean
  /** For the request's log line and audit record. Never a secret, signature or token. */
  readonly notes: RequestNotes
}

/** Filled in by the protocols as it becomes known. */
export interface RequestNotes {
  /** The protocol's own name: `PutObject`, `updateTable`. */
  operation?: string
  accessKeyId?: string
  bucket?: string
  key?: string
  /** What authorization said, and the statement or rule that it rests on. */
  decision?: { readonly effect: 'allow' | 'deny'; readonly because: string }
  /** The protocol's error code, when the request was refused. */
  errorCode?: string
  /** What made it fail, when that is a fault of ours or of the machine: its stack is logged. */
  fault?: unknown
}

const contexts = new WeakMap<IncomingMessage, RequestContext>()

/** For protocols behind a router, which hands on the request alone. */
export function attachContext(request: IncomingMessage, context: RequestContext): void {
  contexts.set(request, context)
}

export function contextOf(request: IncomingMessage): RequestContext {
  return must(contexts.get(request), 'every request has its context attached before it is routed')
}
