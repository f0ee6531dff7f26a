import type { Reporter, TestModule } from 'vitest/node'

/** Closes a test run with `N passed, N failed` (and `, N skipped`), the line that `.ci/run` adds up. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) counts[test.result().state]++
      const brokenAsAWhole = module.state() === 'failed' && tests.every((test) => test.result().state !== 'failed')
      if (brokenAsAWhole) counts.failed++
    }
    const skipped = counts.skipped + counts.pending
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
  }
}
