import { badRequest } from '../errors.ts'
import type { Endpoint } from './endpoints.ts'

type Members = Readonly<Record<string, string | undefined>>

/**
 * `BadRequest` for a query parameter that it
 * does not know, and for a condition that it would not keep: a request is not carried out by half.
 */
export function refuseUnknown({ method, query, ownQuery = [], headers }: Endpoint, request: { readonly query: Members; readonly headers: Members }): void {
  for (const name of Object.keys(request.query)) {
    if (!query.includes(name) && !ownQuery.includes(name)) throw badRequest(`Unknown query parameter: ${name}`)
  }
  for (const name of conditions) {
    if (request.headers[name] !== undefined && !headers.includes(name) && !(isRead(method) && isOfReads(name))) throw badRequest(`Unsupported header: ${name}`)
  }
}

/** RFC 9110 §13.1: each of them says when a request is not to be carried out. */
const conditions = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const

/** Without regard to these a read answers with all that there is, which is right too. */
const isOfReads = (name: (typeof conditions)[number]): boolean => name === 'if-none-match' || name === 'if-modified-since'

const isRead = (method: Endpoint['method']): boolean => method === 'GET' || method === 'HEAD'
