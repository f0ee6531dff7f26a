// oxlint-disable-next-line no-restricted-imports -- this is a command: it has arguments, output and an exit code
import { argv, exit, stdout } from 'node:process'
import { simulateMetadata } from './simulate-metadata.ts'

/** Runs seeds of the metadata simulation by hand, for as long as wanted: `node engine/simulation/metadata/run.ts SEED | FIRST-LAST`. */
const [first = 0, last = first] = (argv[2] ?? '0').split('-').map(Number)
const total = { seeds: 0, violations: 0, crashes: 0, commits: 0 }
for (let seed = first; seed <= last; seed++) {
  const { violation, crashes, commits } = await simulateMetadata(seed)
  total.seeds++
  total.crashes += crashes
  total.commits += commits
  if (violation === undefined) continue
  total.violations++
  stdout.write(`seed ${seed}: ${violation}\n`)
}
stdout.write(`${JSON.stringify(total)}\n`)
exit(total.violations === 0 ? 0 : 1)
