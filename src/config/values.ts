/** Parsers of setting values: text in, value out, or a `ValueError` that says what was expected. */
import { isIP } from 'node:net'
import { hourMs, minuteMs, secondMs } from '../../base/units.ts'

export class ValueError extends Error {
  override readonly name = 'ValueError'
}

/** Where to listen. `host` undefined: every interface, IPv6 and IPv4. */
export interface ListenAddress {
  readonly host: string | undefined
  readonly port: number
}

/** `HOST:PORT`, `:PORT` or `[IPv6]:PORT`; port 0 takes a free one. */
export function parseAddress(text: string): ListenAddress {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:[\]]*)):(?<port>\d{1,5})$/.exec(text)
  const port = Number(match?.groups?.['port'])
  if (match === null || port > 65_535) throw new ValueError('expected HOST:PORT, :PORT or [IPv6]:PORT, such as 127.0.0.1:9000')
  const six = match.groups?.['six']
  if (six !== undefined && isIP(six) !== 6) throw new ValueError(`"${six}" is not an IPv6 address`)
  const host = six ?? match.groups?.['host'] ?? ''
  return { host: host === '' || host === '*' ? undefined : host, port }
}

export function isLoopback(address: ListenAddress): boolean {
  return address.host === 'localhost' || address.host === '::1' || (address.host !== undefined && /^127\.\d+\.\d+\.\d+$/.test(address.host))
}

/** The address as a URL's authority: IPv6 in brackets; every interface shown as the loopback one. */
export function authorityOf({ host = '127.0.0.1', port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

export function parseText(text: string): string {
  return text
}

export function parseSwitch(text: string): boolean {
  switch (text.toLowerCase()) {
    case 'on':
    case 'true':
    case 'yes':
    case '1':
      return true
    case 'off':
    case 'false':
    case 'no':
    case '0':
      return false
    default:
      throw new ValueError('expected on or off')
  }
}

export function countBetween(least: number, most: number): (text: string) => number {
  return text => {
    const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(count >= least && count <= most)) throw new ValueError(`expected a whole number from ${least} to ${most}`)
    return count
  }
}

/** `EC:2` or `2`. */
export function parseParity(text: string): number {
  const match = /^(?:EC:)?(\d)$/i.exec(text)
  const parity = Number(match?.[1] ?? Number.NaN)
  if (!(parity <= 8)) throw new ValueError('expected a number from 0 to 8, or EC:0 to EC:8')
  return parity
}

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: secondMs, m: minuteMs, h: hourMs }

/** `500ms`, `30s`, `5m`, `2h`: milliseconds. */
export function durationBetween(leastMs: number, mostMs: number): (text: string) => number {
  return text => {
    const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text)
    const durationMs = Number(match?.[1]) * (durationUnits[match?.[2] ?? ''] ?? Number.NaN)
    if (Number.isNaN(durationMs)) throw new ValueError('expected a duration such as 500ms, 30s, 5m or 2h')
    if (durationMs < leastMs || durationMs > mostMs) throw new ValueError(`expected a duration from ${showDuration(leastMs)} to ${showDuration(mostMs)}`)
    return durationMs
  }
}

export function showDuration(durationMs: number): string {
  if (durationMs % hourMs === 0) return `${durationMs / hourMs}h`
  if (durationMs % minuteMs === 0) return `${durationMs / minuteMs}m`
  return durationMs % secondMs === 0 ? `${durationMs / secondMs}s` : `${durationMs}ms`
}

export function oneOf<const Name extends string>(...names: readonly Name[]): (text: string) => Name {
  return text => {
    const found = names.find(name => name === text)
    if (found === undefined) throw new ValueError(`expected one of ${names.join(', ')}`)
    return found
  }
}

/** Names between commas; spaces around them do not count. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
}

export function parseDomains(text: string): readonly string[] {
  const domains = parseList(text).map(domain => domain.toLowerCase())
  for (const domain of domains) {
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(domain)) throw new ValueError(`"${domain}" is not a host name`)
  }
  return domains
}

export function parseRegion(text: string): string {
  if (!/^[a-z0-9-]{1,64}$/i.test(text)) throw new ValueError('expected letters, digits and hyphens, such as eu-central-1')
  return text
}

/** An origin such as `https://s3.example.org`, without a path. */
export function parseServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new ValueError('expected a URL such as https://s3.example.org')
  if (url.pathname !== '/' || url.search !== '' || url.username !== '') throw new ValueError('expected scheme, host and port only, such as https://s3.example.org')
  return url.origin
}

/** Any path, no credentials: those have a setting of their own, which is never shown. */
export function parseWebhookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new ValueError('expected a URL such as https://audit.example.org/moraine')
  if (url.username !== '' || url.password !== '' || url.hash !== '') throw new ValueError('expected a URL without credentials and fragment')
  return url.href
}

/** As of a webhook, but its answers must be its own: over the network they come by `https` only. */
export function parsePolicyServiceUrl(text: string): string {
  const url = new URL(parseWebhookUrl(text))
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) throw new ValueError('expected https: over http the network could answer in its name')
  return url.href
}

/** A bucket name by AWS's rules for general purpose buckets. */
export function parseBucketName(text: string): string {
  const legal = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text) && !text.includes('..') && isIP(text) === 0
  if (!legal) throw new ValueError(`"${text}" is not a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens`)
  return text
}

export function parseBucketNames(text: string): readonly string[] {
  return parseList(text).map(parseBucketName)
}
