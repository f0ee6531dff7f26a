import { describe, expect, it } from 'vitest'
import { simulateSet } from './simulate-set.ts'

const seeds = 15

// Many more, and the faults that it must notice: `integration/simulation`.
describe('a server over a set of drives, metadata and blobs together', () => {
  it(`keeps what it acknowledged while drives fail, in ${seeds} runs`, async () => {
    const failures: string[] = []
    let operations = 0
    for (let seed = 0; seed < seeds; seed++) {
      const result = await simulateSet(seed)
      operations += result.operations
      if (result.violation !== undefined) failures.push(`seed ${seed}: ${result.violation}\nreproduce: node engine/simulation/sets/run.ts ${seed}`)
    }
    expect(failures).toEqual([])
    expect(operations).toBeGreaterThan(30 * seeds)
  })

  it('is simulated the same way each time', async () => {
    for (const seed of [1, 2, 7_000_000_000]) expect(await simulateSet(seed)).toEqual(await simulateSet(seed))
  })
})
