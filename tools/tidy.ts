/**
 * Style as a test: `npm run tidy` reads every committed file and says, a line each, what does not fit.
 * Exit 0 when everything does, 1 otherwise.
 */
import { deadFiles } from './tidy/dead-files.ts'
import { dependencyRows } from './tidy/dependencies-page.ts'
import { docLinks } from './tidy/doc-links.ts'
import { importDirection } from './tidy/import-direction.ts'
import { invariants } from './tidy/invariants.ts'
import { completeLock } from './tidy/lock-file.ts'
import { sizes } from './tidy/sizes.ts'
import { barrels, foreignPlaceNames, leftovers, suppressions, wallClock } from './tidy/source-text.ts'
import { type Rule, readTree } from './tidy/tree.ts'

const rules: readonly Rule[] = [
  importDirection,
  sizes,
  barrels,
  deadFiles,
  docLinks,
  invariants,
  dependencyRows,
  completeLock,
  leftovers,
  suppressions,
  wallClock,
  foreignPlaceNames,
]

const tree = readTree(process.cwd())
const problems = rules.flatMap((rule) => rule(tree).map((problem) => ({ rule: rule.name, ...problem })))
for (const { path, line, message, rule } of problems) console.log(`${path}${line === 0 ? '' : `:${line}`}: ${message} [${rule}]`)
console.log(`tidy: ${tree.files.size} files, ${rules.length} rules, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
