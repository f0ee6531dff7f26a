import { STATUS_CODES, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { isSecretName } from '../redact.ts'
import type { RequestNotes } from '../request-context.ts'

/** All that an audit record says of one request, once it has been answered. */
export interface AuditedRequest {
  readonly deploymentId: string
  readonly requestId: string
  readonly method: string
  /** As the client sent it. */
  readonly url: string
  readonly requestHeaders: IncomingHttpHeaders
  readonly responseHeaders: OutgoingHttpHeaders
  /** Undefined: the connection ended before the answer was complete. */
  readonly status: number | undefined
  readonly bytesIn: number
  readonly bytesOut: number
  readonly startedAtMs: number
  readonly durationMs: number
  readonly remoteAddress: string | undefined
  readonly notes: RequestNotes
}

/**
 * One line of JSON in the shape of MinIO's audit records, version 1, so that what reads those reads
 * these. `decision` is ours. Values of headers and parameters that are secrets are left out.
 */
export function auditRecord(audited: AuditedRequest): string {
  const { notes, url } = audited
  const question = url.indexOf('?')
  const nanoseconds = String(Math.round(audited.durationMs * 1e6))
  return JSON.stringify({
    version: '1',
    deploymentid: audited.deploymentId,
    time: new Date(audited.startedAtMs).toISOString(),
    event: notes.operation ?? '',
    trigger: 'incoming',
    api: {
      name: notes.operation ?? audited.method,
      bucket: notes.bucket,
      object: notes.key,
      status: audited.status === undefined ? 'Aborted' : STATUS_CODES[audited.status] ?? String(audited.status),
      statusCode: audited.status,
      errorCode: notes.errorCode,
      rx: audited.bytesIn,
      tx: audited.bytesOut,
      timeToResponse: `${nanoseconds}ns`,
      timeToResponseInNS: nanoseconds,
    },
    remotehost: audited.remoteAddress,
    requestID: audited.requestId,
    userAgent: audited.requestHeaders['user-agent'],
    requestPath: question === -1 ? url : url.slice(0, question),
    requestHost: audited.requestHeaders.host,
    requestQuery: question === -1 ? undefined : shownQuery(url.slice(question + 1)),
    requestHeader: shownHeaders(audited.requestHeaders),
    responseHeader: shownHeaders(audited.responseHeaders),
    accessKey: notes.accessKeyId,
    decision: notes.decision,
  })
}

/** Not secrets by their names, but as good as one. */
const hiddenHeaders = new Set(['cookie', 'set-cookie', 'proxy-authorization'])
const hidden = '*REDACTED*'

function shownHeaders(headers: IncomingHttpHeaders | OutgoingHttpHeaders): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    shown[name] = hiddenHeaders.has(name) || isSecretName(name) ? hidden : String(value)
  }
  return shown
}

function shownQuery(query: string): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) shown[name] = isSecretName(name) ? hidden : value
  return shown
}
