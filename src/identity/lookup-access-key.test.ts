import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemRandom } from '../../base/system.ts'
import { hourMs } from '../../base/units.ts'
import { evaluatePolicy } from '../policy/evaluate.ts'
import { CredentialError, type Caller, type SessionBasis } from './caller.ts'
import { createIdentityStore, type IdentityStore } from './identity-store.ts'
import { openScratchEngine, type ScratchEngine } from './scratch-engine.ts'
import type { SessionCredentials } from './session-token.ts'

let scratch: ScratchEngine
/** Two processes over one deployment. */
let here: IdentityStore
let there: IdentityStore
const root = { user: 'rootuser', password: 'root-password' }
const allow = (Action: string): string => JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } })

beforeAll(async () => {
  scratch = await openScratchEngine()
  here = createIdentityStore({ ...scratch, random: systemRandom, root })
  there = createIdentityStore({ ...scratch, random: systemRandom, root })
})
afterAll(() => scratch.remove())

async function newUser(accountName: string, name: string): Promise<{ readonly accountId: string; readonly accessKeyId: string }> {
  const { accountId } = await here.ensureAccount({ name: accountName, displayName: accountName, email: '' })
  await here.changeIam(accountId, async rows => rows.put('user', {
    name, path: '/', id: rows.newId('user'), createdAtMs: 0, tags: {}, attached: [], inline: { read: allow('s3:GetObject') }, groups: [],
  }))
  const { accessKeyId } = await here.accessKeys.create({ owner: { accountName, accountId, userName: name }, limit: 2 })
  return { accountId, accessKeyId }
}

async function callerOf(store: IdentityStore, accessKeyId: string, sessionToken?: string): Promise<Caller> {
  const found = await store.lookupAccessKey(accessKeyId, sessionToken)
  if (found === undefined) throw new Error(`there is no key ${accessKeyId}`)
  return found.caller
}

function basisOf({ basis }: Caller): SessionBasis {
  if (basis === undefined) throw new Error('a caller has a basis')
  return basis
}

function may({ principal }: Caller, action: string, resource = 'arn:aws:s3:::b/k'): boolean {
  const request = { principal, action, resource, resourceAccountId: principal.accountId, context: () => undefined }
  return evaluatePolicy(request, { ...principal.policies, resource: [] }).decision === 'allow'
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    return (await act) === undefined ? 'unknown' : 'found'
  } catch (error) {
    if (error instanceof CredentialError) return error.code
    throw error
  }
}

const use = (store: IdentityStore, { accessKeyId, sessionToken }: Pick<SessionCredentials, 'accessKeyId' | 'sessionToken'>) => codeOf(store.lookupAccessKey(accessKeyId, sessionToken))

describe('a user’s key', () => {
  it('has the rights of the rows as they are, in every process, for the next request', async () => {
    const { accountId, accessKeyId } = await newUser('one', 'ada')
    expect(may(await callerOf(there, accessKeyId), 's3:GetObject')).toBe(true)
    expect(may(await callerOf(there, accessKeyId), 's3:PutObject')).toBe(false)
    for (const [action, other] of [['s3:PutObject', 's3:GetObject'], ['s3:GetObject', 's3:PutObject']] as const) {
      await here.changeIam(accountId, async rows => {
        const user = await rows.get('user', 'ada')
        if (user !== undefined) rows.put('user', { ...user, inline: { only: allow(action) } })
      })
      const caller = await callerOf(there, accessKeyId)
      expect([may(caller, action), may(caller, other)]).toEqual([true, false])
    }
  })

  it('is none once its account is off, and again one when it is on', async () => {
    const { accessKeyId } = await newUser('two', 'ada')
    expect(await codeOf(there.lookupAccessKey(accessKeyId))).toBe('found')
    await here.changeAccount('two', { status: 'Disabled' })
    expect(await codeOf(there.lookupAccessKey(accessKeyId))).toBe('unknown')
    await here.changeAccount('two', { status: 'Enabled' })
    expect(await codeOf(there.lookupAccessKey(accessKeyId))).toBe('found')
  })
})

