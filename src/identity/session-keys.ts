import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { dayMs } from '../../base/units.ts'
import type { Engine } from '../../engine/index.ts'
import type { SecretBox } from './secret-box.ts'

/** A key that seals session tokens, and its number, which tokens carry. */
export interface SessionKey {
  readonly number: number
  readonly createdAtMs: number
  readonly key: Buffer
}

export interface SessionKeys {
  /** The newest. */
  current(): Promise<SessionKey>
  /** `undefined`: never made, or dropped since no token of it can be valid. */
  get(number: number): Promise<Buffer | undefined>
  /** Makes a new key when the newest is old, and drops those that no valid token can have. One commit at most. */
  rotate(): Promise<void>
}

/** No session lives longer: MinIO's bound for AssumeRole. */
export const longestSessionMs = 365 * dayMs
export const rotationMs = 7 * dayMs
/** How long a worker goes on with the key that it knows as the newest. */
const rememberMs = 60_000
const keyBytes = 32

const prefix = 'identity/session-key/'
const rowOf = (number: number): Buffer => Buffer.from(prefix + String(number).padStart(8, '0'))
const range = { start: Buffer.from(prefix), end: Buffer.from('identity/session-key0') }

interface Parts {
  readonly engine: Pick<Engine, 'transact' | 'extensions'>
  readonly box: SecretBox
  readonly clock: Clock
  readonly random: Random
}

/** Keys of rows `identity/session-key/NUMBER`: sealed, written once, read by every worker. */
export function openSessionKeys({ engine, box, clock, random }: Parts): SessionKeys {
  const known = new Map<number, SessionKey>()
  let newest: { readonly key: SessionKey; readonly atMs: number } | undefined

  const read = (key: Buffer, value: Buffer): SessionKey | undefined => {
    const opened = box.open(value.subarray(8), key)
    return opened && { number: Number(key.toString('utf8', prefix.length)), createdAtMs: Number(value.readBigUInt64BE()), key: opened }
  }
  const make = async (isDue: (latest: SessionKey | undefined) => boolean): Promise<SessionKey | undefined> =>
    engine.transact(async ({ extensions }) => {
      const [last] = await extensions.list({ ...range, limit: 1, reverse: true })
      const latest = last && read(last.key, last.value)
      if (!isDue(latest)) return latest
      const made: SessionKey = { number: (latest?.number ?? 0) + 1, createdAtMs: clock.nowMs(), key: Buffer.from(random.bytes(keyBytes)) }
      const row = rowOf(made.number)
      extensions.requireEmpty({ start: row, end: range.end })
      const createdAt = Buffer.alloc(8)
      createdAt.writeBigUInt64BE(BigInt(made.createdAtMs))
      extensions.put(row, Buffer.concat([createdAt, box.seal(made.key, row)]))
      return made
    })
  return {
    async current() {
      if (newest !== undefined && clock.nowMs() - newest.atMs < rememberMs) return newest.key
      const key = await make(latest => latest === undefined)
      if (key === undefined) throw new Error('the newest session key cannot be opened')
      newest = { key, atMs: clock.nowMs() }
      known.set(key.number, key)
      return key
    },
    async get(number) {
      const remembered = known.get(number)
      if (remembered !== undefined) return remembered.key
      const row = rowOf(number)
      const value = await engine.extensions.get(row)
      const key = value && read(row, value)
      if (key !== undefined) known.set(number, key)
      return key?.key
    },
    async rotate() {
      const nowMs = clock.nowMs()
      await make(latest => latest === undefined || nowMs - latest.createdAtMs >= rotationMs)
      const rows = await engine.extensions.list({ ...range, limit: 100 })
      const over = rows.filter((row, index) => {
        // A key seals new tokens until the next one is known everywhere.
        const next = rows[index + 1]
        return next !== undefined && nowMs - Number(next.value.readBigUInt64BE()) > longestSessionMs + rotationMs
      })
      if (over.length === 0) return
      await engine.transact(async ({ extensions }) => {
        for (const { key } of over) extensions.delete(key)
      })
    },
  }
}
