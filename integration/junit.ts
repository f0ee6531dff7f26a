/** Counts from a JUnit XML report, which pytest and Vitest both write. */
export interface TestCounts {
  readonly passed: number
  /** Failures, errors and skipped tests: nothing is skipped silently. */
  readonly failed: number
}

const suite = /<testsuite\s([^>]*)>/g

export function countTests(xml: string): TestCounts {
  let tests = 0
  let failed = 0
  for (const [, attributes = ''] of xml.matchAll(suite)) {
    const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0)
    tests += count('tests')
    failed += count('failures') + count('errors') + count('skipped')
  }
  return { passed: tests - failed, failed }
}
