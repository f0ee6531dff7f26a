import { assert } from '../../base/assert.ts'
import { S3Error } from './errors.ts'
import type { Headers } from './detect.ts'
import { decodeHeaderText } from './rfc2047.ts'
import { parseXml } from './parse-xml.ts'
import type { XmlLimits } from './parse-xml.ts'
import type { Query } from './query.ts'
import { s3Operation, s3Operations } from './s3-operations.ts'
import type { S3Input, S3Operation, S3OperationName, StreamedBody } from './s3-operations.ts'
import { parseBoolean, parseInteger, parseTimestamp } from './scalars.ts'
import type { Member } from './shape.ts'
import { isTransportHeader, isTransportParameter } from './transport-names.ts'
import { compileXmlReader } from './xml-reader.ts'
import type { XmlReader } from './xml-reader.ts'

export interface WireRequest {
  readonly bucket?: string | undefined
  readonly key?: string | undefined
  readonly query: Query
  /** Names in lower case. */
  readonly headers: Headers
  /** Collected bytes where the reader's `body` is `document`, the stream where it is `stream`. */
  readonly body?: StreamedBody | undefined
}

/** What a request said. The caller refuses members that its operation does not honour, and all that is unknown. */
export interface ReadRequest<Input> {
  readonly input: Input
  /** Schema members that the request carried, labels included. */
  readonly present: readonly string[]
  /** `x-amz-*` and `if-*` headers that the operation's schema does not have. */
  readonly unknownHeaders: readonly string[]
  /** Query parameters of other operations. Names that the S3 model has nowhere are ignored, as AWS does. */
  readonly unknownParameters: readonly string[]
}

export interface RequestReader<Input> {
  /** What the request's body is to the operation: to be ignored, collected before `read`, or streamed. */
  readonly body: 'none' | 'document' | 'stream'
  /**
   * Errors: `InvalidArgument` (a value that is none of its type, a required header or parameter that is missing),
   * `MalformedXML`, `MissingRequestBodyError`.
   */
  read(request: WireRequest, limits?: XmlLimits): ReadRequest<Input>
}

/** The reader of an operation, compiled from its schema once. */
export function requestReaderOf<N extends S3OperationName>(name: N): RequestReader<S3Input<N>> {
  const known = compiled.get(name)
  if (known !== undefined) return known as RequestReader<S3Input<N>>
  const reader = compileRequestReader(s3Operation(name))
  compiled.set(name, reader)
  return reader as RequestReader<S3Input<N>>
}

const compiled = new Map<S3OperationName, RequestReader<object>>()

/** Takes a value from its text. Undefined: as if it had not been sent. */
type Decode = (text: string) => unknown

interface Field {
  readonly member: string
  readonly decode: Decode
}

interface Plan {
  readonly labels: readonly ('Bucket' | 'Key')[]
  readonly headers: ReadonlyMap<string, Field>
  readonly parameters: ReadonlyMap<string, Field>
  readonly prefix: { readonly member: string; readonly prefix: string } | undefined
  /** Literal parts of the URI: `uploads`, `list-type`. */
  readonly literals: ReadonlySet<string>
  readonly required: readonly { readonly member: string; readonly wireName: string }[]
  readonly readBody: ((input: Record<string, unknown>, body: StreamedBody | undefined, limits: XmlLimits | undefined) => string[]) | undefined
}

export function compileRequestReader(operation: S3Operation): RequestReader<object> {
  const { members } = operation.input
  const plan: Plan = {
    labels: (['Bucket', 'Key'] as const).filter((label) => members.some(({ name, binding }) => name === label && binding.to === 'label')),
    headers: fieldsOf(members, 'header'),
    parameters: fieldsOf(members, 'query'),
    prefix: prefixOf(members),
    literals: new Set(new URLSearchParams(operation.uri.split('?')[1] ?? '').keys()),
    required: requiredOf(members),
    readBody: compileBody(operation),
  }
  return { body: bodyKindOf(operation), read: (request, limits) => readRequest(plan, request, limits) }
}

