import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { type DriveRecord, revisionOf } from './drive-format.ts'
import { decodeEpoch, encodeEpoch, type MemberEpoch } from './member-epoch.ts'
import { type FoundDrive, type GivenDrive, planStart, type StartPlan } from './plan-start.ts'

const epoch = { epoch: 1, members: ['a1'] }
const empty: FoundDrive = { kind: 'unformatted', isMountPoint: false }
const missing: FoundDrive = { kind: 'missing', explanation: 'there is no such directory' }
const old = ['a1', 'a2', 'a3']
const added = ['b1', 'b2']
const first: Omit<DriveRecord, 'driveId'> = { format: 2, deploymentId: 'd', sets: [old], parity: 1 }
const grown: Omit<DriveRecord, 'driveId'> = { format: 3, deploymentId: 'd', sets: [old, added], parity: 1, change: { revision: 1, parities: [1, 1] } }
const found = (driveId: string, record = first, isMountPoint = false): FoundDrive => ({ kind: 'formatted', record: { ...record, driveId }, isMountPoint, epoch: driveId.startsWith('a') ? epoch : undefined })
const given = (drives: Readonly<Record<string, FoundDrive>>): GivenDrive[] => Object.entries(drives).map(([path, each]) => ({ path, found: each }))
const all = (ids: readonly string[], record: Omit<DriveRecord, 'driveId'>): Record<string, FoundDrive> => Object.fromEntries(ids.map((id) => [id, found(id, record)]))
const reasonsOf = (plan: StartPlan): string => (plan.kind === 'refuse' ? plan.reasons.join('\n') : plan.kind)

describe('planStart with other drives than the deployment has', () => {
  it('adds empty drives as sets, while every drive of the deployment is there', () => {
    const plan = planStart(given({ ...all(old, first), b1: empty, b2: missing }))
    expect(plan).toMatchObject({ kind: 'serve', growth: { kind: 'add', paths: ['b1', 'b2'], setDrives: 2 }, record: first })
    expect(reasonsOf(planStart(given({ ...all(old.slice(1), first), a1: missing, b1: empty, b2: empty })))).toMatch(/a set can be added only while every drive of the deployment is there.*a1/)
    expect(reasonsOf(planStart(given({ ...all(old, first), b1: empty })))).toMatch(/b1 alone cannot be added/)
    expect(reasonsOf(planStart(given({ ...all(old, first), b1: empty, b2: { kind: 'refused', code: 'Foreign', explanation: 'it holds "x"' } })))).toBe('b2: it holds "x"')
    expect(reasonsOf(planStart(given({ ...all(old, first), b1: empty, b2: found('x', { ...first, deploymentId: 'other', sets: [['x']] }) })))).toMatch(/b2 belongs to deployment other/)
    const mounted = Object.fromEntries(old.map((id) => [id, found(id, first, true)]))
    expect(reasonsOf(planStart(given({ ...mounted, b1: { ...empty, isMountPoint: true }, b2: empty })))).toBe('b2 is not mounted, as the other drives are')
  })

  it('completes an addition that was interrupted, and does not forget it once an old drive knows', () => {
    const half = planStart(given({ ...all(old, first), b1: empty, b2: found('b2', grown) }))
    expect(half).toMatchObject({ kind: 'serve', record: grown, behind: old, growth: { kind: 'same' } })
    expect(planStart(given(all(old, first))).kind).toBe('serve')
    // Then it is for the metadata to say whether the new set may be left out.
    expect(planStart(given({ ...all(old, first), a3: found('a3', grown) }))).toMatchObject({ growth: { kind: 'giveUp', sets: [1] } })
  })

  it('gives sets up that are not given at all, and nothing else', () => {
    const plan = planStart(given(all(old, grown)))
    expect(plan).toMatchObject({ kind: 'serve', growth: { kind: 'giveUp', sets: [1] } })
    expect(reasonsOf(planStart(given({ ...all(['a1', 'a2'], grown), a3: missing })))).toMatch(/a set can be left out only while every drive of the others is there, and a3 is not/)
    expect(reasonsOf(planStart(given(all(['a1', 'b1', 'b2'], grown))))).toMatch(/the deployment has 5 drives, and 3 are given/)
    expect(reasonsOf(planStart(given(all(added, grown))))).toMatch(/the metadata are on drives that are not given: set 1/)
    const without = { ...grown, sets: [old, []], change: { revision: 2, parities: [1, 1] } }
    expect(planStart(given(all(old, without)))).toMatchObject({ kind: 'serve', growth: { kind: 'same' }, slots: [{ length: 3 }, []] })
    expect(reasonsOf(planStart(given({ ...all(old, without), ...all(added, grown) })))).toBe('b1 is of a set that the deployment gave up: leave it out\nb2 is of a set that the deployment gave up: leave it out')
  })
})

