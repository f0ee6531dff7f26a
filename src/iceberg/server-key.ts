import type { Random } from '../../base/random.ts'
import type { Engine } from '../../engine/index.ts'

const serverKeyRow = Buffer.from('iceberg-server-key')
const serverKeyBytes = 32

/** The key that signs access tokens: made once, stored with everything else, the same on every worker. */
export function ensureServerKey(engine: Pick<Engine, 'transact'>, random: Random): Promise<Uint8Array> {
  return engine.transact(async ({ extensions }) => {
    const stored = await extensions.get(serverKeyRow)
    if (stored !== undefined) return stored
    const created = Buffer.from(random.bytes(serverKeyBytes))
    extensions.put(serverKeyRow, created)
    return created
  })
}
