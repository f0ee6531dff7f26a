import { createCipheriv, createDecipheriv } from 'node:crypto'
import { KeyManagementError, type KeyContext, type KeyManagement, type WrappedKey } from '../../base/key-management.ts'
import type { Random } from '../../base/random.ts'
import { masterKeyBytes, type Keyring } from './keyring.ts'

/** A wrapped key: this byte, the master key's version (2 bytes), nonce, AES-256-GCM ciphertext and tag. */
const format = 1
const headBytes = 3
const nonceBytes = 12
const tagBytes = 16
const wrappedBytes = headBytes + nonceBytes + masterKeyBytes + tagBytes

/** KeyManagement with its master keys in this process's memory. */
export function localKeyring({ defaultKeyName, keys }: Keyring, random: Random): KeyManagement {
  const versionsOf = (keyName: string): readonly Buffer[] => {
    const versions = keys.get(keyName)
    if (versions === undefined) throw new KeyManagementError('NoSuchKey', `there is no master key ${keyName}`)
    return versions
  }
  const wrap = (plaintext: Buffer, keyName: string, context: KeyContext): WrappedKey => {
    const versions = versionsOf(keyName)
    const version = versions.length - 1
    const head = Buffer.from([format, version >> 8, version & 0xff])
    const nonce = Buffer.from(random.bytes(nonceBytes))
    const cipher = createCipheriv('aes-256-gcm', versions[version] ?? Buffer.alloc(0), nonce)
    cipher.setAAD(boundTo(keyName, head, context))
    return { keyName, wrapped: Buffer.concat([head, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) }
  }
  return {
    defaultKeyName,
    keyNames: async () => [...keys.keys()].sort(),
    async generateDataKey({ keyName = defaultKeyName, context }) {
      const plaintext = Buffer.from(random.bytes(masterKeyBytes))
      return { plaintext, ...wrap(plaintext, keyName, context) }
    },
    wrapDataKey: async (plaintext, context) => wrap(plaintext, defaultKeyName, context),
    isCurrent: ({ keyName, wrapped }) => keyName === defaultKeyName && wrapped.length === wrappedBytes && wrapped.readUInt16BE(1) === versionsOf(keyName).length - 1,
    async unwrapDataKey({ keyName, wrapped }, context) {
      const versions = versionsOf(keyName)
      const master = wrapped.length === wrappedBytes && wrapped[0] === format ? versions[wrapped.readUInt16BE(1)] : undefined
      if (master === undefined) throw rejected()
      const head = wrapped.subarray(0, headBytes)
      const decipher = createDecipheriv('aes-256-gcm', master, wrapped.subarray(headBytes, headBytes + nonceBytes), { authTagLength: tagBytes })
      decipher.setAAD(boundTo(keyName, head, context))
      decipher.setAuthTag(wrapped.subarray(-tagBytes))
      try {
        return Buffer.concat([decipher.update(wrapped.subarray(headBytes + nonceBytes, -tagBytes)), decipher.final()])
      } catch {
        throw rejected()
      }
    },
  }
}

function rejected(): KeyManagementError {
  return new KeyManagementError('Rejected', 'the wrapped key was changed, or is for another purpose')
}

function boundTo(keyName: string, head: Buffer, context: KeyContext): Buffer {
  const pairs = Object.entries(context).sort(([left], [right]) => (left < right ? -1 : 1))
  return Buffer.concat([head, Buffer.from(JSON.stringify([keyName, pairs]))])
}