describe('the set with the metadata', () => {
  const told = (id: string, known: FoundDrive & { readonly kind: 'formatted' }, newest: MemberEpoch): FoundDrive => ({ ...known, record: { ...known.record, driveId: id }, epoch: newest })
  const base = found('a1', { ...grown, sets: [old, [...added, 'b3']] }) as FoundDrive & { readonly kind: 'formatted' }
  const home = (epochs: Readonly<Record<string, MemberEpoch | undefined>>): number | string => {
    const plan = planStart(given(Object.fromEntries([...old, ...added, 'b3'].map((id) => [id, id in epochs ? (epochs[id] === undefined ? { ...told(id, base, epoch), epoch: undefined } : told(id, base, epochs[id])) : missing]))))
    return plan.kind === 'serve' ? plan.home : reasonsOf(plan)
  }
  const before = { a1: epoch, a2: epoch, a3: epoch }
  const moved: MemberEpoch = { epoch: 2, members: ['b1', 'b2'], moved: true }

  it('is the one that a write quorum was told of; a move that was cut off did not happen', () => {
    expect(home({ ...before, b1: undefined, b2: undefined, b3: undefined })).toBe(0)
    expect(home({ ...before, b1: moved, b2: undefined, b3: undefined })).toBe(0)
    expect(home({ ...before, b1: moved, b2: moved, b3: undefined })).toBe(1)
    expect(home({ ...before, b1: moved, b2: moved, b3: moved })).toBe(1)
    // One that was told, of two that are there: the third may have been told too.
    expect(home({ ...before, b1: moved, b2: undefined })).toBe(1)
    // The set before went on since.
    const later = { epoch: 2, members: ['a1'] }
    expect(home({ a1: later, a2: later, a3: later, b1: moved, b2: moved, b3: undefined })).toBe(0)
    expect(decodeEpoch(encodeEpoch(moved))).toEqual(moved)
    const next = { epoch: 3, members: ['b1'] }
    expect(home({ ...before, b1: next, b2: moved, b3: moved })).toBe(1)
  })
})

type Records = Map<string, Omit<DriveRecord, 'driveId'>>

/** A start as `prepareDrives` makes it, cut off after so many written records. What it served, or why not. */
function start(records: Records, ids: readonly string[], absent: ReadonlySet<string>, writes: number): Omit<DriveRecord, 'driveId'> | string {
  const lookAt = (id: string): FoundDrive => {
    const record = records.get(id)
    return absent.has(id) ? missing : record === undefined ? empty : found(id, record)
  }
  const plan = planStart(ids.map((id) => ({ path: id, found: lookAt(id) })))
  if (plan.kind !== 'serve') return reasonsOf(plan)
  const { growth, slots } = plan
  let record = plan.record
  const change = (sets: readonly (readonly string[])[]): void => {
    record = { ...record, format: 3, sets, change: { revision: revisionOf(record) + 1, parities: sets.map(() => 1) } }
  }
  const there = slots.flat().filter(({ state }) => state !== 'absent')
  const blank = there.filter(({ state }) => state === 'blank').map(({ path }) => path)
  let behind = plan.behind
  if (growth.kind === 'add') {
    change([...record.sets, growth.paths])
    blank.push(...growth.paths)
    behind = there.map(({ path }) => path)
  }
  const orders = [...blank.toReversed(), ...behind]
  if (growth.kind === 'giveUp') {
    change(record.sets.map((set, index) => (growth.sets.includes(index) ? [] : set)))
    orders.push(...there.map(({ path }) => path))
  }
  for (const [index, id] of orders.entries()) {
    if (index >= writes) return 'cut off'
    records.set(id, record)
  }
  return record
}

it('whatever starts are cut off, with whichever drives away, sets only ever change forwards', () => {
  const lines = [old, [...old, ...added], [...added, ...old]]
  const random = new SeededRandom(7)
  let [changes, refused, cut] = [0, 0, 0]
  for (let run = 0; run < 4000; run++) {
    const records: Records = new Map(old.map((id) => [id, first]))
    let [served, revision] = [JSON.stringify([old]), 0]
    for (let step = 0; step < 8; step++) {
      const line = random.pick(lines)
      const absent = new Set([...old, ...added].filter(() => random.chance(0.15)))
      const outcome = start(records, line, absent, random.chance(0.5) ? random.integer(6) : Infinity)
      if (outcome === 'cut off') cut++
      else if (typeof outcome === 'string') refused++
      else {
        expect(revisionOf(outcome), `run ${run}`).toBeGreaterThanOrEqual(revision)
        if (JSON.stringify(outcome.sets) !== served) {
          expect(revisionOf(outcome), `run ${run}`).toBeGreaterThan(revision)
          changes++
        }
        served = JSON.stringify(outcome.sets)
        revision = revisionOf(outcome)
      }
    }
  }
  expect(Math.min(changes, refused, cut)).toBeGreaterThan(1000)
})
