/** Trino's server, and the Java that runs it. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fetchArtifact } from './cache.ts'
import { runCommand } from './process.ts'

const version = '476'
const sha256 = 'cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f'
const javaHomes = '/usr/lib/jvm'

/** The folder of a Trino with the Iceberg connector only; fetched by Maven (821 MB) and unpacked on first use. */
export async function trinoHome(cache: string, signal: AbortSignal): Promise<string> {
  const home = join(cache, `trino-server-${version}-${sha256.slice(0, 12)}`)
  if (existsSync(home)) return home
  const staging = join(cache, `unpacking-trino-${process.pid}`)
  mkdirSync(staging, { recursive: true })
  const archive = await fetchArtifact({ coordinates: `io.trino:trino-server:${version}:tar.gz`, sha256 }, staging, signal)
  await runCommand('tar', ['-xzf', archive, '-C', staging], { signal })
  // The whole archive is unpacked first, since its plugins share files by hard links.
  const unpacked = join(staging, `trino-server-${version}`)
  for (const name of readdirSync(join(unpacked, 'plugin'))) {
    if (name !== 'iceberg') rmSync(join(unpacked, 'plugin', name), { recursive: true })
  }
  renameSync(unpacked, home)
  rmSync(staging, { recursive: true })
  return home
}

/** `java` of a Java 25: `$JAVA_25_HOME`, else one below `/usr/lib/jvm`. Trino 476 starts with no older one than 24. */
export function java25(env: NodeJS.ProcessEnv = process.env): string {
  const installed = existsSync(javaHomes) ? readdirSync(javaHomes).filter(name => /(^|\D)25(\D|$)/.test(name)).map(name => join(javaHomes, name)) : []
  const java = [env['JAVA_25_HOME'], ...installed].map(home => join(home ?? '', 'bin', 'java')).find(existsSync)
  if (java === undefined) throw new Error(`Trino ${version} needs Java 25: set JAVA_25_HOME, or install one below ${javaHomes}`)
  return java
}
