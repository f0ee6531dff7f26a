import { createCipheriv, createDecipheriv } from 'node:crypto'
import { assert } from '../../base/assert.ts'
import type { KeyManagement, WrappedKey } from '../../base/key-management.ts'
import type { Random } from '../../base/random.ts'
import type { Engine } from '../../engine/index.ts'

/**
 * Seals secrets for rows: AES-256-GCM under a data key of the deployment, which is kept wrapped by a master key and
 * unwrapped once for each process, and wrapped anew when the master key has changed. A sealed secret opens only for the purpose (its row's key) that it was sealed for.
 */
export interface SecretBox {
  seal(secret: Uint8Array, purpose: Uint8Array): Buffer
  /** `undefined`: it was changed, or sealed for another purpose or deployment. */
  open(sealed: Uint8Array, purpose: Uint8Array): Buffer | undefined
}

const row = Buffer.from('identity/secrets-key')
const context = { purpose: 'moraine secrets' }
/** The row: this byte, then JSON. */
const rowFormat = 1
/** A sealed secret: this byte, nonce, ciphertext, tag. */
const sealedFormat = 1
const nonceBytes = 12
const tagBytes = 16

interface KeyRow {
  readonly keyName: string
  /** Base64. */
  readonly wrapped: string
}

/** Throws `KeyManagementError` when the master key is not the one that the deployment was made with. */
export async function openSecretBox({ engine, keys, random }: { readonly engine: Pick<Engine, 'transact'>; readonly keys: KeyManagement; readonly random: Random }): Promise<SecretBox> {
  const key = await engine.transact(async ({ extensions }) => {
    const stored = await extensions.get(row)
    if (stored !== undefined) {
      assert(stored[0] === rowFormat, 'the row of the secrets key has format 1')
      const { keyName, wrapped: text } = JSON.parse(stored.toString('utf8', 1)) as KeyRow
      const wrapped = Buffer.from(text, 'base64')
      const key = await keys.unwrapDataKey({ keyName, wrapped }, context)
      // Once it is wrapped by the newest master key, the ones before can be taken away.
      if (!keys.isCurrent({ keyName, wrapped })) extensions.put(row, encodeKeyRow(await keys.wrapDataKey(key, context)))
      return key
    }
    const { plaintext, ...wrapped } = await keys.generateDataKey({ context })
    extensions.put(row, encodeKeyRow(wrapped))
    return plaintext
  })
  return secretBox(key, random)
}

function encodeKeyRow({ keyName, wrapped }: WrappedKey): Buffer {
  const value: KeyRow = { keyName, wrapped: wrapped.toString('base64') }
  return Buffer.concat([Buffer.of(rowFormat), Buffer.from(JSON.stringify(value))])
}

export function secretBox(key: Buffer, random: Random): SecretBox {
  return {
    seal(secret, purpose) {
      const nonce = Buffer.from(random.bytes(nonceBytes))
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(purpose)
      return Buffer.concat([Buffer.of(sealedFormat), nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
    },
    open(sealed, purpose) {
      if (sealed[0] !== sealedFormat || sealed.length < 1 + nonceBytes + tagBytes) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + nonceBytes), { authTagLength: tagBytes })
      decipher.setAAD(purpose)
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes, -tagBytes)), decipher.final()])
      } catch {
        return undefined
      }
    },
  }
}
