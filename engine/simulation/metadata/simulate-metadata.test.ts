import { describe, expect, it } from 'vitest'
import { simulateMetadata } from './simulate-metadata.ts'

// More of them in `integration/simulation`.
const seedsPerBlock = 40
const blocks = Array.from({ length: 2 }, (_, index) => index * seedsPerBlock)
const blockTimeoutMs = 180_000

describe('the metadata under the loss of power, processes and drives', () => {
  it.each(blocks)(`keep what they acknowledged: ${seedsPerBlock} seeds from %i`, async (first) => {
    let crashes = 0
    let commits = 0
    const failures: string[] = []
    for (let seed = first; seed < first + seedsPerBlock; seed++) {
      const result = await simulateMetadata(seed)
      crashes += result.crashes
      commits += result.commits
      if (result.violation !== undefined) failures.push(`seed ${seed}: ${result.violation}`)
    }
    expect(failures).toEqual([])
    expect(crashes).toBeGreaterThan(5 * seedsPerBlock)
    expect(commits).toBeGreaterThan(20 * seedsPerBlock)
  }, blockTimeoutMs)

  it('are simulated the same way each time', async () => {
    for (const seed of [0, 1, 2, 3, 7_000_000_000]) expect(await simulateMetadata(seed)).toEqual(await simulateMetadata(seed))
  })
})

describe('the simulation of the metadata notices', () => {
  const maxSeeds = 1000

  it.each(['ignoreSync', 'acknowledgeEarly', 'wrongQuorum', 'staleEpoch', 'skipVerify', 'skipCheckpointPin'] as const)('%s', async (mutation) => {
    let noticed = 0
    for (let seed = 0; seed < maxSeeds && noticed === 0; seed++) {
      if ((await simulateMetadata(seed, mutation)).violation !== undefined) noticed++
    }
    expect(noticed).toBe(1)
  }, blockTimeoutMs)
})
