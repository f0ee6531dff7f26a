/**
 * Power cuts for as long as wanted: `node integration/power/run.ts MINUTES [FIRST_SEED]` makes one recording after another,
 * counting the seed up, and stops at the first that loses something. A recording depends on time too, so that its seed alone
 * does not repeat it: what is printed says where the power went, and what was found.
 */
import { cacheFolder } from '../cache.ts'
import { buildByGo } from '../toolchains.ts'
import { cutPower } from './power-cuts.ts'
import { recordings } from './recordings.ts'

const [minutes = Number.NaN, firstSeed = 1] = process.argv.slice(2).map(Number)
if (!(minutes > 0) || !Number.isSafeInteger(firstSeed)) {
  console.log('usage: node integration/power/run.ts MINUTES [FIRST_SEED]')
  process.exit(2)
}
const program = await buildByGo('power/recorder', cacheFolder(), AbortSignal.timeout(15 * 60_000))
const endsAt = performance.now() + minutes * 60_000
let points = 0
let problems: readonly string[] = []
for (let seed = firstSeed; performance.now() < endsAt && problems.length === 0; seed++) {
  for (const recording of recordings) {
    const outcome = await cutPower({ ...recording, program, seed })
    points += outcome.points
    problems = outcome.problems
    console.log(`seed ${seed}, ${recording.name}: ${outcome.points} points, ${outcome.acknowledged} writes acknowledged, ${problems.length} problems`)
    if (problems.length > 0 || performance.now() >= endsAt) break
  }
}
for (const problem of problems) console.log(problem)
console.log(`${points} points, ${problems.length === 0 ? 'clean' : 'FAILED'}`)
process.exit(problems.length === 0 ? 0 : 1)
