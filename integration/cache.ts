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

export type PythonSet = 'clients' | 'objects' | 'spark' | 'spark40' | 'flink' | 'hudi' | 'matrix'

export interface Jar {
  /** `group:artifact:version`, and `:extension` when it is no jar. */
  readonly coordinates: string
  readonly sha256: string
}

/** The jars that a part's engine runs with, in the order of its class path. */
export type JarSet = 'iceberg' | 'iceberg40' | 'flink' | 'delta' | 'hudi'

const icebergAws: Jar = {
  coordinates: 'org.apache.iceberg:iceberg-aws-bundle:1.11.0',
  sha256: '38f01da7e96850cdd05e6616d758b77b43314b712a8808e3f9a824d56976162f',
}

export const jars: Readonly<Record<JarSet, readonly Jar[]>> = {
  iceberg: [
    {
      coordinates: 'org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0',
      sha256: 'd6ea6c5d099288daeb7d5a92061bd3d7d8f296492632b42378e5f2f0e3066242',
    },
    icebergAws,
  ],
  iceberg40: [
    {
      coordinates: 'org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.11.0',
      sha256: '63c3b812549dc232c1920865ff42436df8604a9bbacd693930985c06bd97e6dc',
    },
    icebergAws,
  ],
  flink: [
    {
      coordinates: 'org.apache.iceberg:iceberg-flink-runtime-2.1:1.11.0',
      sha256: '39e658d876f253815b4b17c6676bebf6a24d517afe93a21298106d1d7fa97331',
    },
    icebergAws,
    { coordinates: 'org.apache.hadoop:hadoop-client-api:3.4.2', sha256: '607c0299f4df33013bd0a0f37c8cf255c635bbaddd247b8fec68c210cc17d19f' },
    { coordinates: 'org.apache.hadoop:hadoop-client-runtime:3.4.2', sha256: '18d071c7f72f8a946677b398a57af9c7afa2dd41a81023c310f99373fec200b3' },
  ],
  delta: [
    { coordinates: 'io.delta:delta-spark_4.1_2.13:4.2.0', sha256: '8480050a55c7e50427f3bec3af9243f98fc7cbfa453a2ef55e6ea8d0b7b121ff' },
    { coordinates: 'io.delta:delta-storage:4.2.0', sha256: '2d84df76551f2b3cd27b120abec67ccbba324cea6ec45eb659edcc54234f99f3' },
    { coordinates: 'org.apache.hadoop:hadoop-aws:3.4.2', sha256: 'd2d24e6b715b5656b9d238bf13b6682a07e2004dd36aad74a73aeb854319f4d9' },
    { coordinates: 'software.amazon.awssdk:bundle:2.29.52', sha256: '62638f33045690c6bc5e496b54b0b2e89a9ad38cbedacdf6e017fea6bc85f55c' },
  ],
  hudi: [
    { coordinates: 'org.apache.hudi:hudi-spark3.5-bundle_2.12:1.2.0', sha256: 'cc79fba00822f3a6c3a860df99375c2e3d4a034d037dbf4213a4966a706a7676' },
    { coordinates: 'org.apache.hadoop:hadoop-aws:3.3.4', sha256: '53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a' },
    { coordinates: 'com.amazonaws:aws-java-sdk-bundle:1.12.262', sha256: '873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5' },
  ],
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
