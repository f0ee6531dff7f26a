import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Random } from '../../base/random.ts'
import { KeyringError, masterKeyBytes, parseKeyring, stringifyKeyring, type Keyring } from './keyring.ts'

const generatedKeyName = 'moraine'

/**
 * The keyring that is kept in these files, each a copy: generated on the first start, and copied to those that lack
 * it (a replaced drive). Files are readable by their owner alone and on stable storage when this returns.
 * Throws `KeyringError` when a copy is damaged or differs, since a wrong key would lock secrets away.
 */
export function ensureKeyringFiles(paths: readonly string[], random: Random): Keyring {
  const texts = paths.map(readIfThere)
  const present = texts.filter(text => text !== undefined)
  const [first] = present
  if (present.some(text => text !== first)) throw new KeyringError(`the keyrings differ: ${paths.join(' ')}`)
  const text = first ?? stringifyKeyring(generate(random))
  const keyring = parseKeyring(text)
  for (const [index, path] of paths.entries()) if (texts[index] === undefined) writeDurably(path, text)
  return keyring
}

/** Throws `KeyringError`. */
export function readKeyringFile(path: string): Keyring {
  const text = readIfThere(path)
  if (text === undefined) throw new KeyringError(`${path}: there is no such file`)
  return parseKeyring(text)
}

function generate(random: Random): Keyring {
  return { defaultKeyName: generatedKeyName, keys: new Map([[generatedKeyName, [Buffer.from(random.bytes(masterKeyBytes))]]]) }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
