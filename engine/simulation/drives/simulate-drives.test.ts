import { describe, expect, it } from 'vitest'
import { driveMutations, simulateDrives } from './simulate-drives.ts'

// More of them in `integration/simulation`.
const seeds = 50

describe('sets of drives under faults', () => {
  it(`keep what they acknowledged, in ${seeds} runs`, async () => {
    let [crashes, faults, acknowledged] = [0, 0, 0]
    for (let seed = 0; seed < seeds; seed++) {
      const result = await simulateDrives(seed)
      expect(result.violation, `seed ${seed}`).toBeUndefined()
      crashes += result.crashes
      faults += result.faults
      acknowledged += result.acknowledged
    }
    expect(crashes).toBeGreaterThan(3 * seeds)
    expect(faults).toBeGreaterThan(2 * seeds)
    expect(acknowledged).toBeGreaterThan(5 * seeds)
  }, 300_000)

  it('repeat exactly', async () => {
    for (const seed of [3, 17, 40]) expect((await simulateDrives(seed)).traceHash).toBe((await simulateDrives(seed)).traceHash)
  })

  it.each(driveMutations)('notice %s', async (mutation) => {
    let noticed = 0
    for (let seed = 0; seed < 300 && noticed < 3; seed++) if ((await simulateDrives(seed, mutation)).violation !== undefined) noticed++
    expect(noticed).toBe(3)
  }, 300_000)
})
