import { assert } from './assert.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/**
 * ULIDs (github.com/ulid/spec): 26 characters of Crockford's base 32, 48 bits of milliseconds
 * since the epoch, then 80 random bits. They sort by time; within one millisecond in no order.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeChars = 10
const randomBytes = 10

export const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

export function ulid(clock: Clock, random: Random): string {
  const bytes = random.bytes(randomBytes)
  return encodeTime(Math.floor(clock.nowMs())) + encodeFive(bytes, 0) + encodeFive(bytes, 5)
}

/** The milliseconds since the epoch that a ULID begins with. */
export function ulidTimeMs(id: string): number {
  assert(ulidPattern.test(id), 'not a ULID')
  let timeMs = 0
  for (let i = 0; i < timeChars; i++) timeMs = timeMs * 32 + alphabet.indexOf(id.charAt(i))
  return timeMs
}

function encodeTime(timeMs: number): string {
  assert(timeMs >= 0 && timeMs < 2 ** 48, 'the clock is outside the range of ULIDs')
  let encoded = ''
  for (let i = 0, rest = timeMs; i < timeChars; i++, rest = Math.floor(rest / 32)) {
    encoded = alphabet.charAt(rest % 32) + encoded
  }
  return encoded
}

/** Five bytes are eight characters. */
function encodeFive(bytes: Uint8Array, start: number): string {
  let rest = 0
  for (let i = 0; i < 5; i++) rest = rest * 256 + (bytes[start + i] ?? 0)
  let encoded = ''
  for (let i = 0; i < 8; i++, rest = Math.floor(rest / 32)) encoded = alphabet.charAt(rest % 32) + encoded
  return encoded
}
