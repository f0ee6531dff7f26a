import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../base/clock.ts'
import { countConnectionBytes } from '../connection-bytes.ts'
import type { RequestContext } from '../request-context.ts'
import { auditRecord } from './audit-record.ts'
import type { AuditTarget } from './audit-target.ts'

/** One record for each request, to every target. */
export interface AuditLog {
  /** To be called when a request begins; the record is written when it has been answered or cut off. */
  observe(request: IncomingMessage, response: ServerResponse, context: RequestContext): void
  /** As `AuditTarget.admit`, for all targets. */
  admit(): Promise<boolean> | undefined
  close(): Promise<void>
}

export interface AuditLogOptions {
  readonly targets: readonly AuditTarget[]
  readonly deploymentId: string
  readonly clock: Clock
}

export function createAuditLog({ targets, deploymentId, clock }: AuditLogOptions): AuditLog {
  const bytesOf = countConnectionBytes()
  return {
    observe(request, response, { requestId, notes }) {
      const startedAtMs = clock.nowMs()
      const startedMs = clock.monotonicMs()
      const { socket } = request
      const { remoteAddress } = socket
      response.once('close', () => {
        const bytes = bytesOf(socket)
        const record = auditRecord({
          deploymentId,
          requestId,
          method: request.method ?? '',
          url: request.url ?? '',
          requestHeaders: request.headers,
          responseHeaders: response.getHeaders(),
          status: response.writableFinished ? response.statusCode : undefined,
          bytesIn: bytes.read,
          bytesOut: bytes.written,
          startedAtMs,
          durationMs: clock.monotonicMs() - startedMs,
          remoteAddress,
          notes,
        })
        for (const target of targets) target.write(record)
      })
    },
    admit() {
      const waits = targets.map(target => target.admit()).filter(wait => wait !== undefined)
      return waits.length === 0 ? undefined : Promise.all(waits).then(admitted => admitted.every(Boolean))
    },
    async close() {
      await Promise.all(targets.map(target => target.close()))
    },
  }
}
