/**
 * What the Go, Java, Rust and Debian parts need before they run, fetched by each ecosystem's own client and held to hashes
 * in this repository: `go.sum`, `Cargo.lock`, and `jars.sha256` beside the Maven project. Debian's packages are checked by apt.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { runCommand } from './process.ts'

const here = import.meta.dirname

/** Download and compile `go-clients` into Go's own caches, so that the part's deadline is for its tests. */
export async function prepareGo(signal: AbortSignal): Promise<void> {
  await runCommand('go', ['vet', './...'], { signal, cwd: join(here, 'go-clients') })
}

/** The path of the program in the Go module `name`, built once for each state of its sources, into a folder outside the clone. */
export async function buildByGo(name: string, folder: string, signal: AbortSignal): Promise<string> {
  const module = join(here, name)
  const sources = createHash('sha256')
  for (const file of readdirSync(module).sort()) sources.update(file).update(readFileSync(join(module, file)))
  const program = join(folder, `go-${name.replaceAll('/', '-')}-${sources.digest('hex').slice(0, 12)}`)
  if (existsSync(program)) return program
  const staging = `${program}-${process.pid}`
  await runCommand('go', ['build', '-o', staging, '.'], { signal, cwd: module, env: { ...process.env, CGO_ENABLED: '0' } })
  renameSync(staging, program)
  return program
}

/** The path of the program in the cargo project `name`; what it depends on is compiled once, into a folder outside the clone. */
export async function buildByCargo(name: string, folder: string, signal: AbortSignal): Promise<string> {
  // rustup's folder is on the path of login shells only.
  const cargo = onPath('cargo') ? 'cargo' : join(process.env['CARGO_HOME'] ?? join(homedir(), '.cargo'), 'bin', 'cargo')
  if (cargo !== 'cargo' && !existsSync(cargo)) throw new Error(`${name} needs Rust 1.94 or newer, with cargo`)
  const project = join(here, name)
  const lock = createHash('sha256').update(readFileSync(join(project, 'Cargo.lock'))).digest('hex').slice(0, 12)
  const target = join(folder, `cargo-${name}-${lock}`)
  await runCommand(cargo, ['build', '--quiet', '--locked', '--target-dir', target], { signal, cwd: project })
  return join(target, 'debug', `moraine-${name}`)
}

/** A folder of exactly the jars in `java-clients/jars.sha256`, by Maven on first use. */
export async function fetchJavaClients(folder: string, signal: AbortSignal): Promise<string> {
  const pinned = readFileSync(join(here, 'java-clients', 'jars.sha256'), 'utf8')
  const target = join(folder, `java-clients-${createHash('sha256').update(pinned).digest('hex').slice(0, 12)}`)
  if (existsSync(target)) return target
  const staging = `${target}-fetching-${process.pid}`
  mkdirSync(staging, { recursive: true })
  await runCommand('mvn', [
    '-q', '-B', '-f', join(here, 'java-clients', 'pom.xml'),
    'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies', `-DoutputDirectory=${staging}`,
  ], { signal, cwd: staging })
  const fetched = readdirSync(staging).filter(name => name.endsWith('.jar')).sort()
    .map(name => `${createHash('sha256').update(readFileSync(join(staging, name))).digest('hex')}  ${name}`)
  const expected = new Set(pinned.trim().split('\n'))
  const strangers = fetched.filter(line => !expected.has(line))
  if (strangers.length > 0 || fetched.length !== expected.size) throw new Error(`not the pinned jars: ${strangers.join(', ')}; ${fetched.length} of ${expected.size}`)
  renameSync(staging, target)
  rmSync(staging, { recursive: true, force: true })
  return target
}

/** Install the Debian packages whose commands are missing, where apt lets us. Throws naming what is still missing. */
export async function installDebian(packages: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const missing = Object.entries(packages).filter(([command]) => !onPath(command))
  if (missing.length === 0) return
  const names = missing.map(([, name]) => name)
  if (process.getuid?.() !== 0 || !onPath('apt-get')) throw new Error(`install ${names.join(' and ')} first`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await runCommand('apt-get', ['update', '-qq'], { signal, env })
  await runCommand('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { signal, env })
}

function onPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some(folder => existsSync(join(folder, command)))
}
