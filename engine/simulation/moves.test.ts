import { expect, it } from 'vitest'
import { simulate } from './simulate.ts'

const seeds = 150

it(`blobs that are moved between sets of drives while clients work and power is lost stay what they were: ${seeds} seeds`, async () => {
  const failures: string[] = []
  let [moved, emptied] = [0, 0]
  for (let seed = 0; seed < seeds; seed++) {
    const result = await simulate(seed, { sets: 3 })
    if (result.violation !== undefined) failures.push(`seed ${seed}: ${result.violation}\nreproduce: node engine/simulation/run.ts ${seed} 3`)
    moved += result.moved
    emptied += result.emptied
  }
  expect(failures).toEqual([])
  expect(moved).toBeGreaterThan(seeds)
  expect(emptied).toBeGreaterThan(seeds)
}, 240_000)
