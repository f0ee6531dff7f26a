import { describe, expect, it } from 'vitest'
import { mutations, simulate, type SimulationResult } from './simulate.ts'

// More of them in `integration/simulation`.
const seedsPerBlock = 100
const blocks = Array.from({ length: 4 }, (_, index) => index * seedsPerBlock)
const blockTimeoutMs = 120_000

/** What a failing seed prints: its number, what was violated, and how to see it again. */
function report(seed: number, { violation }: SimulationResult): string {
  return `seed ${seed}: ${violation}\nreproduce: node engine/simulation/run.ts ${seed}`
}

describe('the engine under power loss', () => {
  it.each(blocks)(
    `keeps what it acknowledged and nothing half-done: ${seedsPerBlock} seeds from %i`,
    async (first) => {
      let crashes = 0
      let operations = 0
      const failures: string[] = []
      for (let seed = first; seed < first + seedsPerBlock; seed++) {
        const result = await simulate(seed)
        crashes += result.crashes
        operations += result.operations
        if (result.violation !== undefined) failures.push(report(seed, result))
      }
      expect(failures).toEqual([])
      expect(crashes).toBe(2 * seedsPerBlock)
      expect(operations).toBeGreaterThan(30 * seedsPerBlock)
    },
    blockTimeoutMs,
  )

  it('is simulated the same way each time', async () => {
    for (const seed of [0, 1, 2, 3, 7_000_000_000]) {
      const [first, second] = [await simulate(seed), await simulate(seed)]
      expect(second).toEqual(first)
    }
    expect((await simulate(1)).traceHash).not.toBe((await simulate(2)).traceHash)
  })
})

describe('the simulation notices', () => {
  const maxSeeds = 300

  it.each(mutations)('%s', async (mutation) => {
    let noticed = 0
    for (let seed = 0; seed < maxSeeds && noticed < 3; seed++) {
      if ((await simulate(seed, { mutation })).violation !== undefined) noticed++
    }
    expect(noticed).toBe(3)
  })
})
