import fc from 'fast-check'
import { expect, it } from 'vitest'
import { escapeText, unescapeText } from './xml-text.ts'

it('escapes what a parser would take or change', () => {
  expect(escapeText('a<b>&"c\'\r\n\t\u0001')).toBe('a&lt;b&gt;&amp;&quot;c\'&#xd;\n\t&#x1;')
  expect(escapeText('"etag"')).toBe('&quot;etag&quot;')
})

it.each(['&', '&foo;', '&amp', 'a & b', '&#;', '&#x;', '&#xd800;', '&#x110000;', '&#0;', '&#12345678;', '&&amp;'])('%s is no reference', (text) => {
  expect(unescapeText(text)).toBeUndefined()
})

it('is undone', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => text.includes('\0') || unescapeText(escapeText(text)) === text))
  expect(unescapeText('&apos;&#65;&#x1F600;')).toBe("'A\u{1f600}")
})
