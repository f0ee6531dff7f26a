import { XMLParser } from 'fast-xml-parser'
import { S3Error } from './errors.ts'
import { unescapeText } from './xml-text.ts'

/** One element of a parsed document; names without their namespace prefix. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** All character data directly inside, white space kept. */
  readonly text: string
}

export interface XmlLimits {
  readonly bytes: number
  readonly depth: number
  readonly elements: number
}

/** Room for the 10,000 parts of CompleteMultipartUpload with every checksum. */
export const defaultXmlLimits: XmlLimits = { bytes: 2 * 1024 * 1024, depth: 32, elements: 200_000 }

/**
 * The root element of a request body. No document types, no entities but the five predefined ones and character
 * references, UTF-8 only, everything bounded. Any violation is `MalformedXML`, and so is ill-formed XML.
 */
export function parseXml(body: Uint8Array, limits: XmlLimits = defaultXmlLimits): XmlElement {
  if (body.byteLength > limits.bytes) throw malformed('The document is too large')
  const text = decodeUtf8(body)
  checkStructure(text, limits)
  let nodes: unknown
  try {
    nodes = parser.parse(text)
  } catch {
    throw malformed('The document is not well-formed')
  }
  const roots = elementsOf(nodes)
  const [root] = roots
  if (root === undefined || roots.length > 1) throw malformed('A document has one root element')
  return root
}

export function malformed(reason: string): S3Error {
  return new S3Error('MalformedXML', undefined, { Reason: reason })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(body: Uint8Array): string {
  try {
    return utf8.decode(body)
  } catch {
    throw malformed('The document is not UTF-8')
  }
}

// ---- structure

const tagPattern = /<(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)((?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y

/**
 * One linear pass that the parser can rely on: tags balance, their names and attributes are plain ASCII, nothing but
 * comments and white space stands outside the root, no declarations, no processing instructions after the first.
 */
function checkStructure(text: string, limits: XmlLimits): void {
  const open: string[] = []
  let elements = 0
  let at = skipDeclaration(text)
  let afterRoot = false
  while (at < text.length) {
    const tag = text.indexOf('<', at)
    checkCharacters(text, at, tag < 0 ? text.length : tag, open.length > 0)
    if (tag < 0) break
    const skipped = skipCommentOrCdata(text, tag, open.length > 0)
    if (skipped !== undefined) {
      at = skipped
      continue
    }
    tagPattern.lastIndex = tag
    const match = tagPattern.exec(text)
    if (match === null) throw malformed('A tag is not well-formed')
    const [whole, closes, name = '', attributes, closesItself] = match
    at = tag + whole.length
    if (closes === '/') {
      if (attributes !== '' || closesItself !== '' || open.pop() !== name) throw malformed('A closing tag has no opening tag')
    } else {
      if (open.length === 0 && afterRoot) throw malformed('A document has one root element')
      if (++elements > limits.elements) throw malformed('The document has too many elements')
      if (closesItself === '') open.push(name)
      if (open.length > limits.depth) throw malformed('The document is nested too deeply')
    }
    afterRoot = true
  }
  if (open.length > 0 || !afterRoot) throw malformed('The document ends too early')
}

function skipDeclaration(text: string): number {
  if (!/^<\?xml\s/.test(text)) return 0
  const end = text.indexOf('?>')
  if (end < 0) throw malformed('The declaration does not end')
  const encoding = /encoding\s*=\s*["']([^"']*)["']/i.exec(text.slice(0, end))?.[1]
  if (encoding !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(encoding)) throw malformed('The document is not UTF-8')
  return end + 2
}

/** Character data between two tags: well-formed references inside the root, white space outside. */
function checkCharacters(text: string, start: number, end: number, insideRoot: boolean): void {
  if (start === end) return
  const characters = text.slice(start, end)
  if (insideRoot ? /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(characters) : /[^ \t\r\n]/.test(characters)) {
    throw malformed('There is text where none can be')
  }
}

function skipCommentOrCdata(text: string, tag: number, insideRoot: boolean): number | undefined {
  if (text.startsWith('<!--', tag)) return endOf(text, '-->', tag + 4)
  if (!text.startsWith('<![CDATA[', tag)) return undefined
  if (!insideRoot) throw malformed('There is text where none can be')
  return endOf(text, ']]>', tag + 9)
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  if (at < 0) throw malformed('The document ends too early')
  return at + mark.length
}

// ---- the tree

const textName = '#text'
const cdataName = '#cdata'
const attributesName = ':@'

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  textNodeName: textName,
  cdataPropName: cdataName,
})

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null
}

function nodesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function elementsOf(nodes: unknown): XmlElement[] {
  const elements: XmlElement[] = []
  for (const node of nodesOf(nodes)) {
    const element = isNode(node) ? elementOf(node) : undefined
    if (element !== undefined) elements.push(element)
  }
  return elements
}

/** Undefined for text. The parser gives an element as an object whose own key is its name. */
function elementOf(node: Node): XmlElement | undefined {
  for (const name in node) {
    if (name === attributesName) continue
    if (name === textName || name === cdataName) return undefined
    const content = node[name]
    return { name: localName(name), attributes: attributesOf(node[attributesName]), children: elementsOf(content), text: textOf(content) }
  }
  return undefined
}

const noAttributes: Readonly<Record<string, string>> = {}

function attributesOf(value: unknown): Readonly<Record<string, string>> {
  if (!isNode(value)) return noAttributes
  const attributes: Record<string, string> = {}
  for (const [name, raw] of Object.entries(value)) attributes[localName(name)] = unescape(String(raw))
  return attributes
}

function textOf(content: unknown): string {
  let text = ''
  for (const node of nodesOf(content)) {
    if (!isNode(node)) continue
    const characters = node[textName]
    if (typeof characters === 'string') text += unescape(characters)
    const cdata = node[cdataName]
    if (cdata !== undefined) text += rawTextOf(cdata)
  }
  return text
}

function rawTextOf(nodes: unknown): string {
  let text = ''
  for (const node of nodesOf(nodes)) if (isNode(node) && typeof node[textName] === 'string') text += node[textName]
  return text
}

function unescape(text: string): string {
  const unescaped = unescapeText(text)
  if (unescaped === undefined) throw malformed('There is an entity that is not predefined')
  return unescaped
}

function localName(name: string): string {
  const colon = name.indexOf(':')
  return colon < 0 ? name : name.slice(colon + 1)
}
