/**
 * Escaping for XML text and double-quoted attributes. Carriage returns and characters that XML 1.0 cannot carry
 * are written as character references, as AWS does: a strict parser refuses the latter, so listings with such keys
 * want `encoding-type=url`.
 */
export function escapeText(text: string): string {
  if (mustEscape.test(text)) return text.replace(mustEscapeAll, escapeCharacter)
  // ETags have quotes and nothing else.
  return text.includes('"') ? text.replaceAll('"', '&quot;') : text
}

const mustEscape = /[&<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
const mustEscapeAll = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

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
  if (strayReference.test(text)) return undefined
  let representable = true
  const unescaped = text.replace(/&(?:(\w+)|#(?:x([0-9a-fA-F]+)|([0-9]+)));/g, (_, name: string | undefined, hex: string | undefined, decimal: string) => {
    if (name !== undefined) return predefined[name] ?? ''
    const character = characterOf(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
    if (character === undefined) representable = false
    return character ?? ''
  })
  return representable ? unescaped : undefined
}

const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const strayReference = /&(?!(?:amp|lt|gt|quot|apos|#x[0-9a-fA-F]{1,6}|#[0-9]{1,7});)/

/** NUL and surrogates are no characters in any version of XML; other control characters are in 1.1, and in keys. */
function characterOf(codePoint: number): string | undefined {
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff
  return codePoint === 0 || codePoint > 0x10ffff || isSurrogate ? undefined : String.fromCodePoint(codePoint)
}
