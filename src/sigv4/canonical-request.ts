import type { RequestView } from './signed-request.ts'
import { canonicalEncodePath, encodePathAgain } from './uri-encoding.ts'

/**
 * The canonical request of SigV4
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html), for S3 without
 * path normalisation and encoded once, for other services normalised and encoded twice.
 *
 * Signers differ in how they encode rare characters, so several forms can be right: `form` 0 is
 * the specification's, higher ones are what some clients sign. All forms of one request say the
 * same thing, so accepting any of them gives nothing away. Undefined when there is no such form.
 */
export function canonicalRequest(view: RequestView, signed: SignedParts, form: number): string | undefined {
  const paths = signed.encodePathTwice ? twiceEncodedPaths : onceEncodedPaths
  const encodePath = paths[form]
  if (encodePath === undefined) return undefined
  const query = encodePath === rawPath ? rawQuery(view, signed.excludedParameter) : canonicalQuery(view, signed.excludedParameter)
  let headers = ''
  for (const name of signed.headerNames) {
    const value = view.headers.get(name)
    // A signed header that is gone leaves its line out, so that no signature can match.
    if (value !== undefined) headers += `${name}:${value}\n`
  }
  return `${view.method}\n${encodePath(view.path)}\n${query}\n${headers}\n${signed.headerNames.join(';')}\n${signed.payloadLine}`
}

export interface SignedParts {
  /** Lower case, in the order of the signature's own list. */
  readonly headerNames: readonly string[]
  readonly payloadLine: string
  readonly encodePathTwice: boolean
  /** `X-Amz-Signature` for a signature in the query. */
  readonly excludedParameter: string | undefined
}

const rawPath = (path: string): string => (path === '' ? '/' : path)
const onceEncoded = (path: string): string => (path === '' ? '/' : canonicalEncodePath(path))

const onceEncodedPaths = [onceEncoded, rawPath]
const twiceEncodedPaths = [
  (path: string): string => encodePathAgain(withoutDotSegments(path)),
  (path: string): string => encodePathAgain(rawPath(path)),
  onceEncoded,
  rawPath,
]

function withoutDotSegments(path: string): string {
  if (!path.includes('//') && !path.includes('/.')) return rawPath(path)
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`
}

function canonicalQuery(view: RequestView, excluded: string | undefined): string {
  if (view.query.length === 0) return ''
  const parameters = view.query.filter(({ name }) => name !== excluded)
  parameters.sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
  return parameters.map(({ name, value }) => `${name}=${value}`).join('&')
}

/** Sorted, but encoded as it was sent. */
function rawQuery(view: RequestView, excluded: string | undefined): string {
  if (view.rawQuery === '') return ''
  const parameters: { name: string; value: string }[] = []
  for (const piece of view.rawQuery.split('&')) {
    if (piece === '') continue
    const cut = piece.indexOf('=')
    const name = cut < 0 ? piece : piece.slice(0, cut)
    if (name !== excluded) parameters.push({ name, value: cut < 0 ? '' : piece.slice(cut + 1) })
  }
  parameters.sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
  return parameters.map(({ name, value }) => `${name}=${value}`).join('&')
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
