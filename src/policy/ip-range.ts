import { isIP } from 'node:net'

/** Addresses of one family as numbers; IPv4 in IPv6 (`::ffff:1.2.3.4`) counts as IPv4. */
export interface IpRange {
  readonly bits: 32 | 128
  readonly first: bigint
  readonly last: bigint
}

/** An address, or CIDR with a prefix length. Undefined: neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', length, ...rest] = text.split('/')
  const parsed = parseAddress(address)
  if (parsed === undefined || rest.length > 0) return undefined
  const { bits, value } = parsed
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined
  const given = length === undefined ? bits : Number(length)
  const kept = bits === 32 && address.includes(':') && length !== undefined ? given - 96 : given
  if (kept < 0 || kept > bits) return undefined
  const size = 1n << BigInt(bits - kept)
  const first = (value / size) * size
  return { bits, first, last: first + size - 1n }
}

export function containsAddress({ bits, first, last }: IpRange, address: string): boolean {
  const parsed = parseAddress(address)
  return parsed !== undefined && parsed.bits === bits && parsed.value >= first && parsed.value <= last
}

function parseAddress(text: string): { readonly bits: 32 | 128; readonly value: bigint } | undefined {
  const family = isIP(text)
  if (family === 4) return { bits: 32, value: ofIpv4(text) }
  if (family !== 6 || text.includes('%')) return undefined
  const value = ofIpv6(text)
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value }
}

function ofIpv4(text: string): bigint {
  return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function ofIpv6(text: string): bigint {
  const dotted = /[^:]*\.[^:]*$/.exec(text)?.[0]
  const low = dotted === undefined ? undefined : ofIpv4(dotted)
  const plain = dotted === undefined || low === undefined ? text : `${text.slice(0, -dotted.length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`
  const [head = '', tail] = plain.split('::')
  const groupsOf = (part: string) => (part === '' ? [] : part.split(':'))
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after]
  return groups.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n)
}
