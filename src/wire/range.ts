/**
 * What a Range header asks of `sizeBytes` bytes. `whole`: no range that could be honoured, the answer is 200 with all
 * bytes. `unsatisfiable`: 416 with a Content-Range that names the size.
 */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'range'; readonly offset: number; readonly length: number }
  | { readonly kind: 'unsatisfiable' }

const whole: ByteRange = { kind: 'whole' }
const unsatisfiable: ByteRange = { kind: 'unsatisfiable' }

/**
 * RFC 9110 §14.2 as S3 does it: a malformed header and several ranges are ignored (S3 does not answer
 * multipart/byteranges), a suffix is cut to the object, a suffix of zero or a start past the end is 416.
 */
export function parseRange(header: string, sizeBytes: number): ByteRange {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header.trim())
  if (match === null) return whole
  const [, first = '', last = ''] = match
  if (first === '') return last === '' ? whole : suffixOf(Number(last), sizeBytes)
  const offset = Number(first)
  if (last !== '' && Number(last) < offset) return whole
  if (offset >= sizeBytes) return unsatisfiable
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  return { kind: 'range', offset, length: end - offset + 1 }
}

function suffixOf(suffixBytes: number, sizeBytes: number): ByteRange {
  if (suffixBytes === 0 || sizeBytes === 0) return unsatisfiable
  const length = Math.min(suffixBytes, sizeBytes)
  return { kind: 'range', offset: sizeBytes - length, length }
}
