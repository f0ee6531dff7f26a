/**
 * Metadata values that are not printable US-ASCII travel as RFC 2047 encoded words, as S3 sends and reads them:
 * `=?UTF-8?B?…?=`, in either encoding (B, Q), in UTF-8, US-ASCII or ISO-8859-1.
 */
export function decodeHeaderText(latin1: string): string {
  const text = decodeRawUtf8(latin1)
  if (!text.includes('=?')) return text
  // White space between two encoded words separates them and belongs to neither (RFC 2047 §6.2).
  const joined = text.replace(/(=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)[ \t]+(?==\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)/g, '$1')
  return joined.replace(/=\?([^?\s]+)\?([BbQq])\?([^?\s]*)\?=/g, (word, charset: string, encoding: string, encoded: string) => decodeWord(charset, encoding, encoded) ?? word)
}

/** Printable ASCII as it is, anything else as encoded words of at most 75 characters. */
export function encodeHeaderText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('=?')) return text
  const words: string[] = []
  let word = ''
  for (const character of text) {
    if (Buffer.byteLength(word + character) > maximumWordBytes) {
      words.push(word)
      word = ''
    }
    word += character
  }
  words.push(word)
  return words.map((each) => `=?UTF-8?B?${Buffer.from(each).toString('base64')}?=`).join(' ')
}

/** 75 characters less `=?UTF-8?B?` and `?=`, in base64. */
const maximumWordBytes = 45

/** Some clients send UTF-8 bytes as they are; the HTTP parser hands them over as Latin-1. */
function decodeRawUtf8(latin1: string): string {
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1
  try {
    return strictUtf8.decode(Buffer.from(latin1, 'latin1'))
  } catch {
    return latin1
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeWord(charset: string, encoding: string, encoded: string): string | undefined {
  const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(encoded, 'base64') : decodeQ(encoded)
  switch (charset.toLowerCase()) {
    case 'utf-8':
    case 'us-ascii':
      try {
        return strictUtf8.decode(bytes)
      } catch {
        return undefined
      }
    case 'iso-8859-1':
      return bytes.toString('latin1')
    default:
      return undefined
  }
}

function decodeQ(encoded: string): Buffer {
  const latin1 = encoded
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(latin1, 'latin1')
}
