// oxlint-disable-next-line no-restricted-imports -- this is a command: it has arguments, output and an exit code
import { argv, exit, stdout } from 'node:process'
import { simulateSet } from './simulate-set.ts'
import { setMutations } from './set-world.ts'

/** Runs seeds of the simulation of a whole server over sets of drives by hand: `node engine/simulation/sets/run.ts SEED | FIRST-LAST [MUTATION]`. */
const [, , seeds = '0', mutationName] = argv
const mutation = setMutations.find((each) => each === mutationName)
const [first = 0, last = first] = seeds.split('-').map(Number)
const total = { seeds: 0, violations: 0, crashes: 0, operations: 0 }
for (let seed = first; seed <= last; seed++) {
  const { violation, crashes, operations } = await simulateSet(seed, mutation)
  total.seeds++
  total.crashes += crashes
  total.operations += operations
  if (violation === undefined) continue
  total.violations++
  stdout.write(`seed ${seed}: ${violation}\n`)
}
stdout.write(`${JSON.stringify(total)}\n`)
exit(total.violations === 0 ? 0 : 1)
