/** What each kind of part runs, once everything that it needs from package registries is in the cache. */
import { join } from 'node:path'
import { fetchJar, jars, pythonEnvironment, type JarSet } from './cache.ts'
import { keycloakHome } from './keycloak-distribution.ts'
import type { Part, PytestRunner, VitestRunner } from './parts.ts'
import { runCommand } from './process.ts'
import { buildByCargo, buildByGo, fetchJavaClients, installDebian, prepareGo } from './toolchains.ts'
import { java25, trinoHome } from './trino-distribution.ts'

const here = import.meta.dirname
const downloadDeadlineMs = 15 * 60_000

export interface Prepared {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** A JUnit XML report, or a folder of them, that the command leaves behind. */
  readonly report: string
}

/** `scratch` is an empty folder that outlives the command; `cache` one that outlives the run. */
export async function prepare(part: Part, scratch: string, cache: string): Promise<Prepared> {
  const signal = AbortSignal.timeout(downloadDeadlineMs)
  switch (part.runner.kind) {
    case 'vitest':
      return await vitest(part.name, part.runner, scratch, cache, signal)
    case 'pytest':
      return await pytest(part.name, part.runner, scratch, cache, signal)
    case 'maven':
      return await maven(part.name, scratch, signal)
  }
}

async function vitest(name: string, runner: VitestRunner, scratch: string, cache: string, signal: AbortSignal): Promise<Prepared> {
  if (runner.wraps === 'go') await prepareGo(signal)
  const built = runner.goProgram === undefined ? {} : { TEST_PROGRAM: await buildByGo(runner.goProgram, cache, signal) }
  const env = { ...built, ...(runner.wraps === 'java' ? { TEST_JAVA_JARS: await fetchJavaClients(cache, signal) } : {}) }
  const report = join(scratch, `${name}.xml`)
  const program = join(here, '..', 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=junit', `--outputFile.junit=${report}`]
  const args = [program, 'run', '--config', join(here, 'vitest.config.ts'), ...reporters, join(here, name)]
  return { command: process.execPath, args, env, report }
}

async function pytest(name: string, runner: PytestRunner, scratch: string, cache: string, signal: AbortSignal): Promise<Prepared> {
  const report = join(scratch, `${name}.xml`)
  if (runner.debian !== undefined) await installDebian(runner.debian, signal)
  const python = await pythonEnvironment(runner.python, cache, signal)
  const classPath = runner.jars === undefined ? '' : await fetchJars(runner.jars, cache, signal)
  const flink = runner.flink === true ? { TEST_FLINK_JARS: await fetchJars('flink', cache, signal) } : {}
  const options = ['-c', join(here, 'pytest.ini'), '--rootdir', here, '-q', '--durations=5', `--junitxml=${report}`]
  const trino = runner.trino === true ? { TRINO_HOME: await trinoHome(cache, signal), TRINO_JAVA: java25() } : {}
  const keycloak = runner.keycloak === true ? { KEYCLOAK_HOME: await keycloakHome(cache, python, signal) } : {}
  const program = runner.cargo === undefined ? {} : { TEST_PROGRAM: await buildByCargo(runner.cargo, cache, signal) }
  const env = { TEST_JARS: classPath, TEST_NODE: process.execPath, PYTHONDONTWRITEBYTECODE: '1', ...trino, ...keycloak, ...flink, ...program }
  const tests = runner.shares === undefined ? [join(here, name)] : ['-m', runner.shares.marker, join(here, runner.shares.folder)]
  return { command: python, args: ['-m', 'pytest', ...options, ...tests], env, report }
}

/** The paths of a set's jars, with commas between them as `spark.jars` has. */
async function fetchJars(set: JarSet, cache: string, signal: AbortSignal): Promise<string> {
  const paths: string[] = []
  for (const jar of jars[set]) paths.push(await fetchJar(jar, cache, signal))
  return paths.join(',')
}

/** Maven resolves into its own repository, outside the clone, and checks what it fetches against the registry's checksums. */
async function maven(name: string, scratch: string, signal: AbortSignal): Promise<Prepared> {
  const output = join(scratch, `${name}-output`)
  const project = ['-q', '-B', '--strict-checksums', '-f', join(here, name, 'pom.xml'), `-Doutput=${output}`, 'test']
  await runCommand('mvn', [...project, '-DskipTests'], { signal, cwd: scratch })
  return { command: 'mvn', args: project, env: {}, report: join(output, 'surefire-reports') }
}
