/**
 * What the suites need from package registries, fetched once into a folder outside the clone:
 * `$MORAINE_CACHE`, else `$XDG_CACHE_HOME/moraine`, else `~/.cache/moraine`.
 *
 * Every item is fetched by its registry's own client and checked against a hash that is in this repository:
 * Python packages by pip's `--require-hashes`, jars by the SHA-256 in `jars` below.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { runCommand } from './process.ts'

const here = import.meta.dirname

export type PythonSet = 'clients' | 'objects' | 'spark'

export interface Jar {
  /** `group:artifact:version`, and `:extension` when it is no jar. */
  readonly coordinates: string
  readonly sha256: string
}

export const jars: Readonly<Record<'icebergSpark' | 'icebergAws', Jar>> = {
  icebergSpark: {
    coordinates: 'org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0',
    sha256: 'd6ea6c5d099288daeb7d5a92061bd3d7d8f296492632b42378e5f2f0e3066242',
  },
  icebergAws: {
    coordinates: 'org.apache.iceberg:iceberg-aws-bundle:1.11.0',
    sha256: '38f01da7e96850cdd05e6616d758b77b43314b712a8808e3f9a824d56976162f',
  },
}

export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['MORAINE_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'moraine')
}

/** The `python` of a virtual environment that holds exactly `requirements-<set>.txt`; made on first use. */
export async function pythonEnvironment(set: PythonSet, folder: string, signal: AbortSignal): Promise<string> {
  const requirements = join(here, 'python', `requirements-${set}.txt`)
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const venv = join(folder, `python-${set}-${hash}`)
  const python = join(venv, 'bin', 'python')
  const complete = join(venv, 'complete')
  if (existsSync(complete)) return python
  // A virtual environment holds its own path, so it is made in place and marked when whole.
  rmSync(venv, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const bootstrap = process.env['PYTHON'] ?? 'python3'
  await runCommand(bootstrap, ['-m', 'venv', venv], { signal })
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--require-hashes', '-r', requirements]
  await runCommand(python, pip, { signal })
  writeFileSync(complete, '')
  return python
}

/** The path of a jar whose bytes have the pinned hash; fetched by Maven on first use. */
export async function fetchJar(jar: Jar, folder: string, signal: AbortSignal): Promise<string> {
  const path = join(folder, 'jars', jar.sha256.slice(0, 12), fileName(jar))
  if (existsSync(path)) return path
  const staging = join(folder, 'jars', `fetching-${process.pid}-${jar.sha256.slice(0, 12)}`)
  mkdirSync(staging, { recursive: true })
  const fetched = await fetchArtifact(jar, staging, signal)
  mkdirSync(dirname(path), { recursive: true })
  renameSync(fetched, path)
  rmSync(staging, { recursive: true })
  return path
}

/** A file in `folder`, fetched there by Maven. Throws when its hash is another. */
export async function fetchArtifact(artifact: Jar, folder: string, signal: AbortSignal): Promise<string> {
  await runCommand('mvn', [
    '-q', '-B', 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy',
    `-Dartifact=${artifact.coordinates}`, `-DoutputDirectory=${folder}`,
  ], { signal, cwd: folder })
  const path = join(folder, fileName(artifact))
  const sha256 = await sha256Of(path)
  if (sha256 !== artifact.sha256) throw new Error(`${artifact.coordinates}: SHA-256 is ${sha256}, expected ${artifact.sha256}`)
  return path
}

function fileName({ coordinates }: Jar): string {
  const [, artifact, version, extension = 'jar'] = coordinates.split(':')
  return `${artifact}-${version}.${extension}`
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
