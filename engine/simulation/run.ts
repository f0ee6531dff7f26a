// oxlint-disable-next-line no-restricted-imports -- this is a command: it has arguments, output and an exit code
import { argv, exit, stdout } from 'node:process'
import { mutations, simulate } from './simulate.ts'

/**
 * Reproduces a run of the simulation from its number, with its trace; or runs a range of seeds:
 *
 *     node engine/simulation/run.ts SEED [ignoreSync|ignoreDirectorySync|acknowledgeEarly]
 *     node engine/simulation/run.ts FIRST-LAST [MUTATION]
 *     node engine/simulation/run.ts SEED|FIRST-LAST SETS    with so many sets of drives, between which blobs are moved
 */
const [, , seeds = '', mutationName] = argv
const mutation = mutations.find((each) => each === mutationName)
const sets = /^[2-9]$/.test(mutationName ?? '') ? Number(mutationName) : undefined
const [first = Number.NaN, last = first] = seeds.split('-').map(Number)
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || (mutationName !== undefined && mutation === undefined && sets === undefined)) {
  stdout.write(`usage: node engine/simulation/run.ts SEED|FIRST-LAST [${mutations.join('|')}|SETS]\n`)
  exit(2)
}

let violated = 0
for (let seed = first; seed <= last; seed++) {
  const onTrace = first === last ? (line: string) => void stdout.write(`${line}\n`) : undefined
  const result = await simulate(seed, { ...(mutation === undefined ? {} : { mutation }), ...(sets === undefined ? {} : { sets }), ...(onTrace === undefined ? {} : { onTrace }) })
  if (result.violation !== undefined) violated++
  if (result.violation !== undefined || first === last) stdout.write(`seed ${seed}: ${result.violation ?? 'clean'} (trace ${result.traceHash})\n`)
}
if (first !== last) stdout.write(`${last - first + 1} seeds, ${violated} violated\n`)
exit(violated === 0 ? 0 : 1)
