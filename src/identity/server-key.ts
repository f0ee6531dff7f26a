import type { Random } from '../../base/random.ts'
import type { Engine } from '../../engine/index.ts'

const row = Buffer.from('identity/server-key')
const keyBytes = 32
/** The row: this byte, then the key. */
const plainFormat = 1

/** The deployment's own secret, which signs access tokens: generated once, the same in every process. */
export function ensureServerKey(engine: Pick<Engine, 'transact'>, random: Random): Promise<Buffer> {
  return engine.transact(async ({ extensions }) => {
    const stored = await extensions.get(row)
    if (stored !== undefined) return stored.subarray(1)
    const key = Buffer.from(random.bytes(keyBytes))
    extensions.put(row, Buffer.concat([Buffer.of(plainFormat), key]))
    return key
  })
}
