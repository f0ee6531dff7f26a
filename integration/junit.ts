/** Counts from JUnit XML reports, which pytest, Vitest and Surefire write. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

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

/** The counts of a report, or of all `.xml` reports in a folder; zeros when there is none. */
export function countReports(path: string): TestCounts {
  if (!existsSync(path)) return { passed: 0, failed: 0 }
  const files = statSync(path).isDirectory() ? readdirSync(path).filter(name => name.endsWith('.xml')).map(name => join(path, name)) : [path]
  const counts = files.map(file => countTests(readFileSync(file, 'utf8')))
  return { passed: sum(counts.map(({ passed }) => passed)), failed: sum(counts.map(({ failed }) => failed)) }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
