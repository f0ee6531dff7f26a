/**
 * Master keys as text: a keyring file (JSON, several versions of each key, the last one wraps), or the short form
 * `NAME:BASE64` with commas between, as MinIO writes its one key. Pure; no message shows a key.
 */
export interface Keyring {
  readonly defaultKeyName: string
  /** Each version has 32 bytes; the last is the one that wraps. */
  readonly keys: ReadonlyMap<string, readonly Buffer[]>
}

/** `message` says what is wrong with the text, without its keys. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

export const masterKeyBytes = 32
const namePattern = /^[A-Za-z0-9][\w./-]{0,254}$/

/** `NAME:BASE64[,NAME:BASE64]`: the first is the default. The same name again is a later version of it. */
export function parseKeyList(text: string): Keyring {
  const keys = new Map<string, Buffer[]>()
  for (const piece of text.split(',')) {
    const colon = piece.indexOf(':')
    const name = piece.slice(0, Math.max(colon, 0)).trim()
    if (colon < 0 || !namePattern.test(name)) throw new KeyringError('expected NAME:BASE64 with commas between')
    keys.set(name, [...(keys.get(name) ?? []), parseMasterKey(name, piece.slice(colon + 1).trim())])
  }
  return ringOf(keys, undefined)
}

interface KeyringDocument {
  readonly moraineKeyring: 1
  readonly defaultKey: string
  readonly keys: Readonly<Record<string, readonly string[]>>
}

export function parseKeyring(text: string): Keyring {
  let document: Partial<KeyringDocument> | null
  try {
    document = JSON.parse(text) as Partial<KeyringDocument> | null
  } catch {
    throw new KeyringError('it is not JSON')
  }
  if (document === null || typeof document !== 'object' || document.moraineKeyring !== 1) throw new KeyringError('it is not a keyring of format 1')
  const keys = new Map<string, Buffer[]>()
  for (const [name, versions] of Object.entries(document.keys ?? {})) {
    if (!namePattern.test(name) || !Array.isArray(versions) || versions.length === 0) throw new KeyringError(`the key ${JSON.stringify(name)} is malformed`)
    keys.set(name, versions.map((version: unknown) => parseMasterKey(name, typeof version === 'string' ? version : '')))
  }
  return ringOf(keys, document.defaultKey)
}

export function stringifyKeyring({ defaultKeyName, keys }: Keyring): string {
  const texts = Object.fromEntries([...keys].map(([name, versions]) => [name, versions.map(version => version.toString('base64'))]))
  return `${JSON.stringify({ moraineKeyring: 1, defaultKey: defaultKeyName, keys: texts } satisfies KeyringDocument, undefined, 2)}\n`
}

function ringOf(keys: ReadonlyMap<string, readonly Buffer[]>, named: unknown): Keyring {
  const defaultKeyName = named ?? keys.keys().next().value
  if (typeof defaultKeyName !== 'string' || !keys.has(defaultKeyName)) throw new KeyringError('there is no default key')
  return { defaultKeyName, keys }
}

function parseMasterKey(name: string, text: string): Buffer {
  const key = Buffer.from(text, 'base64')
  if (key.length !== masterKeyBytes || !/^[A-Za-z0-9+/]+=*$/.test(text)) throw new KeyringError(`the key ${name} is not ${masterKeyBytes} bytes in Base64`)
  return key
}
