import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../base/system.ts'
import { openDeployment, openEngine, prepareDeployment, type Engine } from '../../engine/index.ts'
import { createIdentityStore, type IdentityStore } from './identity-store.ts'
import { accessKeyKey } from './identity-records.ts'
import { secretBox } from './secret-box.ts'
import { ensureServerKey } from './server-key.ts'
import { openTokenKeys } from './token-keys.ts'

let drive = ''
let engine: Engine
let identity: IdentityStore
let close: () => Promise<void>
const box = secretBox(Buffer.alloc(32, 5), systemRandom)
const rootPassword = 'the-password-of-root'

beforeAll(async () => {
  drive = await mkdtemp(join(tmpdir(), 'moraine-secrets-'))
  const prepared = await prepareDeployment({ drives: [drive], clock: systemClock, random: systemRandom })
  const deployment = await openDeployment({ drives: [drive], clock: systemClock, random: systemRandom })
  engine = openEngine({ metadata: deployment.metadata, blobs: deployment.blobs, clock: systemClock, random: systemRandom })
  identity = createIdentityStore({ engine, box, clock: systemClock, random: systemRandom, root: { user: 'rootuser', password: rootPassword } })
  close = async () => {
    await deployment.close()
    prepared.release()
    await rm(drive, { recursive: true, force: true })
  }
})
afterAll(() => close())

/** Every byte that is kept, metadata, journals and outbox included. */
function keptBytes(): Buffer {
  const files = readdirSync(drive, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Buffer.concat(files.map(entry => readFileSync(join(entry.parentPath, entry.name))))
}

it('no file of a drive holds a secret, in whatever form it was handed out', async () => {
  const account = await identity.ensureAccount({ name: 'alice', displayName: 'Alice', email: '' })
  await identity.ensureAccessKey('alice', 'AKALICE', 'a-secret-of-alice')
  const owner = { accountName: 'alice', accountId: account.accountId, userName: undefined }
  const { secretAccessKey } = await identity.accessKeys.create({ owner, limit: 5 })
  const { caller } = (await identity.lookupAccessKey('AKALICE')) ?? {}
  const session = caller?.basis === undefined ? undefined : await identity.openSession(caller.basis, 3_600_000)
  const serverKey = await ensureServerKey(engine, box, systemRandom)
  const { key: sessionKey } = await identity.sessionKeys.current()
  const { privateKey } = await openTokenKeys({ engine, box, clock: systemClock, serverKey }).current()
  const tokenKey = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url')
  expect(secretAccessKey).toHaveLength(40)
  const kept = keptBytes()
  expect(kept.includes('AKALICE')).toBe(true)
  const secrets = ['a-secret-of-alice', rootPassword, secretAccessKey, session?.secretAccessKey ?? '', session?.sessionToken ?? '', serverKey, sessionKey, tokenKey]
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(8)
    const bytes = Buffer.from(secret)
    for (const form of [bytes, Buffer.from(bytes.toString('base64')), Buffer.from(bytes.toString('hex'))]) expect(kept.includes(form)).toBe(false)
  }
})

it('a row of before, with its secret in the clear, is read, then sealed once', async () => {
  await identity.ensureAccount({ name: 'old', displayName: 'Old', email: '' })
  const row = accessKeyKey('AKOLD')
  const plain = Buffer.concat([Buffer.of(1), Buffer.from(JSON.stringify({ accessKeyId: 'AKOLD', accountName: 'old', secretAccessKey: 'an-old-secret', createdAtMs: 1 }))])
  await engine.transact(async ({ extensions }) => extensions.put(row, plain))
  expect((await identity.lookupAccessKey('AKOLD'))?.secretAccessKey).toBe('an-old-secret')
  expect(await identity.accessKeys.sealPlain()).toEqual({ sealed: 1 })
  expect(await identity.accessKeys.sealPlain()).toEqual({ sealed: 0 })
  expect((await engine.extensions.get(row))?.includes('an-old-secret')).toBe(false)
  expect((await identity.lookupAccessKey('AKOLD'))?.secretAccessKey).toBe('an-old-secret')
})
