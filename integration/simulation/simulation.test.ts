/**
 * The simulations for longer than unit tests may take: `engine/simulation/night.ts` in two processes, over seeds that the unit
 * tests do not run; and the faults of our own that the simulation of a whole server must notice.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { setMutations } from '../../engine/simulation/sets/set-world.ts'
import { simulateSet } from '../../engine/simulation/sets/simulate-set.ts'

const command = join(import.meta.dirname, '..', '..', 'engine', 'simulation', 'night.ts')
const seedsEach = 230
const firstSeeds = [100_000, 200_000]
const leastCrashes = 10_000
const maxSeeds = 1000

interface Tally {
  readonly seeds: number
  readonly crashes: number
}

test(`at least ${leastCrashes} crash points lose nothing`, { timeout: 450_000 }, async () => {
  const tallies = await Promise.all(firstSeeds.map(async first => {
    const { stdout } = await promisify(execFile)(process.execPath, [command, String(first), String(seedsEach)]).catch((error: { readonly stdout: string; readonly stderr: string }) => {
      throw new Error(error.stdout + error.stderr)
    })
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Tally
  }))
  console.log(JSON.stringify(tallies))
  expect(tallies.map(({ seeds }) => seeds)).toEqual([seedsEach, seedsEach])
  expect(tallies.reduce((sum, { crashes }) => sum + crashes, 0)).toBeGreaterThanOrEqual(leastCrashes)
})

test.each(setMutations)(`a server over several drives with this fault is noticed within ${maxSeeds} seeds: %s`, async mutation => {
  let seed = 0
  while (seed < maxSeeds && (await simulateSet(seed, mutation)).violation === undefined) seed++
  expect(seed).toBeLessThan(maxSeeds)
})
