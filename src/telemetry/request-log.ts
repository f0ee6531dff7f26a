import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from './logger.ts'
import { countConnectionBytes } from './connection-bytes.ts'
import { redactUrl } from './redact.ts'
import type { RequestContext } from './request-context.ts'

/** Logs one line when the response has been sent, or its connection has gone before that. */
export type LogRequest = (request: IncomingMessage, response: ServerResponse, context: RequestContext) => void

/**
 * A line has method, path, status, wire bytes in and out, duration, request id, and what the
 * protocol noted: operation, access key id, error code. Headers are never logged. A fault of ours is
 * logged at level `error` with its stack; an aborted request has no status but `aborted: true`.
 */
export function createRequestLog(logger: Logger, clock: Clock): LogRequest {
  const bytesOf = countConnectionBytes()
  return (request, response, { requestId, notes }) => {
    const startedMs = clock.monotonicMs()
    const { socket } = request
    response.once('close', () => {
      const { fault } = notes
      const level = fault === undefined ? 'info' : 'error'
      const bytes = bytesOf(socket)
      if (!logger.isLevelEnabled(level)) return
      const finished = response.writableFinished
      logger[level]({
        requestId,
        method: request.method,
        path: redactUrl(request.url ?? ''),
        status: finished ? response.statusCode : undefined,
        aborted: finished ? undefined : true,
        bytesIn: bytes.read,
        bytesOut: bytes.written,
        durationMs: Math.round((clock.monotonicMs() - startedMs) * 100) / 100,
        remote: socket.remoteAddress,
        operation: notes.operation,
        accessKeyId: notes.accessKeyId,
        errorCode: notes.errorCode,
        err: fault,
      }, 'request')
    })
  }
}
