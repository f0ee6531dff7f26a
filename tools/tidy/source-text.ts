import { type Problem, type Tree, lineAt } from './tree.ts'

const doors = new Set(['engine/index.ts', 'catalog/index.ts'])
const lockFile = 'package-lock.json'

/** Only the two doors re-export; everyone else imports a name from where it is. */
export function barrels(tree: Tree): Problem[] {
  return [...tree.sources].flatMap(([path, { reExportLines }]) =>
    doors.has(path) ? [] : reExportLines.map((line) => ({ path, line, message: 're-exports: only engine/index.ts and catalog/index.ts may' })),
  )
}

/** The wall clock is a port in the libraries; `Date.now` is the linter's to find. */
export function wallClock(tree: Tree): Problem[] {
  return [...tree.sources].flatMap(([path, { wallClockLines }]) =>
    !/^(base|engine|catalog)\//.test(path) || path === 'base/system.ts' || path.endsWith('.test.ts')
      ? []
      : wallClockLines.map((line) => ({ path, line, message: 'reads the wall clock: use the Clock port, clock.nowMs() (base/clock.ts)' })),
  )
}

/** Words are put together here so that this file does not hold them itself. */
const leftoverWords = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`)

/** Unfinished work is an issue or an ADR, not a marker in the source. */
export function leftovers(tree: Tree): Problem[] {
  return matches(tree, leftoverWords, (word) => `a leftover ${word}`)
}

const foreignPlaces = new RegExp(
  [
    String.raw`(?<![\w.~}-])/(?:wo${'rk'}|tm${'p'}|home|opt/wheels)/\w`,
    String.raw`\bregis${'try'}\.[a-z.]+\.(?:org|com)\b`,
    String.raw`\b(?:py${'pi'}|files\.python${'hosted'})\.org\b`,
    String.raw`\brepo1?\.maven\.(?:org|apache\.org)\b`,
    String.raw`\b(?:static\.)?cra${'tes'}\.io\b`,
    String.raw`\bproxy\.gol${'ang'}\.org\b`,
  ].join('|'),
)

/** Nothing depends on one machine's paths or on a package registry's address: clients are configured outside. */
export function foreignPlaceNames(tree: Tree): Problem[] {
  // A lock file of cargo names its registry in every entry.
  const ours = (path: string): boolean => !path.startsWith('iceberg-fixtures/') && !path.endsWith('/Cargo.lock')
  return matches(tree, foreignPlaces, (place) => `names ${place}: a path of one machine, or a registry's address`, ours)
}

const suppression = /(?:ox|es)lint-disable(?:-next-line|-line)?(?![^\n]*\s--\s\S)/

/** A rule switched off says why: `oxlint-disable-next-line rule -- reason`. */
export function suppressions(tree: Tree): Problem[] {
  return matches(tree, suppression, (comment) => `${comment} needs a reason: "-- because …"`, (path) => /\.[cm]?[jt]s$/.test(path) && !path.startsWith('tools/tidy'))
}

function matches(tree: Tree, pattern: RegExp, message: (found: string) => string, applies: (path: string) => boolean = () => true): Problem[] {
  const everywhere = new RegExp(pattern, 'g')
  return [...tree.files]
    .filter(([path]) => path !== lockFile && applies(path))
    .flatMap(([path, text]) => [...text.matchAll(everywhere)].map((match) => ({ path, line: lineAt(text, match.index), message: message(match[0]) })))
}
