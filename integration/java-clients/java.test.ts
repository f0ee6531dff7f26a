/** Compiles and runs the JUnit tests beside it once, and is a test for each of theirs. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import { afterAll, expect, test } from 'vitest'
import { documented, holds } from '../documented.ts'

interface TestCase {
  readonly name: string
  readonly classname: string
  readonly failure?: unknown
  readonly error?: unknown
  readonly skipped?: unknown
}

const sources = join(import.meta.dirname, 'src')
const jars = process.env['TEST_JAVA_JARS']
if (jars === undefined) throw new Error('TEST_JAVA_JARS is not set: run the suites with integration/run.ts')
const scratch = mkdtempSync(join(tmpdir(), 'java-clients-'))
afterAll(() => rmSync(scratch, { recursive: true }))

function run(command: string, args: readonly string[]): string {
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, timeout: 240_000 })
  return `${done.stdout}${done.stderr}`
}

const classes = join(scratch, 'classes')
const files = readdirSync(sources).filter(name => name.endsWith('.java')).map(name => join(sources, name))
const compiled = run('javac', ['-Xlint:none', '-d', classes, '-cp', join(jars, '*'), ...files])
const output = run('java', [
  '-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', `-Djava.io.tmpdir=${scratch}`, '-cp', `${classes}:${join(jars, '*')}`,
  'org.junit.platform.console.ConsoleLauncher', 'execute', '--scan-classpath', classes,
  '--disable-banner', '--details=none', '--disable-ansi-colors', '--reports-dir', scratch,
])

function testCases(): TestCase[] {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', isArray: name => name === 'testcase' })
  const report = parser.parse(readFileSync(join(scratch, 'TEST-junit-jupiter.xml'))) as { testsuite: { testcase?: TestCase[] } }
  return report.testsuite.testcase ?? []
}

const cases = testCases()

test('the Java tests are compiled and run', () => {
  expect(cases.length, compiled + output).toBeGreaterThan(0)
})

test.each(cases.map(entry => [`${entry.classname} ${entry.name}`, entry] as const))('%s', (_, entry) => {
  expect(entry.failure ?? entry.error ?? entry.skipped).toBeUndefined()
})

test.each([
  ['AWS SDK for Java', 'AwsSdkTest.java'],
  ['Hadoop S3A', 'HadoopS3aTest.java'],
])('the settings documented for %s are those of %s', (heading, file) => {
  expect(holds(readFileSync(join(sources, file), 'utf8'), documented(heading, 'java'), 'Server.ENDPOINT')).toBe(true)
})
