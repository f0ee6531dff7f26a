import { describe, expect, it } from 'vitest'
import type { DriveRecord } from './drive-format.ts'
import { readQuorum, writeQuorum } from './drive-set.ts'
import { decodeEpoch, encodeEpoch, type MemberEpoch, newestEpoch, readEpoch, writeEpoch } from './member-epoch.ts'
import { defaultParity, defaultReducedParity, parityProblem, setDrivesOf } from './plan-sets.ts'
import { type FoundDrive, type GivenDrive, planStart, type StartPlan } from './plan-start.ts'
import { SimulatedDrive } from './simulated-drive.ts'

const idOf = (index: number): string => `drive-${index}`
const missing: FoundDrive = { kind: 'missing', explanation: 'there is no such directory' }

function recordOf(index: number, count: number, parity: number, deploymentId = 'deployment'): DriveRecord {
  return { format: 2, deploymentId, driveId: idOf(index), sets: [Array.from({ length: count }, (_, other) => idOf(other))], parity }
}

function formatted(index: number, count: number, parity: number, epoch: MemberEpoch | undefined = { epoch: 1, members: [] }): FoundDrive {
  return { kind: 'formatted', record: recordOf(index, count, parity), isMountPoint: false, epoch }
}

const given = (found: readonly FoundDrive[]): GivenDrive[] => found.map((each, index) => ({ path: `/d${index + 1}`, found: each }))
const serving = (plan: StartPlan): Extract<StartPlan, { readonly kind: 'serve' }> => {
  if (plan.kind !== 'serve') throw new Error(JSON.stringify(plan))
  return plan
}
const statesOf = (plan: StartPlan): string[] => serving(plan).slots.flat().map(({ state, path }) => `${path} ${state}`)

describe('quorums', () => {
  it('of writes meet those of reads, and are half of a set and one more where data and parity are as many', () => {
    for (let drives = 1; drives <= 16; drives++) {
      for (let parity = 0; parity <= drives / 2; parity++) {
        const write = writeQuorum(drives - parity, parity)
        expect(write + readQuorum(drives, parity)).toBeGreaterThan(drives)
        expect(write).toBeGreaterThanOrEqual(drives - parity)
        expect(2 * write).toBeGreaterThan(drives)
      }
    }
  })
})

describe('sets', () => {
  it('have MinIO’s parities', () => {
    expect(Array.from({ length: 16 }, (_, index) => defaultParity(index + 1))).toEqual([0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4])
    expect([1, 2, 16].map((drives) => defaultReducedParity(drives))).toEqual([0, 1, 1])
    expect(parityProblem(4, 2)).toBeUndefined()
    expect(parityProblem(4, 3)).toBe('a set of 4 drives has at most 2 parities, not 3')
  })

  it('divide the drives evenly', () => {
    expect([1, 4, 16, 18, 20, 24, 32, 17, 34].map((drives) => setDrivesOf(drives))).toEqual([1, 4, 16, 9, 10, 12, 16, undefined, 2])
  })
})

