import { assert } from '../../base/assert.ts'
import { formatTimestamp } from './scalars.ts'
import type { Member, Shape, Structure } from './shape.ts'
import { escapeText } from './xml-text.ts'

/** Writes what stands between an element's tags. */
export type XmlWriter = (value: unknown) => string

/** A writer of a structure's content. `members` limits and orders what is written. */
export function compileXmlWriter(structure: Structure, members?: readonly Member[]): XmlWriter {
  let writers: MemberWriters | undefined
  // Compiled when first used: schemas may refer to themselves.
  return (value) => {
    writers ??= compileMembers(members ?? structure.members)
    return writeMembers(value as Record<string, unknown>, writers)
  }
}

/**
 * Names side by side with their writers. A flattened list that stands in a group with others (`interleaved`) is
 * written with them, item by item in the order that `$order` of the value gives.
 */
interface MemberWriters {
  readonly names: readonly string[]
  readonly writers: readonly XmlWriter[]
}

function compileMembers(members: readonly Member[]): MemberWriters {
  const elements = members.filter((member) => !member.attribute)
  return { names: elements.map((member) => member.name), writers: elements.map(compileMember) }
}

function writeMembers(value: Record<string, unknown>, { names, writers }: MemberWriters): string {
  let xml = ''
  for (let i = 0; i < names.length; i++) {
    const member = value[names[i] as string]
    if (member !== undefined && member !== null) xml += (writers[i] as XmlWriter)(member)
  }
  return xml
}

/** Writes a member with its tags. */
function compileMember(member: Member): XmlWriter {
  const { shape } = member
  if (shape.kind !== 'list') return compileElement(member)
  const writeItem = compileElement(member.flattened ? { ...shape.item, element: member.element } : shape.item)
  const [open, close] = member.flattened ? ['', ''] : [`<${member.element}>`, `</${member.element}>`]
  return (value) => {
    let xml = open
    for (const item of value as readonly unknown[]) xml += writeItem(item)
    return xml + close
  }
}

function compileElement(member: Member): XmlWriter {
  const { element, shape, namespace } = member
  const namespaced = namespace === undefined ? '' : ` xmlns:${namespace.prefix}="${namespace.uri}"`
  const open = `<${element}${namespaced}>`
  const close = `</${element}>`
  const write = compileShape(shape)
  if (shape.kind === 'structure') {
    const attributes = shape.members.filter((each) => each.attribute)
    if (attributes.length > 0) {
      return (value) => `<${element}${namespaced}${writeAttributes(value as Record<string, unknown>, attributes)}>${write(value)}${close}`
    }
  }
  return (value) => open + write(value) + close
}

function writeAttributes(value: Record<string, unknown>, attributes: readonly Member[]): string {
  let xml = ''
  for (const { name, element } of attributes) {
    const attribute = value[name]
    if (typeof attribute === 'string') xml += ` ${element}="${escapeText(attribute)}"`
  }
  return xml
}

function compileShape(shape: Shape): XmlWriter {
  switch (shape.kind) {
    case 'structure': return compileXmlWriter(shape)
    case 'list': return (value) => (value as readonly unknown[]).map(compileElement(shape.item)).join('')
    case 'map': return compileMap(shape.key, shape.value)
    case 'string':
    case 'document':
      return rememberLast(escapeText)
    case 'boolean':
    case 'number':
      return String
    case 'timestamp': {
      const format = shape.format ?? 'date-time'
      return (value) => {
        assert(value instanceof Date, 'a timestamp is a Date')
        return formatTimestamp(value, format)
      }
    }
    case 'blob': return (value) => Buffer.from(value as Uint8Array).toString('base64')
    case 'unit': return () => ''
  }
}

/** Storage classes, owners and the like repeat from one entry of a listing to the next. */
function rememberLast(escape: (text: string) => string): XmlWriter {
  let last = ''
  let escaped = ''
  return (value) => {
    const text = value as string
    if (text === last) return escaped
    escaped = escape(text)
    last = text
    return escaped
  }
}

function compileMap(key: Member, value: Member): XmlWriter {
  const writeKey = compileElement(key)
  const writeValue = compileElement(value)
  return (map) => {
    let xml = ''
    for (const [name, item] of Object.entries(map as Record<string, unknown>)) xml += `<entry>${writeKey(name)}${writeValue(item)}</entry>`
    return xml
  }
}

/**
 * Several flattened lists written as one, item by item: `order` names the list of each next item. Where `$order`
 * is absent the lists follow each other.
 */
export function compileInterleaved(members: readonly Member[]): (value: Record<string, unknown>) => string {
  const writers = new Map(members.map((member) => [member.name, compileMember(member)]))
  return (value) => {
    const { $order: order } = value as { readonly $order?: readonly string[] }
    if (order === undefined) return members.map(({ name }) => (value[name] === undefined ? '' : writers.get(name)?.(value[name]))).join('')
    const next = new Map<string, number>()
    let xml = ''
    for (const name of order) {
      const at = next.get(name) ?? 0
      next.set(name, at + 1)
      const list = value[name]
      assert(Array.isArray(list) && at < list.length, '$order names an item for each item of the lists')
      xml += writers.get(name)?.([list[at]]) ?? ''
    }
    return xml
  }
}
