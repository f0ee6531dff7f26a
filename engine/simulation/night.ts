// oxlint-disable-next-line no-restricted-imports -- this is a command: it has arguments, output and an exit code
import { argv, exit, stdout } from 'node:process'
import { simulateDrives } from './drives/simulate-drives.ts'
import { simulateMetadata } from './metadata/simulate-metadata.ts'
import { simulateSet } from './sets/simulate-set.ts'
import { simulate } from './simulate.ts'

/**
 * All simulations, seed by seed, until one finds a violation: `node engine/simulation/night.ts FIRST_SEED [SEEDS]`, without
 * SEEDS until it is ended. A violation is printed with the command that repeats it, and the exit code is 1.
 */
const moveSets = 3
const simulations = [
  { command: 'run.ts', run: (seed: number) => simulate(seed), runsOfSeed: 4 },
  { command: 'run.ts', run: (seed: number) => simulate(seed, { sets: moveSets }), runsOfSeed: 1, suffix: ` ${moveSets}` },
  { command: 'metadata/run.ts', run: (seed: number) => simulateMetadata(seed), runsOfSeed: 1 },
  { command: 'drives/run.ts', run: (seed: number) => simulateDrives(seed), runsOfSeed: 1 },
  { command: 'sets/run.ts', run: (seed: number) => simulateSet(seed), runsOfSeed: 1 },
]

const seedsOfLine = 100

const [firstSeed = Number.NaN, seeds = Infinity] = argv.slice(2).map(Number)
if (!Number.isSafeInteger(firstSeed) || !(seeds > 0)) {
  stdout.write('usage: node engine/simulation/night.ts FIRST_SEED [SEEDS]\n')
  exit(2)
}

const total = { seeds: 0, crashes: 0 }
for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
  for (const { command, run, runsOfSeed, suffix = '' } of simulations) {
    for (let nth = 0; nth < runsOfSeed; nth++) {
      const ofRun = seed * runsOfSeed + nth
      const { violation, crashes } = await run(ofRun)
      total.crashes += crashes
      if (violation === undefined) continue
      stdout.write(`seed ${seed}: ${violation}\nreproduce: node engine/simulation/${command} ${ofRun}${suffix}\n`)
      exit(1)
    }
  }
  total.seeds++
  if (total.seeds % seedsOfLine === 0) stdout.write(`up to seed ${seed}: ${JSON.stringify(total)}\n`)
}
stdout.write(`${JSON.stringify(total)}\n`)
