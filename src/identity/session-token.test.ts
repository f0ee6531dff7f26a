import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemRandom } from '../../base/system.ts'
import { dayMs } from '../../base/units.ts'
import { openScratchEngine, type ScratchEngine } from './scratch-engine.ts'
import { secretBox } from './secret-box.ts'
import { longestSessionMs, openSessionKeys, rotationMs, type SessionKeys } from './session-keys.ts'
import { issueSession, openSession, PackedTokenTooLarge, type SessionClaims } from './session-token.ts'

let scratch: ScratchEngine
let keys: SessionKeys
const box = secretBox(Buffer.alloc(32, 7), systemRandom)
const openKeys = (): SessionKeys => openSessionKeys({ ...scratch, random: systemRandom, box })

beforeAll(async () => {
  scratch = await openScratchEngine()
  keys = openKeys()
})
afterAll(() => scratch.remove())

const claims: SessionClaims = {
  issuedAtMs: 1,
  expiresAtMs: 2,
  accountId: '123456789012',
  subject: { kind: 'user', name: 'alice', id: 'AIDA' },
  limits: [{ kind: 'prefix', bucket: 'lake', prefix: 'a/b/', access: 'read' }],
}

describe('session tokens', () => {
  it('are opened by every process, with the secret that was handed out', async () => {
    const made = await issueSession(claims, keys, systemRandom)
    expect(made.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/)
    expect(made.secretAccessKey).toHaveLength(40)
    expect(await openSession(made.accessKeyId, made.sessionToken, openKeys())).toEqual({ claims, secretAccessKey: made.secretAccessKey })
  })

  it('show nothing of what they say', async () => {
    const { sessionToken } = await issueSession(claims, keys, systemRandom)
    expect(Buffer.from(sessionToken, 'base64').includes('alice')).toBe(false)
  })

  it('belong to one access key', async () => {
    const [one, two] = [await issueSession(claims, keys, systemRandom), await issueSession(claims, keys, systemRandom)]
    expect(await openSession(one.accessKeyId, two.sessionToken, keys)).toBeUndefined()
  })

  it('are refused with any bit changed, cut, lengthened or spelled otherwise', async () => {
    const { accessKeyId, sessionToken } = await issueSession(claims, keys, systemRandom)
    const bytes = Buffer.from(sessionToken, 'base64')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      expect(await openSession(accessKeyId, changed.toString('base64'), keys)).toBeUndefined()
      expect(await openSession(accessKeyId, bytes.subarray(0, at).toString('base64'), keys)).toBeUndefined()
    }
    for (const text of ['', '=', ' ' + sessionToken, sessionToken + '=', sessionToken + 'AAAA', sessionToken.replace(/=*$/, '') + '====', 'A'.repeat(20_000), '{}', bytes.toString('base64url') + '-']) {
      expect(await openSession(accessKeyId, text, keys)).toBeUndefined()
    }
  })

  it('of another deployment are none', async () => {
    const other = await openScratchEngine()
    try {
      const theirs = openSessionKeys({ ...other, random: systemRandom, box })
      const { accessKeyId, sessionToken } = await issueSession(claims, theirs, systemRandom)
      expect(await openSession(accessKeyId, sessionToken, keys)).toBeUndefined()
    } finally {
      await other.remove()
    }
  })

  it('have a bound', async () => {
    const document = Buffer.from(systemRandom.bytes(20_000)).toString('base64')
    await expect(issueSession({ ...claims, limits: [{ kind: 'policies', documents: [document], arns: [] }] }, keys, systemRandom)).rejects.toThrow(PackedTokenTooLarge)
  })
})

describe('session keys', () => {
  it('rotate, and are kept as long as a token of theirs can live', async () => {
    const { clock } = scratch
    const first = await issueSession(claims, keys, systemRandom)
    const { number } = await keys.current()
    await keys.rotate()
    expect((await openKeys().current()).number).toBe(number)
    clock.advance(rotationMs)
    await Promise.all([keys.rotate(), openKeys().rotate()])
    expect((await openKeys().current()).number).toBe(number + 1)
    clock.advance(longestSessionMs - dayMs)
    await keys.rotate()
    expect(await openSession(first.accessKeyId, first.sessionToken, openKeys())).toBeDefined()
    clock.advance(2 * rotationMs + dayMs)
    await keys.rotate()
    expect(await openSession(first.accessKeyId, first.sessionToken, openKeys())).toBeUndefined()
  })
})
