import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { default as process } from 'node:process'
import type { Random } from '../../base/random.ts'
import { KeyringError, masterKeyBytes, parseKeyring, stringifyKeyring, type Keyring } from './keyring.ts'

const generatedKeyName = 'moraine'

/**
 * The keyring that is kept in these files, each a copy: generated on the first start, and copied to those that lack
 * it (a replaced drive). Files are readable by their owner alone and on stable storage when this returns.
 * Throws `KeyringError` when a copy is damaged or differs, since a wrong key would lock secrets away; and when there is
 * none and, without `mayMake`, secrets are sealed by the one that was.
 */
export function ensureKeyringFiles(paths: readonly string[], random: Random, mayMake = true): Keyring {
  const texts = paths.map(readIfThere)
  const present = texts.filter(text => text !== undefined)
  const [first] = present
  if (present.some(text => text !== first)) throw new KeyringError(`the keyrings differ: ${paths.join(' ')}`)
  if (first === undefined && !mayMake) throw new KeyringError(`the keyring is lost that secrets are sealed by: put it back as ${paths.join(' or ')}`)
  const text = first ?? stringifyKeyring(generate(random))
  const keyring = parseKeyring(text)
  for (const [index, path] of paths.entries()) if (texts[index] === undefined) writeDurably(path, text)
  return keyring
}

/** As the first of the files has it that is there: a drive that was replaced may not have its copy yet. Throws `KeyringError`. */
export function readKeyringFiles(paths: readonly string[]): Keyring {
  for (const path of paths) {
    const text = readUnlessFailing(path)
    if (text !== undefined) return parseKeyring(text)
  }
  throw new KeyringError(`${paths.join(' ')}: there is no such file`)
}

/**
 * Gives a copy to those that lack one, as soon as one is read that is there; none that is there is changed. None is asked again
 * that has not answered yet (`asked`): its drive may hang, and the others are not kept waiting for it. Throws what the system throws.
 */
export async function copyKeyringFiles(paths: readonly string[], asked = new Set<string>()): Promise<void> {
  const reads = paths.filter(path => !asked.has(path)).map(path => {
    asked.add(path)
    return { path, read: readFile(path, 'utf8').finally(() => asked.delete(path)) }
  })
  const text = await Promise.any(reads.map(({ read }) => read)).catch(() => undefined)
  if (text === undefined) return
  parseKeyring(text)
  await Promise.all(reads.map(async ({ path, read }) => {
    const isLacking = await read.then(() => false, (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT')
    if (isLacking) writeDurably(path, text)
  }))
}

/** A drive that fails has no say where there are others. */
function readUnlessFailing(path: string): string | undefined {
  try {
    return readIfThere(path)
  } catch {
    return undefined
  }
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
  // Of this process alone: another may be at the same.
  const temporary = `${path}.${process.pid}.new`
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
