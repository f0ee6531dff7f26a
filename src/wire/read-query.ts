import { QueryError } from './query-error.ts'
import type { QueryOperation } from './query-operations.ts'
import { parseBoolean, parseInteger, parseTimestamp } from './scalars.ts'
import type { Member, Shape, Structure } from './shape.ts'

/** The parameters of a request of the query protocol, decoded; a name occurs once. */
export type Form = ReadonlyMap<string, string>

/** More parameters than any request needs. */
const maxParameters = 2000

/** `application/x-www-form-urlencoded` text. A repeated name is refused: two readers could disagree about it. */
export function parseForm(text: string): Map<string, string> {
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (form.has(name)) throw new QueryError('ValidationError', `The parameter ${name} is given twice.`)
    if (form.size >= maxParameters) throw new QueryError('ValidationError', 'There are too many parameters.')
    form.set(name, value)
  }
  return form
}

/** Parameters of every request, and of the signature where that stands in the query. */
const isOfTransport = (name: string): boolean => name === 'Action' || name === 'Version' || /^x-amz-/i.test(name)

/**
 * The operation's input, as its schema has it:
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#request-serialization. Whatever is no member of the schema is refused
 * with `ValidationError`, as is a value that is none of its type, a gap in a list, and a required member that is missing.
 */
export function readQuery({ name, input }: QueryOperation, form: Form): object {
  const reading: Reading = { form, unread: new Set([...form.keys()].filter(parameter => !isOfTransport(parameter))) }
  const value = readStructure(input, '', reading)
  const [stranger] = reading.unread
  if (stranger !== undefined) throw new QueryError('ValidationError', `${name} has no parameter ${JSON.stringify(stranger)}.`)
  return value
}

interface Reading {
  readonly form: Form
  readonly unread: Set<string>
}

function readStructure(structure: Structure, prefix: string, reading: Reading): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const member of structure.members) {
    const read = readMember(member, prefix + member.element, reading)
    if (read !== undefined) value[member.name] = read
    else if (member.required) {
      throw new QueryError('ValidationError', `1 validation error detected: Value at '${prefix}${member.element}' failed to satisfy constraint: Member must not be null`)
    }
  }
  return value
}

/** `undefined`: nothing of it was sent. */
function readMember({ shape, flattened }: Pick<Member, 'shape' | 'flattened'>, name: string, reading: Reading): unknown {
  switch (shape.kind) {
    case 'structure':
      return hasBelow(name, reading) ? readStructure(shape, `${name}.`, reading) : undefined
    case 'list':
      return readList(shape, flattened ? name : `${name}.${shape.item.element}`, name, reading)
    case 'map':
      return readMap(shape, flattened ? name : `${name}.entry`, reading)
    default: {
      const text = take(name, reading)
      return text === undefined ? undefined : scalarOf(shape, text, name)
    }
  }
}

function readList({ item }: Extract<Shape, { kind: 'list' }>, stem: string, name: string, reading: Reading): unknown[] | undefined {
  const items: unknown[] = []
  for (let number = 1; ; number++) {
    const at = `${stem}.${number}`
    const read = readMember(item, at, reading)
    if (read === undefined) break
    items.push(read)
  }
  // An empty list is sent as a parameter without a value.
  const isEmpty = items.length === 0 && reading.form.get(name) === ''
  if (isEmpty) reading.unread.delete(name)
  return items.length > 0 || isEmpty ? items : undefined
}

function readMap({ key, value }: Extract<Shape, { kind: 'map' }>, stem: string, reading: Reading): Record<string, unknown> | undefined {
  const map = Object.create(null) as Record<string, unknown>
  let entries = 0
  for (;;) {
    const at = `${stem}.${entries + 1}`
    const name = take(`${at}.${key.element}`, reading)
    if (name === undefined) break
    map[name] = readMember(value, `${at}.${value.element}`, reading)
    entries += 1
  }
  return entries === 0 ? undefined : map
}

function hasBelow(name: string, { unread }: Reading): boolean {
  for (const parameter of unread) if (parameter.startsWith(`${name}.`)) return true
  return false
}

function take(name: string, { form, unread }: Reading): string | undefined {
  unread.delete(name)
  return form.get(name)
}

function scalarOf(shape: Shape, text: string, name: string): unknown {
  const value = parse(shape, text)
  if (value === undefined) throw new QueryError('ValidationError', `1 validation error detected: Value at '${name}' is not of its type`)
  return value
}

function parse(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'boolean':
      return parseBoolean(text)
    case 'number':
      return parseInteger(text)
    case 'timestamp':
      return parseTimestamp(text, shape.format ?? 'date-time')
    case 'blob':
      return Buffer.from(text, 'base64')
    default:
      return text
  }
}
