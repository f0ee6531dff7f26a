// oxlint-disable-next-line no-restricted-imports -- this is a command: it has arguments, output and an exit code
import { argv, exit, stdout } from 'node:process'
import { simulateDrives } from './simulate-drives.ts'

/** Runs seeds of the drive simulation by hand, for as long as wanted: `node engine/simulation/drives/run.ts SEED | FIRST-LAST`. */
const [first = 0, last = first] = (argv[2] ?? '0').split('-').map(Number)
const total = { seeds: 0, violations: 0, crashes: 0, faults: 0, acknowledged: 0 }
for (let seed = first; seed <= last; seed++) {
  const { violation, crashes, faults, acknowledged } = await simulateDrives(seed)
  total.seeds++
  total.crashes += crashes
  total.faults += faults
  total.acknowledged += acknowledged
  if (violation === undefined) continue
  total.violations++
  stdout.write(`seed ${seed}: ${violation}\n`)
}
stdout.write(`${JSON.stringify(total)}\n`)
exit(total.violations === 0 ? 0 : 1)
