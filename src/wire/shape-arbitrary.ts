import fc from 'fast-check'
import type { Binding, Member, Shape, Structure } from './shape.ts'

/** Generated inputs and outputs of operations, for tests that hold our codecs against the SDK's. */
export function structureArbitrary(structure: Structure): fc.Arbitrary<Record<string, unknown>> {
  const required: Record<string, fc.Arbitrary<unknown>> = {}
  const optional: Record<string, fc.Arbitrary<unknown>> = {}
  for (const member of structure.members) {
    // The SDK's own text form of a date has no header of its own.
    if (member.name === 'ExpiresString') continue
    const target = member.required || member.binding.to === 'label' ? required : optional
    target[member.name] = memberArbitrary(member)
  }
  if (structure.union) return fc.oneof(...Object.entries(optional).map(([name, value]) => fc.record({ [name]: value })))
  return fc
    .tuple(fc.record(required), fc.record(optional, { requiredKeys: [] }))
    .map(([always, sometimes]) => ({ ...always, ...sometimes }))
}

function memberArbitrary({ name, binding, shape, flattened, attribute }: Member): fc.Arbitrary<unknown> {
  if (name === 'Bucket' && binding.to === 'label') return fc.constant('lake')
  if (binding.to === 'prefixHeaders') return fc.dictionary(fc.stringMatching(/^[a-z0-9-]{1,12}$/), anyText.filter(isTrimmed), { minKeys: 1, maxKeys: 4 })
  if (binding.to === 'header') return headerArbitrary(shape)
  if (binding.to === 'query' || binding.to === 'label') return shape.kind === 'string' ? queryText(name) : shapeArbitrary(shape, binding)
  // Empty means us-east-1, which the SDK reads as none.
  if (name === 'LocationConstraint') return headerText
  // The SDK does not escape line ends in attributes.
  if (attribute) return headerText
  if (binding.to === 'payload' && shape.kind === 'string') return anyText.filter((text) => text !== '')
  // An empty flattened list is no element at all, so it cannot be told from an absent one.
  return shapeArbitrary(shape, binding, flattened ? 1 : 0)
}

function queryText(name: string): fc.Arbitrary<string> {
  return name.startsWith('Response') ? headerText : anyText.filter((text) => text !== '')
}

const anyText = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 24 }), fc.constantFrom(' a b ', 'x\ty', 'a\rb', 'a\r\nb', '"&<>\'', 'ü+%2F//..', ']]>', '\u{1f600}'))
const headerText = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)

function isTrimmed(text: string): boolean {
  return text.trim() === text && text !== ''
}

function headerArbitrary(shape: Shape): fc.Arbitrary<unknown> {
  if (shape.kind === 'string') return headerText
  if (shape.kind === 'list') return fc.array(fc.stringMatching(/^[A-Za-z]{1,12}$/), { minLength: 1, maxLength: 3 })
  return shapeArbitrary(shape, { to: 'header', name: '' })
}

function shapeArbitrary(shape: Shape, binding: Binding, minimumLength = 0): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'structure': return structureArbitrary(shape)
    case 'list': return fc.array(shapeArbitrary(shape.item.shape, binding), { minLength: minimumLength, maxLength: 3 })
    case 'map': return fc.dictionary(anyText, shapeArbitrary(shape.value.shape, binding), { maxKeys: 3 })
    case 'boolean': return fc.boolean()
    case 'number': return fc.oneof(fc.nat(), fc.maxSafeNat())
    case 'timestamp': return timestampArbitrary(shape.format === 'http-date' || (binding.to !== 'body' && binding.to !== 'payload'))
    case 'blob': return fc.constant(Buffer.from('bytes'))
    case 'string':
    case 'document':
    case 'unit':
      return anyText
  }
}

function timestampArbitrary(wholeSeconds: boolean): fc.Arbitrary<Date> {
  return fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => new Date(wholeSeconds ? ms - (ms % 1000) : ms))
}
