import type { ServerResponse } from 'node:http'
import { toS3Error } from './engine-errors.ts'
import { writeErrorXml } from '../wire/errors.ts'
import type { StreamedBody } from '../wire/s3-operations.ts'
import type { RequestContext } from '../telemetry/request-context.ts'

/** What the writer of an operation made of its output. */
export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string | StreamedBody | undefined
}

/**
 * Sends an answer. A stream that fails half-way cuts the connection, so that the client sees a short body
 * and never takes it for the whole.
 */
export async function send(response: ServerResponse, { status, headers, body }: Answer, headOnly: boolean): Promise<void> {
  if (typeof body === 'object' && !(body instanceof Uint8Array)) {
    const begin = () => response.writeHead(status, headers)
    if (headOnly) begin().end()
    else await sendStream(response, body, Number(headers['Content-Length']), begin)
    return
  }
  if (!headOnly && status !== 204 && status !== 304) headers['Content-Length'] = String(body === undefined ? 0 : Buffer.byteLength(body))
  response.writeHead(status, headers)
  response.end(headOnly ? undefined : body)
}

/**
 * Each piece is with the kernel before the next is asked for: the stream fills its buffers again. The answer begins with
 * the first one: bytes that cannot be read at all are an error that can still be told.
 */
async function sendStream(response: ServerResponse, stream: AsyncIterable<Uint8Array>, sizeBytes: number, begin: () => unknown): Promise<void> {
  for await (const bytes of stream) {
    if (!response.headersSent) begin()
    if (bytes.length === sizeBytes) {
      // A body in one piece goes out with its headers in a single write.
      response.end(bytes)
      return
    }
    if (!(await written(response, bytes))) return
  }
  if (!response.headersSent) begin()
  response.end()
}

/** False when the client has gone. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<boolean> {
  return new Promise(resolve => {
    if (response.destroyed) resolve(false)
    else response.write(bytes, error => resolve(error === null || error === undefined))
  })
}

/** Answers with S3's error body; HEAD and 304 have none. An answer that has begun is cut off instead. */
export function sendError(response: ServerResponse, context: RequestContext, error: unknown, request: { readonly resource: string; readonly headOnly: boolean; readonly hostId: string }): void {
  const answer = toS3Error(error)
  context.notes.errorCode = answer.code
  if (answer.code === 'InternalError') context.notes.fault = error
  if (response.headersSent) {
    response.destroy()
    return
  }
  const bodiless = request.headOnly || answer.status === 304
  const body = bodiless ? undefined : writeErrorXml(answer, { resource: request.resource, requestId: context.requestId, hostId: request.hostId })
  const headers: Record<string, string> = { ...answer.headers }
  if (body !== undefined) {
    headers['content-type'] = 'application/xml'
    headers['content-length'] = String(Buffer.byteLength(body))
  }
  response.writeHead(answer.status, headers)
  response.end(body)
}
