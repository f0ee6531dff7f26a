import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keyManagementSuite } from '../../base/key-management-suite.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { systemRandom } from '../../base/system.ts'
import { copyKeyringFiles, ensureKeyringFiles, readKeyringFiles } from './keyring-files.ts'
import { KeyringError, parseKeyList, parseKeyring, stringifyKeyring } from './keyring.ts'
import { localKeyring } from './local-keyring.ts'

const keyOf = (fill: number): string => Buffer.alloc(32, fill).toString('base64')

keyManagementSuite('local keyring', {
  open: async () => {
    const keyring = parseKeyList(`one:${keyOf(1)},two:${keyOf(2)},one:${keyOf(3)}`)
    return { first: localKeyring(keyring, systemRandom), second: localKeyring(parseKeyring(stringifyKeyring(keyring)), systemRandom) }
  },
})

describe('master keys', () => {
  it('unwraps what an older version of the key wrapped', async () => {
    const before = localKeyring(parseKeyList(`one:${keyOf(1)}`), systemRandom)
    const after = localKeyring(parseKeyList(`one:${keyOf(1)},one:${keyOf(9)}`), systemRandom)
    const key = await before.generateDataKey({ context: {} })
    expect(await after.unwrapDataKey(key, {})).toEqual(key.plaintext)
  })

  it.each(['', 'one', `:${keyOf(1)}`, 'one:short', `one:${keyOf(1).slice(0, -4)}`, `a b:${keyOf(1)}`, `one:${keyOf(1)},`])('refuses the list %j', text => {
    expect(() => parseKeyList(text)).toThrow(KeyringError)
  })

  it.each(['', '{}', '[]', '{"moraineKeyring":2}', '{"moraineKeyring":1,"keys":{}}', '{"moraineKeyring":1,"defaultKey":"b","keys":{"a":["x"]}}'])('refuses the file %j', text => {
    expect(() => parseKeyring(text)).toThrow(KeyringError)
  })
})

describe('keyring files', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moraine-keyring-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('are generated once, for their owner alone, and copied to a drive that lacks them', () => {
    const [one, two] = [join(directory, 'one.json'), join(directory, 'two.json')]
    const keyring = ensureKeyringFiles([one], new SeededRandom(1))
    expect(statSync(one).mode & 0o777).toBe(0o600)
    expect(ensureKeyringFiles([one, two], new SeededRandom(2))).toEqual(keyring)
    expect(readFileSync(two, 'utf8')).toBe(readFileSync(one, 'utf8'))
    expect(readKeyringFiles([two])).toEqual(keyring)
  })

  it('are read where there is one, and copied to drives that were replaced, which changes none', async () => {
    const [one, two, three] = ['one.json', 'two.json', 'three.json'].map(name => join(directory, name)) as [string, string, string]
    await copyKeyringFiles([one, two])
    expect(() => readKeyringFiles([one, two])).toThrow(KeyringError)
    const keyring = ensureKeyringFiles([two], new SeededRandom(1))
    expect(readKeyringFiles([one, two])).toEqual(keyring)
    // What has not answered yet is left alone.
    await copyKeyringFiles([one, two], new Set([one]))
    expect(() => readKeyringFiles([one])).toThrow(KeyringError)
    await copyKeyringFiles([one, two])
    expect(readFileSync(one, 'utf8')).toBe(readFileSync(two, 'utf8'))
    expect(statSync(one).mode & 0o777).toBe(0o600)
    ensureKeyringFiles([three], new SeededRandom(2))
    const other = readFileSync(three, 'utf8')
    await copyKeyringFiles([one, two, three])
    expect(readFileSync(three, 'utf8')).toBe(other)
    // A folder in the place of a file fails as a drive does.
    expect(readKeyringFiles([directory, one])).toEqual(keyring)
  })

  it('are not made anew where secrets are sealed by others', () => {
    const one = join(directory, 'one.json')
    expect(() => ensureKeyringFiles([one], new SeededRandom(1), false)).toThrow(`put it back as ${one}`)
    expect(existsSync(one)).toBe(false)
  })

  it('are refused when they differ or are damaged', () => {
    const [one, two] = [join(directory, 'one.json'), join(directory, 'two.json')]
    ensureKeyringFiles([one], new SeededRandom(1))
    ensureKeyringFiles([two], new SeededRandom(2))
    expect(() => ensureKeyringFiles([one, two], new SeededRandom(3))).toThrow(KeyringError)
    writeFileSync(one, '{"moraineKeyr')
    expect(() => ensureKeyringFiles([one], new SeededRandom(3))).toThrow(KeyringError)
    expect(() => readKeyringFiles([join(directory, 'none.json')])).toThrow(KeyringError)
  })
})
