import { S3Error } from './errors.ts'

/** Percent-decoding of UTF-8; a broken escape or byte sequence is `InvalidURI`. `+` is a plus sign. */
export function decodeUtf8(raw: string): string {
  if (!raw.includes('%') && isAscii(raw)) return raw
  try {
    // Some clients send UTF-8 unescaped; HTTP parsers hand such bytes over as Latin-1.
    return decodeURIComponent(isAscii(raw) ? raw : escapeLatin1(raw))
  } catch {
    throw new S3Error('InvalidURI')
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function escapeLatin1(raw: string): string {
  return raw.replace(/[\u0080-\uffff]/g, (character) => {
    const byte = character.charCodeAt(0)
    if (byte > 0xff) throw new S3Error('InvalidURI')
    return `%${byte.toString(16)}`
  })
}

/**
 * Names in a listing with `encoding-type=url`: as AWS, letters, digits and `-_.*` + `/` stay,
 * a space becomes `+`, all else its UTF-8 bytes as `%XX`.
 */
export function encodeListingName(name: string): string {
  return encodeURIComponent(name)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
}
