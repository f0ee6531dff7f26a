import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { S3Error } from './errors.ts'
import { defaultXmlLimits, parseXml } from './parse-xml.ts'
import type { XmlElement, XmlLimits } from './parse-xml.ts'
import { escapeText } from './xml-text.ts'

const parse = (text: string, limits?: XmlLimits) => parseXml(Buffer.from(text), limits)
const malformed = expect.objectContaining({ code: 'MalformedXML' })

describe('parseXml', () => {
  it('keeps white space and decodes what is predefined', () => {
    expect(parse('\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- c --><s3:A xmlns:s3="u"><B> a &amp; \u{1f600}\t<![CDATA[<&x;]]> </B><B/><C xsi:type="q&quot;"/></s3:A>\n')).toEqual({
      name: 'A',
      attributes: { s3: 'u' },
      text: '',
      children: [
        { name: 'B', attributes: {}, children: [], text: ' a & \u{1f600}\t<&x; ' },
        { name: 'B', attributes: {}, children: [], text: '' },
        { name: 'C', attributes: { type: 'q"' }, children: [], text: '' },
      ],
    })
  })

  it.each([
    '', ' ', 'text', '<a', '<a>', '</a>', '<a></b>', '<a><b></a></b>', '<a/><b/>', 'x<a/>', '<a/>x', '<a x=1/>', '<a x/>', '<a></a', '<a>&foo;</a>', '<a>&</a>',
    '<a>\u0001</a>', '<a>&#0;</a>', '<1/>', '<a><!-- </a>', '<a><![CDATA[</a>', '<a>]]&gt;</a><!', '<?xml version="1.0" encoding="UTF-16"?><a/>', '<?xml version="1.0"',
    '<a><?php x?></a>', '<!DOCTYPE a><a/>', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', '<a><!ENTITY b "c"></a>', '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
  ])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow(malformed)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseXml(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]))).toThrow(malformed)
  })

  it('bounds depth, elements and size', () => {
    const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth)
    expect(parse(nested(32)).name).toBe('a')
    expect(() => parse(nested(33))).toThrow(malformed)
    const limits = { ...defaultXmlLimits, elements: 3, bytes: 40 }
    expect(parse('<a><b/><b/></a>', limits).children).toHaveLength(2)
    expect(() => parse('<a><b/><b/><b/></a>', limits)).toThrow(malformed)
    expect(() => parse(`<a>${' '.repeat(40)}</a>`, limits)).toThrow(malformed)
  })

  it('reads any tree that is written', () => {
    fc.assert(fc.property(treeArbitrary, (tree) => {
      expect(withoutText(parse(write(tree)))).toEqual(tree)
    }))
  })

  it('throws nothing but its own errors', () => {
    const fragments = fc.constantFrom('<', '>', '</', '/>', '<a>', '</a>', '<a', ' x="', '"', "'", '=', '&', '&amp;', '&#x', ';', '<!--', '-->', '<![CDATA[', ']]>', '<!DOCTYPE', '<?xml', '?>', ' ', '\n', 'a', ':', '__proto__', '\u0000', 'ü')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: fragments, maxLength: 40 }), fc.string({ unit: fragments, maxLength: 40 }).map((inner) => `<a>${inner}</a>`), fc.string({ unit: 'binary' })), (text) => {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['spaces in a tag', `<a${' '.repeat(2_000_000)}`],
    ['attributes', `<a ${'x="" '.repeat(300_000)}/>`],
    ['names without values', `<a ${'x '.repeat(900_000)}`],
    ['opening brackets', `<a>${'<'.repeat(2_000_000)}`],
    ['ampersands', `<a>${'&'.repeat(2_000_000)}</a>`],
    ['references', `<a>${'&amp;'.repeat(400_000)}</a>`],
    ['comments', `<a>${'<!---->'.repeat(280_000)}</a>`],
    ['unfinished comments', `<a>${'<!--'.repeat(500_000)}`],
    ['character data sections', `<a>${'<![CDATA[]]>'.repeat(160_000)}</a>`],
    ['elements', `<a>${'<b/>'.repeat(199_000)}</a>`],
    ['declarations', `<?xml ${' '.repeat(2_000_000)}`],
    // One that is not linear takes minutes, and runs into the limit of the test.
  ])('takes bounded time for 2 MB of %s', { timeout: 30_000 }, (_, text) => {
    let refusal: unknown
    try {
      parse(text)
    } catch (error) {
      refusal = error
    }
    expect(refusal === undefined || refusal instanceof S3Error).toBe(true)
  })
})

/** A tree where only leaves have text. */
interface Tree {
  readonly name: string
  readonly children: readonly Tree[] | string
}

const nameArbitrary = fc.constantFrom('Key', 'Object', 'a', 'B-c.d', '_x', 'length')

const treeArbitrary = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    name: nameArbitrary,
    children: fc.oneof({ maxDepth: 3 }, fc.string({ unit: 'grapheme' }).filter((text) => !/[\u0000-\u001f]/.test(text)), fc.array(tie('tree'), { minLength: 1, maxLength: 4 })),
  }),
})).tree

function write({ name, children }: Tree): string {
  return `<${name}>${typeof children === 'string' ? escapeText(children) : children.map(write).join('')}</${name}>`
}

function withoutText({ name, children, text }: XmlElement): Tree {
  return { name, children: children.length === 0 ? text : children.map(withoutText) }
}
