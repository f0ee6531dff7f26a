/** The parts of the black-box suites: one client each, in the order in which they run. */
import type { JarSet, PythonSet } from './cache.ts'

export interface PytestRunner {
  readonly kind: 'pytest'
  readonly python: PythonSet
  readonly jars?: JarSet
  /** Flink's jars besides, in `TEST_FLINK_JARS`. */
  readonly flink?: boolean
  /** The folder of the tests when several parts share it, each with the tests that its marker selects. */
  readonly shares?: { readonly folder: string; readonly marker: string }
  readonly trino?: boolean
  readonly keycloak?: boolean
  /** The folder of a cargo project; its program is in `TEST_PROGRAM`. */
  readonly cargo?: string
  /** Debian packages by the command that each brings. */
  readonly debian?: Readonly<Record<string, string>>
}

export interface VitestRunner {
  readonly kind: 'vitest'
  /** The tests wrap a suite in another language. */
  readonly wraps?: 'go' | 'java'
  /** The folder of a Go program, whose path is in `TEST_PROGRAM`. */
  readonly goProgram?: string
}

/** A folder of Vitest or pytest files, or one with a `pom.xml`. */
export type Runner = PytestRunner | VitestRunner | { readonly kind: 'maven' }

export interface Part {
  /** Also the folder of its tests, unless it shares another's. */
  readonly name: string
  readonly runner: Runner
  /** The part fails loudly when it takes longer, downloads not counted. */
  readonly deadlineMs: number
  /** False when the tests start servers of their own. */
  readonly server: boolean
}

/** The domain under which a bucket's name is a host name; no test resolves it by DNS. */
export const domain = 's3.example.test'

/** The domain under which a bucket's name is the host of its website. */
export const websiteDomain = 'web.example.test'

const minute = 60_000

