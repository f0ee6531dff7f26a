/** Percent-encoding as SigV4 wants it: all bytes but `A-Z a-z 0-9 - . _ ~`, hex digits in upper case. */

const encodedBytes: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

const hexValue = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const percent = 37

const canonicalPath = /^[A-Za-z0-9\-._~/]*$/
const canonicalComponent = /^[A-Za-z0-9\-._~]*$/

/**
 * A path as a request line carries it, decoded and encoded again, slashes kept: `a+b%7e` becomes
 * `a%2Bb~`. A `%` that starts no escape stands for itself. `text` has one character per byte.
 */
export function canonicalEncodePath(text: string): string {
  return canonicalPath.test(text) ? text : reencode(text, '/', '%2B')
}

/** A query name or value, decoded (`+` is a space) and encoded again. */
export function canonicalEncodeComponent(text: string): string {
  return canonicalComponent.test(text) ? text : reencode(text, '%2F', '%20')
}

function reencode(text: string, slash: string, plus: string): string {
  let encoded = ''
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index)
    if (code === percent) {
      const high = hexValue(text.charCodeAt(index + 1))
      const low = hexValue(text.charCodeAt(index + 2))
      if (high >= 0 && low >= 0) {
        code = high * 16 + low
        index += 2
        encoded += code === 47 ? slash : encodedBytes[code]
        continue
      }
    }
    encoded += code === 43 ? plus : code === 47 ? slash : encodedBytes[code & 255]
  }
  return encoded
}

/** Encodes once more what is already encoded, slashes kept: `%1F` becomes `%251F`. */
export function encodePathAgain(text: string): string {
  if (canonicalPath.test(text)) return text
  let encoded = ''
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    encoded += code === 47 ? '/' : (encodedBytes[code & 255] ?? '')
  }
  return encoded
}

/** Percent-decodes a query name or value into text (UTF-8); `+` is a space. */
export function decodeComponent(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  const bytes = Buffer.alloc(text.length)
  let length = 0
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index)
    if (code === 43) code = 32
    else if (code === percent) {
      const high = hexValue(text.charCodeAt(index + 1))
      const low = hexValue(text.charCodeAt(index + 2))
      if (high >= 0 && low >= 0) {
        code = high * 16 + low
        index += 2
      }
    }
    bytes[length++] = code
  }
  return bytes.toString('utf8', 0, length)
}
