import { S3Error } from './errors.ts'
import { decodeUtf8 } from './percent.ts'

/** What a request is about. `key` is never empty: `/bucket/` is the bucket. */
export type Address =
  | { readonly kind: 'service' }
  | { readonly kind: 'bucket'; readonly bucket: string; readonly style: AddressStyle }
  | { readonly kind: 'object'; readonly bucket: string; readonly key: string; readonly style: AddressStyle }

export type AddressStyle = 'path' | 'virtualHost'

/** The longest key, in UTF-8 bytes. */
export const maximumKeyBytes = 1024

/**
 * The bucket and key of a request. `path` is the raw path of the request target: nothing is normalized, `//`, `.`,
 * `..` and `%2F` belong to the key. `domains` are the host names under which `BUCKET.domain` is a bucket.
 * The bucket's name is not validated. Errors: `InvalidURI`, `KeyTooLongError`.
 */
export function parseAddress(request: { readonly host: string; readonly path: string; readonly domains: readonly string[] }): Address {
  const path = pathOf(request.path)
  const bucket = bucketOfHost(request.host, request.domains)
  if (bucket !== undefined) return addressOf(bucket, path.slice(1), 'virtualHost')
  if (path === '/') return { kind: 'service' }
  const slash = path.indexOf('/', 1)
  if (slash < 0) return addressOf(decodeUtf8(path.slice(1)), '', 'path')
  return addressOf(decodeUtf8(path.slice(1, slash)), path.slice(slash + 1), 'path')
}

function addressOf(bucket: string, rawKey: string, style: AddressStyle): Address {
  if (rawKey === '') return { kind: 'bucket', bucket, style }
  const key = decodeUtf8(rawKey)
  if (key.length > maximumKeyBytes / 3 && Buffer.byteLength(key) > maximumKeyBytes) {
    throw new S3Error('KeyTooLongError', undefined, { Size: Buffer.byteLength(key), MaxSizeAllowed: maximumKeyBytes })
  }
  return { kind: 'object', bucket, key, style }
}

/** A proxy's absolute target (`http://host/path`) is reduced to its path. */
function pathOf(raw: string): string {
  if (raw.startsWith('/')) return raw
  const absolute = /^https?:\/\/[^/]*(\/.*)?$/i.exec(raw)
  if (absolute === null) throw new S3Error('InvalidURI')
  return absolute[1] ?? '/'
}

function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  if (domains.length === 0) return undefined
  const name = hostName(host).toLowerCase()
  // A domain may lie under another (`s3.example`, `eu.s3.example`): the longest match names the bucket.
  let longest: string | undefined
  for (const domain of domains) {
    if (name === domain) return undefined
    if (name.endsWith(`.${domain}`) && domain.length > (longest?.length ?? 0)) longest = domain
  }
  return longest === undefined ? undefined : name.slice(0, -longest.length - 1)
}

/** The host without its port; brackets of an IPv6 literal stay. */
function hostName(host: string): string {
  if (host.startsWith('[')) return host.slice(0, host.indexOf(']') + 1)
  const colon = host.indexOf(':')
  return colon < 0 ? host : host.slice(0, colon)
}
