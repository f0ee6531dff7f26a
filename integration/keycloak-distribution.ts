/** Keycloak, ready to start. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fetchArtifact } from './cache.ts'
import { runCommand } from './process.ts'

const version = '26.4.5'
const sha256 = '72f73642a2c36de797d51b4b2b342d4a49f6e5832af10aa470cd123627bd80b3'

/** The folder of a Keycloak that is built for a database in memory; fetched by Maven (160 MB), unpacked and built on first use. It needs Java 17. */
export async function keycloakHome(cache: string, python: string, signal: AbortSignal): Promise<string> {
  const folder = join(cache, `keycloak-${version}-${sha256.slice(0, 12)}`)
  const home = join(folder, `keycloak-${version}`)
  if (existsSync(folder)) return home
  const staging = join(cache, `unpacking-keycloak-${process.pid}`)
  mkdirSync(staging, { recursive: true })
  const archive = await fetchArtifact({ coordinates: `org.keycloak:keycloak-quarkus-dist:${version}:zip`, sha256 }, staging, signal)
  // Python's own: not every machine has an `unzip`.
  await runCommand(python, ['-m', 'zipfile', '-e', archive, staging], { signal })
  rmSync(archive)
  const program = join(staging, `keycloak-${version}`, 'bin', 'kc.sh')
  await runCommand('bash', [program, 'build', '--db=dev-mem'], { signal, env: { ...process.env, JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m' } })
  renameSync(staging, folder)
  return home
}
