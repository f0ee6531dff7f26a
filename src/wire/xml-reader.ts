import { malformed } from './parse-xml.ts'
import type { XmlElement } from './parse-xml.ts'
import { parseBoolean, parseInteger, parseTimestamp } from './scalars.ts'
import type { Member, Shape, Structure } from './shape.ts'

/** Turns an element into a member's value, or throws `MalformedXML`. */
export type XmlReader = (element: XmlElement) => unknown

/** A reader of one structure. `members` limits it to some of them: those an operation's body carries. */
export function compileXmlReader(structure: Structure, members: readonly Member[] = structure.members): XmlReader {
  let readers: StructureReaders | undefined
  // Compiled when first used: schemas may refer to themselves.
  return (element) => readStructure(element, (readers ??= compileMembers(members)))
}

interface StructureReaders {
  readonly byElement: ReadonlyMap<string, MemberReader>
  readonly attributes: readonly Member[]
  readonly required: readonly string[]
}

interface MemberReader {
  readonly name: string
  readonly read: XmlReader
  /** A flattened list has an element for each of its items. */
  readonly repeats: boolean
}

function compileMembers(members: readonly Member[]): StructureReaders {
  const byElement = new Map<string, MemberReader>()
  for (const member of members) {
    if (member.attribute) continue
    const repeats = member.flattened && member.shape.kind === 'list'
    const shape = repeats && member.shape.kind === 'list' ? member.shape.item.shape : member.shape
    byElement.set(member.element, { name: member.name, read: compileShape(shape), repeats })
  }
  return {
    byElement,
    attributes: members.filter((member) => member.attribute),
    required: members.filter((member) => member.required).map((member) => member.name),
  }
}

function readStructure(element: XmlElement, readers: StructureReaders): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const child of element.children) {
    const member = readers.byElement.get(child.name)
    if (member === undefined) throw malformed(`${element.name} has no element ${child.name}`)
    const read = member.read(child)
    const before = value[member.name]
    if (member.repeats) {
      if (Array.isArray(before)) before.push(read)
      else value[member.name] = [read]
    } else {
      if (before !== undefined) throw malformed(`${element.name} has more than one ${child.name}`)
      value[member.name] = read
    }
  }
  for (const member of readers.attributes) {
    const attribute = element.attributes[localName(member.element)]
    if (attribute !== undefined) value[member.name] = attribute
  }
  for (const name of readers.required) if (value[name] === undefined) throw malformed(`${element.name} lacks ${name}`)
  if (element.text !== '' && element.text.trim() !== '') throw malformed(`${element.name} has text`)
  return value
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function compileShape(shape: Shape): XmlReader {
  switch (shape.kind) {
    case 'structure': return compileXmlReader(shape)
    case 'list': return compileList(shape.item)
    case 'map': return compileMap(shape.key, shape.value)
    case 'string': return (element) => scalarOf(element, (text) => text, false)
    case 'boolean': return (element) => scalarOf(element, parseBoolean)
    case 'number': return (element) => scalarOf(element, parseInteger)
    case 'timestamp': return (element) => scalarOf(element, (text) => parseTimestamp(text, shape.format ?? 'date-time'))
    case 'blob': return (element) => Buffer.from(element.text, 'base64')
    case 'document':
    case 'unit':
      return (element) => element.text
  }
}

function scalarOf<T>(element: XmlElement, parse: (text: string) => T | undefined, trims = true): T {
  if (element.children.length > 0) throw malformed(`${element.name} has elements`)
  const value = parse(trims ? element.text.trim() : element.text)
  if (value === undefined) throw malformed(`${element.name} is not valid`)
  return value
}

function compileList(item: Member): XmlReader {
  const readItem = compileShape(item.shape)
  return (element) =>
    element.children.map((child) => {
      if (child.name !== item.element) throw malformed(`${element.name} has no element ${child.name}`)
      return readItem(child)
    })
}

function compileMap(key: Member, value: Member): XmlReader {
  const readValue = compileShape(value.shape)
  return (element) => {
    const entries = element.children.map((entry): [string, unknown] => {
      const keyElement = entry.children.find((child) => child.name === key.element)
      const valueElement = entry.children.find((child) => child.name === value.element)
      if (keyElement === undefined || valueElement === undefined) throw malformed(`${element.name} has an entry without key or value`)
      return [keyElement.text, readValue(valueElement)]
    })
    return Object.fromEntries(entries)
  }
}
