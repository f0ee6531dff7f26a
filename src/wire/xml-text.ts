/**
 * Escaping for XML text and double-quoted attributes. Carriage returns and characters that XML 1.0 cannot carry
 * are written as character references, as AWS does: a strict parser refuses the latter, so listings with such keys
 * want `encoding-type=url`.
 */
export function escapeText(text: string): string {
  return mustEscape.test(text) ? text.replace(mustEscapeAll, escapeCharacter) : text
}

const mustEscape = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
const mustEscapeAll = new RegExp(mustEscape, 'g')

function escapeCharacter(character: string): string {
  switch (character) {
    case '&': return '&amp;'
    case '<': return '&lt;'
    case '>': return '&gt;'
    case '"': return '&quot;'
    default: return `&#x${character.charCodeAt(0).toString(16)};`
  }
}

/** The five predefined entities and character references; anything else is `undefined`. */
export function unescapeText(text: string): string | undefined {
  if (!text.includes('&')) return text
  let wellFormed = true
  const unescaped = text.replace(/&([^;&]{0,10};?)/g, (_, reference: string) => {
    const character = resolveReference(reference)
    if (character === undefined) wellFormed = false
    return character ?? ''
  })
  return wellFormed ? unescaped : undefined
}

function resolveReference(reference: string): string | undefined {
  switch (reference) {
    case 'amp;': return '&'
    case 'lt;': return '<'
    case 'gt;': return '>'
    case 'quot;': return '"'
    case 'apos;': return "'"
    default: return resolveCharacterReference(reference)
  }
}

function resolveCharacterReference(reference: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}));$/.exec(reference)
  if (match === null) return undefined
  const codePoint = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16)
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff
  return codePoint > 0x10ffff || isSurrogate ? undefined : String.fromCodePoint(codePoint)
}
