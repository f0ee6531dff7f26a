import { NormalizedSchema } from '@smithy/core/schema'
import { assert } from '../../base/assert.ts'

/**
 * The service schemas of the AWS SDK as a sum type. Everything in this folder is compiled from shapes,
 * so that what the SDK's schema classes look like matters in this file only.
 */
export type Shape =
  | { readonly kind: 'string' | 'boolean' | 'number' | 'blob' | 'document' | 'unit' }
  | { readonly kind: 'timestamp'; readonly format: TimestampFormat | undefined }
  | { readonly kind: 'list'; readonly item: Member }
  | { readonly kind: 'map'; readonly key: Member; readonly value: Member }
  | Structure

export interface Structure {
  readonly kind: 'structure'
  readonly name: string
  /** The root element's name when the structure is a body by itself. */
  readonly xmlName: string | undefined
  readonly members: readonly Member[]
  /** Exactly one member is set. */
  readonly union: boolean
}

export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds'

export interface Member {
  readonly name: string
  readonly shape: Shape
  readonly required: boolean
  readonly binding: Binding
  /** The element's name: the trait `xmlName` or the member's own name. */
  readonly element: string
  readonly flattened: boolean
  readonly attribute: boolean
  readonly namespace: { readonly prefix: string; readonly uri: string } | undefined
  readonly streaming: boolean
}

/** Where a member of an operation's input or output is carried. */
export type Binding =
  | { readonly to: 'body' | 'label' | 'payload' }
  | { readonly to: 'header' | 'prefixHeaders' | 'query'; readonly name: string }

type SchemaRef = Parameters<typeof NormalizedSchema.of>[0]

export function shapeOf(schema: SchemaRef): Shape {
  return translate(NormalizedSchema.of(schema))
}

/** The shape of an operation's input or output; the unit has no members. */
export function structureOf(schema: SchemaRef): Structure {
  const shape = shapeOf(schema)
  if (shape.kind === 'unit') return { kind: 'structure', name: 'Unit', xmlName: undefined, members: [], union: false }
  assert(shape.kind === 'structure', `an operation's input and output are structures, not ${shape.kind}`)
  return shape
}

function translate(schema: NormalizedSchema): Shape {
  if (schema.isUnitSchema()) return { kind: 'unit' }
  if (schema.isStructSchema()) return translateStructure(schema)
  if (schema.isListSchema()) {
    const item = schema.getValueSchema()
    return { kind: 'list', item: translateMember('member', item, false, item.getMergedTraits().xmlName) }
  }
  if (schema.isMapSchema()) {
    const [key, value] = [schema.getKeySchema(), schema.getValueSchema()]
    return {
      kind: 'map',
      key: translateMember('key', key, true, key.getMergedTraits().xmlName),
      value: translateMember('value', value, true, value.getMergedTraits().xmlName),
    }
  }
  if (schema.isTimestampSchema()) return { kind: 'timestamp', format: timestampFormatOf(schema.getSchema()) }
  return { kind: simpleKindOf(schema) }
}

function simpleKindOf(schema: NormalizedSchema): 'string' | 'boolean' | 'number' | 'blob' | 'document' {
  if (schema.isStringSchema()) return 'string'
  if (schema.isBooleanSchema()) return 'boolean'
  if (schema.isNumericSchema() || schema.isBigIntegerSchema()) return 'number'
  if (schema.isBlobSchema()) return 'blob'
  // Strings with a media type (a JSON policy) are simple schemas over another one.
  return schema.isDocumentSchema() ? 'document' : 'string'
}

function timestampFormatOf(code: unknown): TimestampFormat | undefined {
  return code === 5 ? 'date-time' : code === 6 ? 'http-date' : code === 7 ? 'epoch-seconds' : undefined
}

// Schemas may refer to themselves, so a structure's members are translated when first asked for.
const structures = new WeakMap<object, Structure>()

function translateStructure(schema: NormalizedSchema): Structure {
  const source: unknown = schema.getSchema()
  assert(Array.isArray(source), 'a structure schema is an array')
  const known = structures.get(source)
  if (known !== undefined) return known
  let members: readonly Member[] | undefined
  const structure: Structure = {
    kind: 'structure',
    name: schema.getName() ?? '',
    xmlName: schema.getOwnTraits().xmlName,
    union: schema.isUnionSchema(),
    get members() {
      return (members ??= translateMembers(schema, requiredCountOf(source)))
    },
  }
  structures.set(source, structure)
  return structure
}

/** Required members come first; the schema's seventh element counts them. */
function requiredCountOf(source: readonly unknown[]): number {
  const count = source[6]
  return typeof count === 'number' ? count : 0
}

function translateMembers(schema: NormalizedSchema, requiredCount: number): Member[] {
  const members: Member[] = []
  for (const [name, member] of schema.structIterator()) {
    // An xmlName of the structure behind a member names that structure as a root, unless the member is one.
    const traits = member.getMergedTraits().httpPayload ? member.getMergedTraits() : member.getMemberTraits()
    members.push(translateMember(name, member, members.length < requiredCount, traits.xmlName ?? rootNameOf(member)))
  }
  return members
}

function rootNameOf(member: NormalizedSchema): string | undefined {
  return member.getMergedTraits().httpPayload && member.isStructSchema() ? member.getName() : undefined
}

function translateMember(name: string, schema: NormalizedSchema, required: boolean, element: string | undefined): Member {
  const traits = schema.getMergedTraits()
  const [prefix, uri] = traits.xmlNamespace ?? []
  return {
    name,
    shape: translate(schema),
    required,
    binding: bindingOf(schema),
    element: element ?? name,
    flattened: Boolean(traits.xmlFlattened),
    attribute: Boolean(traits.xmlAttribute),
    namespace: typeof prefix === 'string' && typeof uri === 'string' ? { prefix, uri } : undefined,
    streaming: schema.isStreaming(),
  }
}

function bindingOf(schema: NormalizedSchema): Binding {
  const traits = schema.getMergedTraits()
  if (traits.httpLabel) return { to: 'label' }
  if (traits.httpHeader) return { to: 'header', name: traits.httpHeader }
  if (traits.httpPrefixHeaders !== undefined) return { to: 'prefixHeaders', name: String(traits.httpPrefixHeaders) }
  if (traits.httpQuery) return { to: 'query', name: traits.httpQuery }
  return { to: traits.httpPayload ? 'payload' : 'body' }
}