function readRequest(plan: Plan, request: WireRequest, limits: XmlLimits | undefined): ReadRequest<object> {
  const input: Record<string, unknown> = {}
  const read = { input, present: [] as string[], unknownHeaders: [] as string[], unknownParameters: [] as string[] }
  for (const label of plan.labels) {
    const value = label === 'Bucket' ? request.bucket : request.key
    if (value === undefined) continue
    input[label] = value
    read.present.push(label)
  }
  for (const name in request.headers) {
    const value = request.headers[name]
    if (value !== undefined) readHeader(plan, read, name, typeof value === 'string' ? value : value.join(','))
  }
  if (request.query.size > 0) for (const [name, values] of request.query) readParameter(plan, read, request.headers, name, values)
  for (const { member, wireName } of plan.required) if (!(member in input)) throw missing(wireName)
  if (plan.readBody !== undefined) read.present.push(...plan.readBody(input, request.body, limits))
  return read
}

/** What a request has said so far. */
interface Reading {
  readonly input: Record<string, unknown>
  readonly present: string[]
  readonly unknownHeaders: string[]
  readonly unknownParameters: string[]
}

function readHeader(plan: Plan, read: Reading, name: string, value: string): void {
  const field = plan.headers.get(name)
  if (field !== undefined) return readField(read, field, value)
  const isCondition = name.startsWith('if-') && name !== 'if-range'
  if (!isCondition && !name.startsWith('x-amz-')) return
  if (plan.prefix !== undefined && name.startsWith(plan.prefix.prefix)) return readPrefixed(read, plan.prefix, name, value)
  if (!isTransportHeader(name)) read.unknownHeaders.push(name)
}

function readPrefixed(read: Reading, { member, prefix }: { readonly member: string; readonly prefix: string }, name: string, value: string): void {
  let map = read.input[member] as Record<string, string> | undefined
  if (map === undefined) {
    map = read.input[member] = Object.create(null) as Record<string, string>
    read.present.push(member)
  }
  map[name.slice(prefix.length)] = decodeHeaderText(value)
}

function readParameter(plan: Plan, read: Reading, headers: Headers, name: string, values: readonly string[]): void {
  const field = plan.parameters.get(name)
  if (field !== undefined) return readField(read, field, values[0] ?? '')
  if (plan.literals.has(name)) return
  const header = name.toLowerCase()
  if (isTransportParameter(header)) return
  // Presigned URLs carry headers as parameters; a header of the same name wins.
  if (s3Parameters.has(name)) read.unknownParameters.push(name)
  else if (!header.startsWith('x-amz-')) return
  else if (headers[header] === undefined) readHeader(plan, read, header, values.join(','))
}

/** Every query parameter that some operation has. */
const s3Parameters: ReadonlySet<string> = new Set(
  [...s3Operations.values()].flatMap(({ input }) => input.members.flatMap(({ binding }) => (binding.to === 'query' ? [binding.name] : []))),
)

function readField(read: Reading, { member, decode }: Field, text: string): void {
  read.present.push(member)
  const value = decode(text)
  if (value !== undefined) read.input[member] = value
}

// ---- compilation

function fieldsOf(members: readonly Member[], to: 'header' | 'query'): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const { binding, name, shape } of members) {
    if (binding.to !== to) continue
    const wireName = to === 'header' ? binding.name.toLowerCase() : binding.name
    fields.set(wireName, { member: name, decode: compileDecode(shape, wireName) })
  }
  return fields
}

function prefixOf(members: readonly Member[]): Plan['prefix'] {
  for (const { binding, name } of members) if (binding.to === 'prefixHeaders') return { member: name, prefix: binding.name }
  return undefined
}

function requiredOf(members: readonly Member[]): Plan['required'] {
  return members.flatMap(({ required, name, binding }) =>
    required && (binding.to === 'header' || binding.to === 'query') ? [{ member: name, wireName: binding.name }] : [],
  )
}

/**
 * Dates that RFC 9110 has a reader ignore when they are malformed, and those of which S3 keeps the text rather
 * than the date. All others are refused.
 */