describe('planStart', () => {
  it('formats when nothing is there, and touches nothing that is foreign', () => {
    expect(planStart(given([{ kind: 'unformatted', isMountPoint: false }, missing]))).toEqual({ kind: 'format', setDrives: 2 })
    expect(planStart(given([{ kind: 'refused', code: 'Foreign', explanation: 'it holds "x"' }, missing]))).toEqual({ kind: 'refuse', reasons: ['/d1: it holds "x"'] })
    expect(planStart(given(Array.from({ length: 17 }, () => missing)))).toMatchObject({ kind: 'refuse' })
  })

  it('finds drives that changed places', () => {
    const plan = planStart(given([formatted(0, 4, 2), formatted(2, 4, 2), formatted(1, 4, 2), formatted(3, 4, 2)]))
    expect(statesOf(plan)).toEqual(['/d1 present', '/d3 present', '/d2 present', '/d4 present'])
    expect(serving(plan).notes).toEqual(['/d2 is given as drive 2 and is drive 3', '/d3 is given as drive 3 and is drive 2'])
  })

  it('takes an empty drive for the place that is left, wherever it is given', () => {
    const blank: FoundDrive = { kind: 'unformatted', isMountPoint: false }
    expect(statesOf(planStart(given([blank, formatted(0, 4, 2), formatted(1, 4, 2), formatted(3, 4, 2)])))).toEqual(['/d2 present', '/d3 present', '/d1 blank', '/d4 present'])
    expect(statesOf(planStart(given([formatted(0, 4, 2), blank, missing, formatted(3, 4, 2)])))).toEqual(['/d1 present', '/d2 blank', '/d3 absent', '/d4 present'])
  })

  it('leaves an empty directory alone where the other drives are mounted', () => {
    const mounted = (index: number): FoundDrive => ({ kind: 'formatted', record: recordOf(index, 3, 1), isMountPoint: true, epoch: { epoch: 1, members: [] } })
    const plan = planStart(given([mounted(0), mounted(1), { kind: 'unformatted', isMountPoint: false }]))
    expect(statesOf(plan)[2]).toBe('/d3 absent')
    expect(serving(plan).notes).toEqual(['/d3 is empty and not mounted, as the other drives are: it is not used'])
    expect(statesOf(planStart(given([mounted(0), mounted(1), { kind: 'unformatted', isMountPoint: true }])))[2]).toBe('/d3 blank')
  })

  it('refuses a drive of another deployment, copies, and another number of drives', () => {
    const alien: FoundDrive = { kind: 'formatted', record: recordOf(0, 3, 1, 'alien'), isMountPoint: false, epoch: undefined }
    const plan = planStart(given([formatted(0, 3, 1), formatted(1, 3, 1), alien]))
    expect(statesOf(plan)[2]).toBe('/d3 absent')
    expect(serving(plan).notes).toEqual(['/d3 belongs to deployment alien, not to deployment: it is not used'])
    expect(planStart(given([formatted(0, 2, 1), alien]))).toMatchObject({ kind: 'refuse', reasons: [/belongs to deployment/, /belongs to deployment/].map(() => expect.stringContaining('belongs to deployment') as string) })
    expect(planStart(given([formatted(0, 3, 1), formatted(0, 3, 1), formatted(1, 3, 1)]))).toMatchObject({ kind: 'refuse', reasons: ['/d1 and /d2 are copies of one drive', '/d2 and /d1 are copies of one drive'] })
    expect(planStart(given([formatted(0, 3, 1), formatted(1, 3, 1)]))).toMatchObject({ kind: 'refuse', reasons: ['the deployment has 3 drives, and 2 are given (/d1 /d2)'] })
    expect(planStart([{ path: '/d1', found: formatted(0, 2, 1) }, { path: '/d1', found: formatted(0, 2, 1) }])).toMatchObject({ kind: 'refuse', reasons: ['/d1 is given twice'] })
  })

  it('completes a first formatting that was interrupted', () => {
    const blank: FoundDrive = { kind: 'unformatted', isMountPoint: false }
    const first: FoundDrive = { kind: 'formatted', record: recordOf(0, 4, 2), isMountPoint: false, epoch: undefined }
    expect(statesOf(planStart(given([first, blank, blank, blank])))).toEqual(['/d1 present', '/d2 blank', '/d3 blank', '/d4 blank'])
    expect(planStart(given([first, blank, blank, missing])).kind).toBe('refuse')
    expect(planStart(given([formatted(0, 4, 2), blank, blank, blank])).kind).toBe('refuse')
  })

  /** Every drive with the epochs that it has seen; a start on some of them, which begins a new epoch when they are enough. */
  function start(epochs: (MemberEpoch | undefined)[], parity: number, present: number): 'refused' | MemberEpoch | undefined {
    const count = epochs.length
    const plan = planStart(given(epochs.map((epoch, index) => (((present >> index) & 1) === 1 ? formatted(index, count, parity, epoch) : missing))))
    if (plan.kind !== 'serve') return 'refused'
    const there = epochs.flatMap((_, index) => (((present >> index) & 1) === 1 ? [index] : []))
    if (there.length >= writeQuorum(count - parity, parity)) {
      const next = { epoch: (plan.epoch?.epoch ?? 0) + 1, members: there.map(idOf) }
      for (const index of there) epochs[index] = next
    }
    return plan.epoch
  }

  it.each([[2, 1, 5], [3, 1, 4], [4, 2, 3], [5, 2, 2], [6, 2, 2], [6, 3, 2]])('of %i drives with %i of parity knows the newest epoch after %i losses and returns of any drives, or refuses', (count, parity, steps) => {
    const subsets = 1 << count
    let [served, refused] = [0, 0]
    for (let sequence = 0; sequence < subsets ** steps; sequence++) {
      const epochs: (MemberEpoch | undefined)[] = Array.from({ length: count }, () => ({ epoch: 1, members: [] }))
      for (let step = 0, rest = sequence; step < steps; step++, rest = Math.floor(rest / subsets)) {
        const present = rest % subsets
        const newest = newestEpoch(epochs)
        const seen = start(epochs, parity, present)
        const there = Array.from({ length: count }, (_, index) => (present >> index) & 1).reduce((sum, bit) => sum + bit, 0)
        if (seen === 'refused') {
          refused++
          if (there >= readQuorum(count, parity)) throw new Error(`refused ${there} drives in ${sequence}`)
        } else {
          served++
          if (there < readQuorum(count, parity)) throw new Error(`served ${there} drives in ${sequence}`)
          if (seen?.epoch !== newest?.epoch || seen?.members.join() !== newest?.members.join()) throw new Error(`an old epoch in ${sequence}`)
        }
      }
    }
    expect(served).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })
})

describe('an epoch', () => {
  it('is read back, replaced whole, and ignored when it is damaged', async () => {
    const drive = new SimulatedDrive()
    expect(await readEpoch(drive)).toBeUndefined()
    await writeEpoch(drive, { epoch: 1, members: ['a'] })
    await writeEpoch(drive, { epoch: 2, members: ['a', 'b'] })
    expect(await readEpoch(drive)).toEqual({ epoch: 2, members: ['a', 'b'] })
    const text = encodeEpoch({ epoch: 3, members: ['a'] })
    expect(decodeEpoch(text)).toEqual({ epoch: 3, members: ['a'] })
    for (let at = 0; at < text.length - 1; at++) expect(decodeEpoch(text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1))).toBeUndefined()
  })
})
