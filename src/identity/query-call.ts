import type { NotedDecision } from '../policy/explain.ts'
import type { Caller } from './caller.ts'

/** What a request of the query protocol brings beside its parameters. */
export interface QueryCall {
  /** Undefined: it was not signed. */
  readonly caller: Caller | undefined
  readonly requestId: string
  readonly client: ClientFacts
  /** For the audit record: what was decided, and why. The last one counts. */
  readonly noteDecision: (decision: NotedDecision) => void
}

/** What conditions of policies ask about the connection. */
export interface ClientFacts {
  /** Undefined: unknown. */
  readonly sourceIp: string | undefined
  readonly isSecure: boolean
  readonly userAgent: string | undefined
}