describe('a session', () => {
  it('expires, and is over when it was revoked by account, user or key', async () => {
    const { accountId, accessKeyId } = await newUser('three', 'ada')
    const open = async () => here.openSession(basisOf(await callerOf(here, accessKeyId)), hourMs)
    const first = await open()
    expect(await use(there, first)).toBe('found')
    scratch.clock.advance(hourMs - 1)
    expect(await use(there, first)).toBe('found')
    scratch.clock.advance(1)
    expect(await use(there, first)).toBe('ExpiredToken')
    const second = await open()
    expect(await use(there, second)).toBe('found')
    scratch.clock.advance(1)
    await here.changeAccount('three', { revokedBeforeMs: scratch.clock.nowMs() })
    expect(await use(there, second)).toBe('InvalidToken')
    const third = await open()
    expect(await use(there, third)).toBe('found')
    scratch.clock.advance(1)
    await here.changeIam(accountId, async rows => {
      const user = await rows.get('user', 'ada')
      if (user !== undefined) rows.put('user', { ...user, revokedBeforeMs: scratch.clock.nowMs() })
    })
    expect(await use(there, third)).toBe('InvalidToken')
    const fourth = await open()
    expect(await use(there, fourth)).toBe('found')
    await here.accessKeys.change({ accountName: 'three', accountId, userName: 'ada' }, accessKeyId, { status: 'Inactive' })
    expect(await use(there, fourth)).toBe('InvalidToken')
  })

  it('is over with its user, also when another has the name', async () => {
    const { accountId, accessKeyId } = await newUser('four', 'ada')
    const session = await here.openSession(basisOf(await callerOf(here, accessKeyId)), hourMs)
    await here.changeIam(accountId, async rows => {
      const user = await rows.get('user', 'ada')
      if (user !== undefined) rows.put('user', { ...user, id: rows.newId('user') })
    })
    expect(await use(there, session)).toBe('InvalidToken')
  })

  it('of one account is of no use with a key or token of another', async () => {
    const sessions = await Promise.all(['five', 'six'].map(async name => here.openSession(basisOf(await callerOf(here, (await newUser(name, 'ada')).accessKeyId)), hourMs)))
    const [one, two] = sessions
    if (one === undefined || two === undefined) throw new Error('two sessions')
    expect(await use(there, { accessKeyId: one.accessKeyId, sessionToken: two.sessionToken })).toBe('InvalidToken')
    expect((await callerOf(there, one.accessKeyId, one.sessionToken)).account.name).toBe('five')
    expect(await codeOf(there.lookupAccessKey('rootuser', one.sessionToken))).toBe('InvalidToken')
    expect(await codeOf(there.lookupAccessKey(one.accessKeyId))).toBe('unknown')
  })

  it('made of a session lives no longer, and is limited by both', async () => {
    const { accessKeyId } = await newUser('seven', 'ada')
    const limit = { kind: 'policies', documents: [allow('s3:*')], arns: [] } as const
    const basis = basisOf(await callerOf(here, accessKeyId))
    const outer = await here.openSession({ ...basis, limits: [{ ...limit, documents: [allow('s3:PutObject')] }] }, hourMs)
    const outerCaller = await callerOf(here, outer.accessKeyId, outer.sessionToken)
    expect(may(outerCaller, 's3:GetObject')).toBe(false)
    const inner = await here.openSession({ ...basisOf(outerCaller), limits: [...basisOf(outerCaller).limits, limit] }, 10 * hourMs)
    expect(inner.expiresAtMs).toBe(outer.expiresAtMs)
    expect(may(await callerOf(there, inner.accessKeyId, inner.sessionToken), 's3:GetObject')).toBe(false)
  })

  it('of the root key ends when that is switched off, and root’s limits bind', async () => {
    const basis = basisOf(await callerOf(here, 'rootuser'))
    const session = await here.openSession({ ...basis, limits: [{ kind: 'prefix', bucket: 'b', prefix: 'a*/', access: 'read' }] }, hourMs)
    const caller = await callerOf(there, session.accessKeyId, session.sessionToken)
    expect(may(caller, 's3:GetObject', 'arn:aws:s3:::b/a*/k')).toBe(true)
    expect(may(caller, 's3:GetObject', 'arn:aws:s3:::b/ab/k')).toBe(false)
    expect(may(caller, 's3:PutObject', 'arn:aws:s3:::b/a*/k')).toBe(false)
    expect(may(caller, 'iam:CreateUser', '*')).toBe(false)
    const closed = createIdentityStore({ ...scratch, random: systemRandom, root: { ...root, isEnabled: false } })
    expect(await use(closed, session)).toBe('InvalidToken')
    expect(await codeOf(closed.lookupAccessKey('rootuser'))).toBe('unknown')
  })
})
