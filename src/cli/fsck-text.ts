import type { Finding, FsckReport } from '../../engine/index.ts'

/** What `moraine fsck` exits with; 1 is left for a check that could not be made. */
export const fsckExitCodes = { clean: 0, wrong: 2, lost: 3 } as const satisfies Record<FsckReport['verdict'], number>

const headings = {
  lost: 'Lost: acknowledged bytes or rows are gone or fail their checksum',
  wrong: 'Wrong: records contradict each other',
  garbage: 'Garbage: space that nothing refers to; the server collects it',
} as const satisfies Record<Finding['severity'], string>

const verdicts = {
  clean: 'clean: nothing lost, nothing wrong',
  wrong: 'wrong: records contradict each other, nothing is lost yet',
  lost: 'LOST: something that was acknowledged is gone',
} as const satisfies Record<FsckReport['verdict'], string>

/** The report for people. */
export function fsckText(drives: readonly string[], { verdict, findings, found, checked, awaitingCollection }: FsckReport): string {
  const sections = (['lost', 'wrong', 'garbage'] as const).flatMap(severity => {
    const shown = findings.filter(finding => finding.severity === severity)
    if (shown.length === 0) return []
    const more = found[severity] - shown.length
    return [`${headings[severity]}:`, ...shown.map(({ code, subject, explanation }) => `  ${code} ${subject}: ${explanation}`), ...(more > 0 ? [`  and ${more} more`] : []), '']
  })
  const counts = Object.entries(checked).map(([name, count]) => `${count.toLocaleString('en')} ${name === 'tableFiles' ? 'files of tables' : name}`).join(', ')
  return [...sections, `Checked ${drives.join(' ')}: ${counts}; ${awaitingCollection.toLocaleString('en')} awaiting collection`, verdicts[verdict], ''].join('\n')
}
