import { describe, expect, it } from 'vitest'
import { must } from '../../base/assert.ts'
import { readQuorum, writeQuorum } from '../drives/drive-set.ts'
import { defaultParity } from '../drives/plan-sets.ts'
import { planRecovery, type RecoveryPlan, type SeenDrive } from './plan-recovery.ts'

const idOf = (at: number): string => String(at)
const drivesOf = (mask: number, drives: number): number[] => Array.from({ length: drives }, (_, at) => at).filter((at) => ((mask >> at) & 1) === 1)

/** What a start finds after the drives of the mask are lost: the first of the set have the metadata, and all know that. */
function planAfter(drives: number, parity: number, lost: number): RecoveryPlan {
  const members = Array.from({ length: parity + 1 }, (_, at) => idOf(at))
  const seen = drivesOf(~lost, drives).map((at): SeenDrive => ({
    id: idOf(at),
    epoch: { epoch: 7, members },
    end: at <= parity ? { epoch: 7, seq: 100, checksum: 1n } : undefined,
    isUsed: at <= parity,
  }))
  return planRecovery({ seen, drives, writeQuorum: writeQuorum(drives - parity, parity), copies: parity + 1 })
}

describe('planRecovery', () => {
  const layouts = Array.from({ length: 16 }, (_, index) => index + 1).map((drives) => [drives, defaultParity(drives)] as const)

  it.each(layouts)('of %i drives with %i of parity reads after the loss of any so many, and writes where a write quorum is left', (drives, parity) => {
    const counts = { recover: 0, readOnly: 0 }
    for (let lost = 0; lost < 1 << drives; lost++) {
      const gone = drivesOf(lost, drives).length
      if (gone > parity) continue
      const plan = planAfter(drives, parity, lost)
      if (plan.kind === 'refuse') throw new Error(`${plan.reason}: without ${drivesOf(lost, drives).join(' ')}`)
      counts[plan.kind]++
      expect(plan.kind).toBe(drives - gone >= writeQuorum(drives - parity, parity) ? 'recover' : 'readOnly')
      const donor = Number(must(plan.donor, 'a drive with the metadata'))
      expect(donor <= parity && ((lost >> donor) & 1) === 0).toBe(true)
      // Every copy that may be made is made: the loss of as many again is outlived.
      if (plan.kind !== 'recover') continue
      expect(plan.members.length).toBe(Math.min(parity + 1, drives - gone))
      // Whoever else is there can take the place of one that fails.
      expect(new Set([...plan.members, ...plan.spares]).size).toBe(drives - gone)
    }
    expect(counts.recover).toBeGreaterThan(0)
    // Half of the drives are parity: their loss leaves a read quorum alone.
    expect(counts.readOnly > 0).toBe(drives === 2 * parity)
    expect(readQuorum(drives, parity) + writeQuorum(drives - parity, parity)).toBe(drives + 1)
  })

  it('writes with less than half of a set nowhere: two halves that do not see each other never both go on', () => {
    for (const [drives, parity] of layouts) expect(2 * writeQuorum(drives - parity, parity)).toBeGreaterThan(drives)
  })

  it('refuses below the read quorum, and where no drive with the metadata is left', () => {
    for (const [drives, parity] of layouts) {
      const most = drives - readQuorum(drives, parity)
      expect(planAfter(drives, parity, (1 << (most + 1)) - 1).kind).toBe('refuse')
    }
    expect(planAfter(6, 3, 0b1111)).toEqual({ kind: 'refuse', reason: '2 of 6 drives know who has the metadata; 3 are needed' })
    expect(planAfter(5, 1, 0b11)).toEqual({ kind: 'refuse', reason: 'none of the drives with the metadata of epoch 7 can be read: 0, 1' })
  })

  it('begins anew where all drives are there and unused, and refuses as soon as one of them may hold commits', () => {
    const epoch = { epoch: 7, members: ['1', '2'] }
    const planWith = (isUsed: boolean): RecoveryPlan => planRecovery({
      seen: [{ id: '0', epoch, end: { epoch: 0, seq: 0, checksum: 0n }, isUsed: false }, { id: '1', epoch, end: undefined, isUsed }, { id: '2', epoch, end: undefined, isUsed: false }],
      drives: 3, writeQuorum: 2, copies: 2,
    })
    expect(planWith(false)).toMatchObject({ kind: 'recover', donor: undefined })
    expect(planWith(true)).toEqual({ kind: 'refuse', reason: 'none of the drives with the metadata of epoch 7 can be read: 1, 2' })
  })
})