export const parts: readonly Part[] = [
  { name: 'server', runner: { kind: 'vitest' }, deadlineMs: 6 * minute, server: false },
  { name: 'sdk-js', runner: { kind: 'vitest' }, deadlineMs: 4 * minute, server: true },
  { name: 'raw-http', runner: { kind: 'vitest' }, deadlineMs: 2 * minute, server: true },
  { name: 'terraform-replay', runner: { kind: 'vitest' }, deadlineMs: minute, server: true },
  { name: 'iam', runner: { kind: 'vitest' }, deadlineMs: 8 * minute, server: false },
  { name: 'iam-cli', runner: { kind: 'pytest', python: 'objects' }, deadlineMs: 6 * minute, server: true },
  { name: 'ldap', runner: { kind: 'pytest', python: 'clients', debian: { slapd: 'slapd' } }, deadlineMs: 4 * minute, server: false },
  { name: 'keycloak', runner: { kind: 'pytest', python: 'clients', keycloak: true }, deadlineMs: 5 * minute, server: false },
  { name: 'boto3', runner: { kind: 'pytest', python: 'clients' }, deadlineMs: 4 * minute, server: true },
  { name: 'policies', runner: { kind: 'pytest', python: 'objects' }, deadlineMs: 4 * minute, server: true },
  { name: 'policy-service', runner: { kind: 'vitest', goProgram: 'policy-service/opa' }, deadlineMs: 3 * minute, server: false },
  { name: 'minio-js', runner: { kind: 'vitest' }, deadlineMs: 2 * minute, server: true },
  { name: 'python-clients', runner: { kind: 'pytest', python: 'objects' }, deadlineMs: 4 * minute, server: true },
  { name: 'cli-clients', runner: { kind: 'pytest', python: 'objects', debian: { restic: 'restic', s3fs: 's3fs' } }, deadlineMs: 5 * minute, server: true },
  { name: 'go-clients', runner: { kind: 'vitest', wraps: 'go' }, deadlineMs: 4 * minute, server: true },
  { name: 'java-clients', runner: { kind: 'vitest', wraps: 'java' }, deadlineMs: 5 * minute, server: true },
  { name: 'deltalake', runner: { kind: 'pytest', python: 'clients' }, deadlineMs: 3 * minute, server: true },
  { name: 'pyiceberg', runner: { kind: 'pytest', python: 'clients' }, deadlineMs: 5 * minute, server: true },
  { name: 'duckdb', runner: { kind: 'pytest', python: 'clients' }, deadlineMs: 5 * minute, server: true },
  { name: 'docs', runner: { kind: 'pytest', python: 'clients' }, deadlineMs: 2 * minute, server: true },
  { name: 'vended', runner: { kind: 'pytest', python: 'spark', jars: 'iceberg' }, deadlineMs: 8 * minute, server: true },
  { name: 'vended-expiry', runner: { kind: 'pytest', python: 'spark', jars: 'iceberg' }, deadlineMs: 6 * minute, server: false },
  { name: 'trino', runner: { kind: 'pytest', python: 'clients', trino: true }, deadlineMs: 8 * minute, server: true },
  { name: 'catalog', runner: { kind: 'vitest' }, deadlineMs: 5 * minute, server: false },
  { name: 'rck', runner: { kind: 'maven' }, deadlineMs: 5 * minute, server: true },
  { name: 'tpch', runner: { kind: 'pytest', python: 'clients' }, deadlineMs: 4 * minute, server: true },
  { name: 'spark', runner: { kind: 'pytest', python: 'spark', jars: 'iceberg' }, deadlineMs: 12 * minute, server: true },
  {
    name: 'spark40',
    runner: { kind: 'pytest', python: 'spark40', jars: 'iceberg40', shares: { folder: 'spark', marker: 'subset' } },
    deadlineMs: 10 * minute,
    server: true,
  },
  { name: 'iceberg-rust', runner: { kind: 'pytest', python: 'clients', cargo: 'iceberg-rust' }, deadlineMs: 4 * minute, server: true },
  { name: 'flink', runner: { kind: 'pytest', python: 'flink', jars: 'flink' }, deadlineMs: 10 * minute, server: true },
  { name: 'delta-spark', runner: { kind: 'pytest', python: 'spark', jars: 'delta' }, deadlineMs: 6 * minute, server: true },
  { name: 'hudi', runner: { kind: 'pytest', python: 'hudi', jars: 'hudi' }, deadlineMs: 10 * minute, server: true },
  { name: 'matrix', runner: { kind: 'pytest', python: 'matrix', jars: 'iceberg', trino: true, flink: true, cargo: 'iceberg-rust' }, deadlineMs: 12 * minute, server: true },
  { name: 'mid-commit', runner: { kind: 'pytest', python: 'spark', jars: 'iceberg' }, deadlineMs: 10 * minute, server: false },
  { name: 'fsck', runner: { kind: 'pytest', python: 'clients' }, deadlineMs: 3 * minute, server: false },
  { name: 'hostile', runner: { kind: 'vitest' }, deadlineMs: 4 * minute, server: false },
  { name: 'race', runner: { kind: 'vitest' }, deadlineMs: 6 * minute, server: false },
  { name: 'crash', runner: { kind: 'vitest' }, deadlineMs: 11 * minute, server: false },
  { name: 'drives', runner: { kind: 'vitest' }, deadlineMs: 14 * minute, server: false },
  { name: 'failing-drives', runner: { kind: 'vitest', goProgram: 'failing-drives/passthrough' }, deadlineMs: 6 * minute, server: false },
  { name: 'linearizability', runner: { kind: 'vitest' }, deadlineMs: 10 * minute, server: false },
  { name: 'simulation', runner: { kind: 'vitest' }, deadlineMs: 8 * minute, server: false },
  { name: 'power', runner: { kind: 'vitest', goProgram: 'power/recorder' }, deadlineMs: 12 * minute, server: false },
  { name: 'growth', runner: { kind: 'vitest' }, deadlineMs: 12 * minute, server: false },
  { name: 'memory', runner: { kind: 'vitest' }, deadlineMs: 8 * minute, server: true },
]
