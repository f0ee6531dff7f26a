import { badRequest } from '../errors.ts'
import { array, object, string, type Decoder } from '../json/decode.ts'

/** The levels of a namespace, outermost first; never empty, no level empty. */
export type Namespace = readonly string[]

export interface TableIdentifier {
  readonly namespace: Namespace
  readonly name: string
}

/** A namespace as clients write it in messages: `accounting.tax`. */
export function namespaceText(namespace: Namespace): string {
  return namespace.join('.')
}

export function identifierText(identifier: TableIdentifier): string {
  return [...identifier.namespace, identifier.name].join('.')
}

export function sameIdentifier(left: TableIdentifier, right: TableIdentifier): boolean {
  return JSON.stringify([...left.namespace, left.name]) === JSON.stringify([...right.namespace, right.name])
}

/** Names become keys, so their length has a bound; all levels and the name together. */
const maxIdentifierBytes = 1000

export const decodeNamespace: Decoder<Namespace> = (value, at) => {
  const levels = array(string)(value, at)
  checkNamespace(levels)
  return levels
}

const decodeIdentifierShape = object({ namespace: array(string), name: string })

export const decodeIdentifier: Decoder<TableIdentifier> = (value, at) => {
  const identifier = decodeIdentifierShape(value, at)
  checkIdentifier(identifier)
  return identifier
}

export function checkNamespace(levels: readonly string[]): void {
  if (levels.length === 0) throw badRequest('Invalid namespace: it has no levels')
  if (levels.some((level) => level === '')) throw badRequest('Invalid namespace: a level is empty')
  if (levels.some((level) => level.includes(unitSeparator))) throw badRequest('Invalid namespace: a level holds the separator of levels')
  checkLength(levels)
}

export function checkIdentifier(identifier: TableIdentifier): void {
  checkNamespace(identifier.namespace)
  if (identifier.name === '') throw badRequest('Invalid identifier: the name is empty')
  checkLength([...identifier.namespace, identifier.name])
}

function checkLength(parts: readonly string[]): void {
  const bytes = parts.reduce((sum, part) => sum + Buffer.byteLength(part) + escapedBytes(part) + 1, 0)
  if (bytes > maxIdentifierBytes) throw badRequest(`Invalid identifier: longer than ${maxIdentifierBytes} bytes`)
  if (!parts.every((part) => part.isWellFormed())) throw badRequest('Invalid identifier: not well-formed Unicode')
}

/** Two characters take one byte more in a key. */
function escapedBytes(part: string): number {
  return part.split('\u0000').length + part.split('\u0001').length - 2
}

/** The separator of namespace levels in paths and queries, besides the one that is advertised. */
export const unitSeparator = '\u001f'

/** `accounting%1Ftax`, already decoded, to its levels. */
export function parseNamespaceText(text: string): Namespace {
  const levels = text.split(unitSeparator)
  checkNamespace(levels)
  return levels
}
