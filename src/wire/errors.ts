import { s3ErrorCodes } from './error-codes.ts'
import type { S3ErrorCode } from './error-codes.ts'
import { escapeText } from './xml-text.ts'

/** Elements of an error body besides Code, Message, Resource, RequestId and HostId: `Key`, `BucketName`, `Region`, … */
export type ErrorElements = Readonly<Record<string, string | number | undefined>>

/**
 * An answer other than success, in the words of the S3 protocol. `elements` are shown to the client: no secrets.
 * `headers` (names in lower case) go with the answer: `content-range` of a 416, `etag` of a 304.
 */
export class S3Error extends Error {
  override readonly name = 'S3Error'
  readonly code: S3ErrorCode
  readonly elements: ErrorElements
  readonly headers: Readonly<Record<string, string>>

  constructor(code: S3ErrorCode, message?: string, elements: ErrorElements = {}, headers: Readonly<Record<string, string>> = {}) {
    super(message ?? s3ErrorCodes[code][1])
    this.code = code
    this.elements = elements
    this.headers = headers
  }

  get status(): number {
    return s3ErrorCodes[this.code][0]
  }
}

/** The error body of S3: no namespace, Code and Message first, the request's ids last. */
export function writeErrorXml(error: S3Error, request: { readonly resource?: string; readonly requestId: string; readonly hostId: string }): string {
  let xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code><Message>${escapeText(error.message)}</Message>`
  for (const [name, value] of Object.entries(error.elements)) {
    if (value !== undefined) xml += `<${name}>${escapeText(String(value))}</${name}>`
  }
  if (request.resource !== undefined) xml += `<Resource>${escapeText(request.resource)}</Resource>`
  return `${xml}<RequestId>${escapeText(request.requestId)}</RequestId><HostId>${escapeText(request.hostId)}</HostId></Error>`
}
