import { join } from 'node:path'
import type { KeyManagement } from '../../base/key-management.ts'
import type { Random } from '../../base/random.ts'
import { copyKeyringFiles, ensureKeyringFiles, readKeyringFiles } from './keyring-files.ts'
import { parseKeyList } from './keyring.ts'
import { localKeyring } from './local-keyring.ts'

export interface KeyringPlace {
  /** Keys as text, which win; from the environment or a file. */
  readonly masterKeys: string | undefined
  readonly keyring: string | undefined
  readonly drives: readonly string[]
}

const fileName = 'keyring.json'

/** The master keys of a deployment. `make` makes them when there are none; `share` and it give each drive its copy. Throws `KeyringError`. */
export function openKeyring({ masterKeys, keyring, drives }: KeyringPlace, random: Random, how: 'make' | 'share' | 'open'): KeyManagement {
  if (masterKeys !== undefined) return localKeyring(parseKeyList(masterKeys), random)
  const paths = keyring === undefined ? pathsOf(drives) : [keyring]
  return localKeyring(how === 'open' ? readKeyringFiles(paths) : ensureKeyringFiles(paths, random, how === 'make'), random)
}

/** Gives drives that were replaced their copy of the keyring: it has to outlive the others. Does nothing where it is kept elsewhere. `asked`: see `copyKeyringFiles`. */
export async function shareKeyring({ masterKeys, keyring, drives }: KeyringPlace, asked: Set<string>): Promise<void> {
  if (masterKeys === undefined && keyring === undefined) await copyKeyringFiles(pathsOf(drives), asked)
}

function pathsOf(drives: readonly string[]): string[] {
  return drives.map(drive => join(drive, fileName))
}
