import { join } from 'node:path'
import type { KeyManagement } from '../../base/key-management.ts'
import type { Random } from '../../base/random.ts'
import { ensureKeyringFiles, readKeyringFile } from './keyring-files.ts'
import { parseKeyList } from './keyring.ts'
import { localKeyring } from './local-keyring.ts'

export interface KeyringPlace {
  /** Keys as text, which win; from the environment or a file. */
  readonly masterKeys: string | undefined
  readonly keyring: string | undefined
  readonly drives: readonly string[]
}

const fileName = 'keyring.json'

/** The master keys of a deployment. `prepare` makes them when there are none. Throws `KeyringError`. */
export function openKeyring({ masterKeys, keyring, drives }: KeyringPlace, random: Random, how: 'prepare' | 'open'): KeyManagement {
  if (masterKeys !== undefined) return localKeyring(parseKeyList(masterKeys), random)
  const paths = keyring === undefined ? drives.map(drive => join(drive, fileName)) : [keyring]
  if (how === 'prepare') return localKeyring(ensureKeyringFiles(paths, random), random)
  return localKeyring(readKeyringFile(paths[0] ?? fileName), random)
}