const lenientDates: ReadonlySet<string> = new Set(['expires', 'response-expires', 'if-modified-since', 'if-unmodified-since'])

function compileDecode(shape: Member['shape'], wireName: string): Decode {
  const strict = <T>(parse: (text: string) => T | undefined, message?: string): Decode => (text) => {
    const value = parse(text)
    if (value === undefined) throw invalid(wireName, text, message)
    return value
  }
  switch (shape.kind) {
    case 'string': return wireName.startsWith('response-') ? strict(headerSafe) : (text) => text
    case 'number': return strict(parseInteger, `Provided ${wireName} not an integer or within integer range`)
    case 'boolean': return strict(parseBoolean)
    case 'timestamp': {
      const format = shape.format ?? 'http-date'
      return lenientDates.has(wireName) ? (text) => parseTimestamp(text, format) : strict((text) => parseTimestamp(text, format))
    }
    case 'list': return (text) => text.split(',').map((item) => item.trim()).filter((item) => item !== '')
    default: return (text) => text
  }
}

/** A parameter that comes back as a response header cannot end it. */
function headerSafe(text: string): string | undefined {
  return /[\u0000-\u0008\u000a-\u001f\u007f]/.test(text) ? undefined : text
}

function invalid(wireName: string, value: string, message?: string): S3Error {
  return new S3Error('InvalidArgument', message, { ArgumentName: wireName, ArgumentValue: value.slice(0, 1024) })
}

function missing(wireName: string): S3Error {
  return new S3Error('InvalidArgument', `This request must have ${wireName}`, { ArgumentName: wireName, ArgumentValue: '' })
}

// ---- bodies

function bodyMembersOf(operation: S3Operation): { readonly payload: Member | undefined; readonly inBody: readonly Member[] } {
  const { members } = operation.input
  return {
    payload: members.find(({ binding }) => binding.to === 'payload'),
    inBody: members.filter(({ binding }) => binding.to === 'body'),
  }
}

function bodyKindOf(operation: S3Operation): 'none' | 'document' | 'stream' {
  const { payload, inBody } = bodyMembersOf(operation)
  if (payload?.streaming === true) return 'stream'
  return payload !== undefined || inBody.length > 0 ? 'document' : 'none'
}

function compileBody(operation: S3Operation): Plan['readBody'] {
  const { payload, inBody } = bodyMembersOf(operation)
  if (payload?.streaming === true) {
    return (input, body) => {
      if (body !== undefined) input[payload.name] = body
      return body === undefined ? [] : [payload.name]
    }
  }
  if (payload !== undefined) return compilePayload(payload)
  if (inBody.length === 0) return undefined
  const readXml = compileXmlReader(operation.input, inBody)
  const root = operation.input.xmlName ?? operation.input.name
  return (input, body, limits) => {
    const read = readXml(rootOf(body, root, limits)) as object
    Object.assign(input, read)
    return Object.keys(read)
  }
}

function compilePayload(payload: Member): NonNullable<Plan['readBody']> {
  const { shape } = payload
  const readXml: XmlReader | undefined = shape.kind === 'structure' ? compileXmlReader(shape) : undefined
  return (input, body, limits) => {
    const bytes = bytesOf(body)
    if (bytes === undefined || bytes.byteLength === 0) {
      if (payload.required) throw new S3Error('MissingRequestBodyError')
      return []
    }
    input[payload.name] = readXml === undefined ? Buffer.from(bytes).toString('utf8') : readXml(rootOf(bytes, payload.element, limits))
    return [payload.name]
  }
}

function rootOf(body: StreamedBody | undefined, name: string, limits: XmlLimits | undefined) {
  const bytes = bytesOf(body)
  if (bytes === undefined || bytes.byteLength === 0) throw new S3Error('MissingRequestBodyError')
  const root = parseXml(bytes, limits)
  if (root.name !== name) throw new S3Error('MalformedXML', undefined, { Reason: `The root element is ${name}` })
  return root
}

function bytesOf(body: StreamedBody | undefined): Uint8Array | undefined {
  assert(body === undefined || body instanceof Uint8Array, 'a document is collected before it is read')
  return body
}
