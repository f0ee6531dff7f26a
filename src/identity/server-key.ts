import { must } from '../../base/assert.ts'
import type { Random } from '../../base/random.ts'
import type { Engine } from '../../engine/index.ts'
import type { SecretBox } from './secret-box.ts'

const row = Buffer.from('identity/server-key')
const keyBytes = 32
/** The row: this byte, then the key as it is. Read, and sealed at the next start. */
const plainFormat = 1
/** The row: this byte, then the sealed key. */
const sealedFormat = 2

/** The deployment's own secret, which ties access tokens to their access keys: generated once, the same in every process, sealed in its row. */
export function ensureServerKey(engine: Pick<Engine, 'transact'>, box: SecretBox, random: Random): Promise<Buffer> {
  return engine.transact(async ({ extensions }) => {
    const stored = await extensions.get(row)
    if (stored?.[0] === sealedFormat) return must(box.open(stored.subarray(1), row), 'the server key was sealed by this deployment')
    const key = stored?.[0] === plainFormat ? Buffer.from(stored.subarray(1)) : Buffer.from(random.bytes(keyBytes))
    extensions.put(row, Buffer.concat([Buffer.of(sealedFormat), box.seal(key, row)]))
    return key
  })
}

/** Whether something is sealed by the deployment's master keys. */
export async function hasSealedServerKey(engine: Pick<Engine, 'transact'>): Promise<boolean> {
  const stored = await engine.transact(({ extensions }) => extensions.get(row))
  return stored?.[0] === sealedFormat
}
