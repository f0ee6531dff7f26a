/** Clients that send their next request when the last one is answered. */
import type { ReadResponse } from '../load/response-reader.ts'
import { Histogram } from '../load/histogram.ts'
import type { CatalogClient, CatalogConnection } from './client.ts'
import { cpuSeconds } from '../load/processes.ts'

export interface Load {
  readonly clients: number
  readonly warmUpMs: number
  readonly durationMs: number
}

export interface Measured {
  readonly operations: number
  /** Refused because of another commit (409): the client would try again. */
  readonly conflicts: number
  readonly errors: number
  readonly firstError: string | undefined
  readonly seconds: number
  readonly bytes: number
  /** Of the server, for each operation; 0 when its process is not known. */
  readonly cpuMs: number
  readonly latency: Histogram
}

/** `send` returns undefined when there is nothing left to do. */
export async function closedLoop(
  client: CatalogClient, { clients, warmUpMs, durationMs }: Load, send: (connection: CatalogConnection, client: number) => Promise<ReadResponse> | undefined,
): Promise<Measured> {
  let counts = { operations: 0, conflicts: 0, errors: 0, bytes: 0 }
  let latency = new Histogram()
  let firstError: string | undefined
  let isStopping = false
  const loop = async (index: number): Promise<void> => {
    const connection = client.connect()
    while (!isStopping) {
      const sentAt = performance.now()
      const answer = send(connection, index)
      if (answer === undefined) break
      const { status, text, bodyBytes } = await answer.catch((error: unknown) => ({ status: 0, text: String(error), bodyBytes: 0 }))
      if (isStopping) break
      if (status >= 200 && status < 300) {
        counts.operations++
        counts.bytes += bodyBytes
        latency.add((performance.now() - sentAt) * 1000)
      } else if (status === 409) counts.conflicts++
      else {
        counts.errors++
        firstError ??= `${status} ${text.slice(0, 200)}`
      }
    }
    connection.close()
  }
  const loops = Promise.all(Array.from({ length: clients }, (_, index) => loop(index)))
  await Promise.race([loops, new Promise(resolve => setTimeout(resolve, warmUpMs))])
  if (warmUpMs > 0) {
    counts = { operations: 0, conflicts: 0, errors: 0, bytes: 0 }
    latency = new Histogram()
  }
  const { pid } = client.target
  const cpuBefore = cpuSeconds(pid)
  const startedAt = performance.now()
  await Promise.race([loops, new Promise(resolve => setTimeout(resolve, durationMs))])
  const seconds = (performance.now() - startedAt) / 1000
  isStopping = true
  const cpuMs = (cpuSeconds(pid) - cpuBefore) * 1000 / Math.max(1, counts.operations)
  const measured = { ...counts, firstError, seconds, latency, cpuMs }
  await loops
  return measured
}
