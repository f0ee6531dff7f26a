import type { Clock } from '../../../base/clock.ts'
import { secondMs } from '../../../base/units.ts'
import type { AuditTarget } from './audit-target.ts'

export interface AuditWebhookOptions {
  readonly url: string
  /** Sent as `Authorization`, as it is or as a bearer token. */
  readonly token: string | undefined
  readonly clock: Clock
  /** Told once when delivery begins to fail, and how many records were dropped once it works again. */
  readonly onFault: (error: unknown, dropped: number) => void
}

const waitingRecords = 10_000
const requestTimeoutMs = 10 * secondMs
const firstRetryMs = 250
const longestRetryMs = 30 * secondMs

/**
 * Posts each record as a JSON document, in order. A receiver that is away is tried again; what does
 * not fit into the queue meanwhile is dropped and counted: a webhook must not stop the store.
 */
export function openAuditWebhook({ url, token, clock, onFault }: AuditWebhookOptions): AuditTarget {
  const waiting: string[] = []
  const closed = new AbortController()
  let sending: Promise<void> | undefined
  let dropped = 0
  const authorization = token === undefined ? {} : { authorization: token.includes(' ') ? token : `Bearer ${token}` }

  async function post(record: string): Promise<void> {
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'application/json', ...authorization },
      body: record,
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`the audit webhook answered ${answer.status}`)
  }

  async function sendAll(): Promise<void> {
    let retryMs = 0
    for (let record = waiting[0]; record !== undefined; record = waiting[0]) {
      try {
        await post(record)
        waiting.shift()
        if (retryMs > 0 && dropped > 0) onFault(new Error('the audit webhook works again'), dropped)
        if (retryMs > 0) dropped = 0
        retryMs = 0
      } catch (error) {
        if (retryMs === 0) onFault(error, dropped)
        if (closed.signal.aborted) return
        retryMs = Math.min(longestRetryMs, Math.max(firstRetryMs, retryMs * 2))
        await clock.sleep(retryMs, closed.signal)
      }
    }
    sending = undefined
  }

  return {
    write(record) {
      if (waiting.length >= waitingRecords) dropped++
      else waiting.push(record)
      sending ??= sendAll()
    },
    admit: () => undefined,
    async close() {
      closed.abort()
      await sending
    },
  }
}
