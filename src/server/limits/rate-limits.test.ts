import { expect, it } from 'vitest'
import { SimulatedClock } from '../../../base/simulated-clock.ts'
import type { Caller } from '../../identity/caller.ts'
import { rootPrincipal } from '../../policy/principal.ts'
import { RateLimits, tellEveryMs, type Spent } from './rate-limits.ts'

const account = { name: 'tenant', id: 'a'.repeat(64), accountId: '111111111111', displayName: '', email: '' }

const callerOf = (quotas: NonNullable<Caller['account']['quotas']> | undefined, user: string): Caller => ({
  account: { ...account, ...(quotas && { quotas }) },
  accessKeyId: user,
  principal: { ...rootPrincipal('accountRoot', account), kind: 'user', arn: `arn:aws:iam::111111111111:user/${user}` },
})

function workers(count: number) {
  const clock = new SimulatedClock()
  const all: RateLimits[] = []
  const told: Spent[] = []
  for (let index = 0; index < count; index++) {
    const tell = (spent: Spent) => {
      told.push(spent)
      for (const other of all) if (other !== all[index]) other.heard(spent)
    }
    all.push(new RateLimits({ clock, tell }))
  }
  return { clock, all, told }
}

const admittedOf = (limits: RateLimits | undefined, caller: Caller, tries: number): number =>
  Array.from({ length: tries }, () => limits?.admit(caller)).filter(Boolean).length

it('lets a second’s worth through at once, and then the rate', async () => {
  const { clock, all: [limits] } = workers(1)
  const caller = callerOf({ requestsPerSecond: 10 }, 'a')
  expect(admittedOf(limits, caller, 50)).toBe(10)
  clock.advance(500)
  expect(admittedOf(limits, caller, 50)).toBe(5)
  clock.advance(60_000)
  expect(admittedOf(limits, caller, 50)).toBe(10)
})

it('counts identities by themselves, and all of them for the account', () => {
  const { all: [limits] } = workers(1)
  const quotas = { requestsPerSecond: 15, identityRequestsPerSecond: 10 }
  expect(admittedOf(limits, callerOf(quotas, 'a'), 50)).toBe(10)
  expect(admittedOf(limits, callerOf(quotas, 'b'), 50)).toBe(5)
  expect(admittedOf(limits, callerOf(undefined, 'c'), 50)).toBe(50)
})

it('keeps the rate over several workers, for whatever each is asked', async () => {
  const { clock, all } = workers(2)
  const caller = callerOf({ requestsPerSecond: 100 }, 'a')
  let admitted = 0
  for (let passedMs = 0; passedMs < 10_000; passedMs += 50) {
    for (const limits of all) admitted += admittedOf(limits, caller, 20)
    clock.advance(50)
    await Promise.resolve()
  }
  // What both have left at the start, and the rate of ten seconds.
  expect(admitted).toBeLessThanOrEqual(2 * 100 + 100 * 10)
  expect(admitted).toBeGreaterThan(900)
})

it('tells others once for many requests, and not at all without a rate', async () => {
  const { clock, all: [limits], told } = workers(1)
  admittedOf(limits, callerOf(undefined, 'a'), 20)
  clock.advance(tellEveryMs)
  await Promise.resolve()
  expect(told).toEqual([])
  admittedOf(limits, callerOf({ requestsPerSecond: 1000 }, 'a'), 20)
  clock.advance(tellEveryMs)
  await Promise.resolve()
  expect(told).toEqual([[['account 111111111111', 1000, 20]]])
})

it('remembers a bounded number of identities', () => {
  const { all: [limits] } = workers(1)
  const quotas = { identityRequestsPerSecond: 1 }
  expect(limits?.admit(callerOf(quotas, 'first'))).toBe(true)
  expect(limits?.admit(callerOf(quotas, 'first'))).toBe(false)
  for (let index = 0; index < 10_000; index++) limits?.admit(callerOf(quotas, `u${index}`))
  expect(limits?.admit(callerOf(quotas, 'first'))).toBe(true)
})
