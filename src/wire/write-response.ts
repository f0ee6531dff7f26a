import { assert, must } from '../../base/assert.ts'
import { encodeHeaderText } from './rfc2047.ts'
import { elementOrder, headerNames, interleavedLists, unwrapped } from './response-elements.ts'
import { s3Operation } from './s3-operations.ts'
import type { S3Operation, S3OperationName, S3Output, StreamedBody } from './s3-operations.ts'
import { formatTimestamp } from './scalars.ts'
import type { Member, Structure } from './shape.ts'
import { compileInterleaved, compileXmlWriter } from './xml-writer.ts'
import type { XmlWriter } from './xml-writer.ts'
import { escapeText } from './xml-text.ts'

export interface WireResponse {
  /** The operation's status; 206 where the output has a ContentRange. */
  readonly status: number
  /** Names as AWS spells them. `Content-Type` is here for XML and policies; `Content-Length` only if the output says so. */
  readonly headers: Record<string, string>
  readonly body: string | StreamedBody | undefined
}

/** Writes an output. Members whose names start with `$`, and undefined ones, are not written. */
export type ResponseWriter<Output> = (output: Output) => WireResponse

/** The writer of an operation, compiled from its schema once. */
export function responseWriterOf<N extends S3OperationName>(name: N): ResponseWriter<S3Output<N>> {
  const known = compiled.get(name)
  if (known !== undefined) return known
  const writer = compileResponseWriter(s3Operation(name))
  compiled.set(name, writer)
  return writer
}

const compiled = new Map<S3OperationName, ResponseWriter<object>>()

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

type WriteHeader = (headers: Record<string, string>, value: unknown) => void
type WriteBody = (output: Record<string, unknown>, headers: Record<string, string>) => WireResponse['body']

export function compileResponseWriter(operation: S3Operation): ResponseWriter<object> {
  const headerWriters = new Map<string, WriteHeader>()
  for (const member of operation.output.members) {
    const write = compileHeader(member)
    if (write !== undefined) headerWriters.set(member.name, write)
  }
  const writeBody = compileBody(operation)
  return (output) => {
    const values = output as Record<string, unknown>
    const headers: Record<string, string> = {}
    for (const name in values) {
      const value = values[name]
      if (value !== undefined) headerWriters.get(name)?.(headers, value)
    }
    const status = values['ContentRange'] === undefined ? operation.status : 206
    return { status, headers, body: writeBody?.(values, headers) }
  }
}

function compileHeader({ name, binding, shape }: Member): WriteHeader | undefined {
  if (binding.to === 'prefixHeaders') return compilePrefixed(binding.name)
  if (binding.to !== 'header') return undefined
  const header = headerNames[name] ?? binding.name
  switch (shape.kind) {
    case 'timestamp': {
      const format = shape.format ?? 'http-date'
      return (headers, value) => {
        assert(value instanceof Date, `${name} is a Date`)
        // The text of a date, where both are given, is what was sent: it wins over the date.
        headers[header] ??= formatTimestamp(value, format)
      }
    }
    case 'list': return (headers, value) => (headers[header] = (value as readonly string[]).join(', '))
    default: return (headers, value) => (headers[header] = headerText(String(value)))
  }
}

function compilePrefixed(prefix: string): WriteHeader {
  return (headers, value) => {
    const map = value as Readonly<Record<string, string>>
    for (const name in map) headers[prefix + name] = encodeHeaderText(map[name] ?? '')
  }
}

/** Text that HTTP can carry: characters beyond Latin-1 as their UTF-8 bytes. */
function headerText(text: string): string {
  return /[^\u0000-\u00ff]/.test(text) ? Buffer.from(text).toString('latin1') : text
}

// ---- bodies

function compileBody(operation: S3Operation): WriteBody | undefined {
  const { output } = operation
  const payload = output.members.find(({ binding }) => binding.to === 'payload')
  if (payload !== undefined) return compilePayload(operation, payload)
  const members = output.members.filter(({ binding }) => binding.to === 'body')
  if (members.length === 0) return undefined
  const root = output.xmlName ?? output.name
  if (unwrapped.has(operation.name)) return compileUnwrapped(root, must(members[0], 'an unwrapped answer has a member'))
  return compileDocument(root, compileContent(operation, output, members))
}

function compilePayload(operation: S3Operation, payload: Member): WriteBody {
  const { shape, name } = payload
  if (payload.streaming) return (output) => output[name] as StreamedBody | undefined
  if (shape.kind === 'structure') {
    const write = compileDocument(payload.element, compileContent(operation, shape, shape.members))
    return (output, headers) => (output[name] === undefined ? undefined : write(output[name] as Record<string, unknown>, headers))
  }
  return (output, headers) => {
    headers['Content-Type'] ??= 'application/json'
    return output[name] as string | undefined
  }
}

function compileDocument(root: string, writeContent: XmlWriter): WriteBody {
  const open = `${declaration}<${root} xmlns="${namespace}">`
  const close = `</${root}>`
  return (output, headers) => {
    headers['Content-Type'] ??= 'application/xml'
    return open + writeContent(output) + close
  }
}

function compileUnwrapped(root: string, member: Member): WriteBody {
  return compileDocument(root, (output) => {
    const value = (output as Record<string, unknown>)[member.name]
    return value === undefined ? '' : escapeText(value as string)
  })
}

function compileContent(operation: S3Operation, structure: Structure, members: readonly Member[]): XmlWriter {
  const ordered = orderMembers(members, elementOrder[operation.name] ?? [])
  const together = interleavedLists[operation.name]
  if (together === undefined) return compileXmlWriter(structure, ordered)
  const at = ordered.findIndex(({ name }) => together.includes(name))
  const lists = ordered.filter(({ name }) => together.includes(name))
  const writeBefore = compileXmlWriter(structure, ordered.slice(0, at))
  const writeLists = compileInterleaved(lists)
  const writeAfter = compileXmlWriter(structure, ordered.slice(at).filter((member) => !lists.includes(member)))
  return (value) => writeBefore(value) + writeLists(value as Record<string, unknown>) + writeAfter(value)
}

/** The named members first, in that order; the others follow in the schema's. */
function orderMembers(members: readonly Member[], order: readonly string[]): Member[] {
  const first = order.map((name) => must(members.find((member) => member.name === name), `the answer has a member ${name}`))
  return [...first, ...members.filter((member) => !order.includes(member.name))]
}
