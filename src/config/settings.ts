/**
 * Every setting of the server, once: its names, how its value is read, its default and what the
 * documentation says. `parse-config.ts` reads by it, `tools/config-table.ts` prints
 * `docs/configuration.md` from it, `moraine --help` its flags.
 */
import { dayMs, hourMs, minuteMs, secondMs } from '../../base/units.ts'
import {
  countBetween, durationBetween, oneOf, parseAddress, parseBucketNames, parseDomains, parseParity, parsePolicyServiceUrl, parseRegion, parseServerUrl, parseSwitch, parseText, parseWebhookUrl, showDuration,
  type ListenAddress,
} from './values.ts'
import { splitWords } from './words.ts'

export interface Setting<T> {
  /** Our own name, `MORAINE_…`. */
  readonly name: string
  /** MinIO's names for the same thing; the first that is set counts. */
  readonly aliases: readonly string[]
  /** The command line's name for it; `value` names its value, undefined for a switch, which takes none. */
  readonly flag: { readonly name: string; readonly value: string | undefined } | undefined
  readonly parse: (text: string) => T
  readonly fallback: T
  /** The default in words. */
  readonly fallbackText: string
  /** The value may stand in a file that `NAME_FILE` names; it is never shown. */
  readonly fileForm: boolean
  readonly doc: string
}

export const defaultUser = 'moraineadmin'
export const defaultPassword = 'moraineadmin'

export const settings = {
  drives: setting('MORAINE_DRIVES', {
    aliases: ['MINIO_VOLUMES'],
    parse: splitWords,
    fallback: ['./data'],
    fallbackText: './data',
    doc: 'The drive directories, with spaces between and `{1...6}` for a range; the `DRIVE` arguments of `moraine server` win.',
  }),
  parity: setting<number | undefined>('MORAINE_PARITY', {
    aliases: ['MINIO_STORAGE_CLASS_STANDARD'],
    parse: parseParity,
    fallback: undefined,
    fallbackText: '0 for 1 drive, 1 for 2 and 3, 2 for 4 and 5, 3 for 6 and 7, 4 for more',
    doc: 'How many drives of a set new objects survive, half of them at most: `2`, or `EC:2` as MinIO writes it. A deployment’s metadata keeps that of its first start.',
  }),
  reducedParity: setting<number | undefined>('MORAINE_REDUCED_PARITY', {
    aliases: ['MINIO_STORAGE_CLASS_RRS'],
    parse: parseParity,
    fallback: undefined,
    fallbackText: '1, or 0 for 1 drive',
    doc: 'The same for objects of the storage class `REDUCED_REDUNDANCY`.',
  }),
  address: setting<ListenAddress | undefined>('MORAINE_ADDRESS', {
    aliases: ['MINIO_ADDRESS'],
    flag: { name: '--address', value: 'HOST:PORT' },
    parse: parseAddress,
    fallback: undefined,
    fallbackText: '127.0.0.1:9000; `:9000` (every interface) when credentials are set',
    doc: 'Where to listen. Anything but loopback needs credentials of your own.',
  }),
  rootUser: setting<string | undefined>('MORAINE_ROOT_USER', {
    aliases: ['MINIO_ROOT_USER'],
    parse: parseText,
    fallback: undefined,
    fallbackText: `${defaultUser}, on loopback only`,
    fileForm: true,
    doc: 'Access key id of the root account, 3 characters or more.',
  }),
  rootPassword: setting<string | undefined>('MORAINE_ROOT_PASSWORD', {
    aliases: ['MINIO_ROOT_PASSWORD'],
    parse: parseText,
    fallback: undefined,
    fallbackText: `${defaultPassword}, on loopback only`,
    fileForm: true,
    doc: 'Secret access key of the root account, 8 characters or more.',
  }),
  rootAccess: setting('MORAINE_ROOT_ACCESS', {
    aliases: ['MINIO_API_ROOT_ACCESS'],
    parse: parseSwitch,
    fallback: true,
    fallbackText: 'on',
    doc: 'Off: neither the root key nor another key of the root account is accepted; users of the account still are.',
  }),
  vendedLifetimeMs: duration('MORAINE_VENDED_LIFETIME', hourMs, 10 * secondMs, 12 * hourMs, 'How long the credentials hold that the catalog gives for a table’s files; clients that renew them do so five minutes before the end. Less than 15m is for trying what engines do then: with it they ask for new ones at every request.'),
  identityProviders: setting<string | undefined>('MORAINE_IDENTITY_PROVIDERS', {
    parse: parseText,
    fallback: undefined,
    fallbackText: 'none',
    doc: 'A JSON or YAML document of OpenID Connect providers, a directory (LDAP) and others whose identities may sign in; see [identities](identities.md).',
  }),
  policyServiceUrl: setting<string | undefined>('MORAINE_POLICY_PLUGIN_URL', {
    aliases: ['MINIO_POLICY_PLUGIN_URL'],
    parse: parsePolicyServiceUrl,
    fallback: undefined,
    fallbackText: 'none: the policies here decide alone',
    doc: 'A policy service such as Open Policy Agent, which is asked about every signed request; see [access control](access-control.md). `https`, or `http` on this machine.',
  }),
  policyServiceToken: setting<string | undefined>('MORAINE_POLICY_PLUGIN_AUTH_TOKEN', {
    aliases: ['MINIO_POLICY_PLUGIN_AUTH_TOKEN'],
    parse: parseText,
    fallback: undefined,
    fallbackText: 'none',
    fileForm: true,
    doc: 'Sent to the policy service as `Authorization`, as it stands: `Bearer …`.',
  }),
  stsRoleless: setting('MORAINE_STS_ROLELESS', {
    parse: parseSwitch,
    fallback: true,
    fallbackText: 'on',
    doc: 'AssumeRole without a role of ours, as MinIO has it: a session of the caller’s own rights, limited by the session policy. Off: refused.',
  }),
  masterKeys: setting<string | undefined>('MORAINE_KMS_SECRET_KEY', {
    aliases: ['MINIO_KMS_SECRET_KEY'],
    parse: parseText,
    fallback: undefined,
    fallbackText: 'those of the keyring',
    fileForm: true,
    doc: 'Master keys, `NAME:BASE64` of 32 bytes each with commas between; the first one is the default. They wrap every key that encrypts something at rest.',
  }),
  keyring: setting<string | undefined>('MORAINE_KEYRING', {
    parse: parseText,
    fallback: undefined,
    fallbackText: '`keyring.json` on each drive, made at the first start',
    doc: 'The file of master keys. Keep a copy: without it no secret can be read. On another file system than the drives it protects what is on them.',
  }),
  region: setting<string | undefined>('MORAINE_REGION', {
    aliases: ['MINIO_SITE_REGION', 'MINIO_REGION'],
    parse: parseRegion,
    fallback: undefined,
    fallbackText: 'any region is accepted, us-east-1 is reported',
    doc: 'The region that requests must be signed for.',
  }),
  domains: setting<readonly string[]>('MORAINE_DOMAIN', {
    aliases: ['MINIO_DOMAIN'],
    parse: parseDomains,
    fallback: [],
    fallbackText: 'path style only',
    doc: 'Host names, with commas between, under which `BUCKET.NAME` addresses a bucket.',
  }),
  websiteDomains: setting<readonly string[]>('MORAINE_WEBSITE_DOMAIN', {
    parse: parseDomains,
    fallback: [],
    fallbackText: 'websites are not served',
    doc: 'Host names, with commas between, under which `BUCKET.NAME` is the website of a bucket; none of `MORAINE_DOMAIN`’s.',
  }),
  serverUrl: setting<string | undefined>('MORAINE_SERVER_URL', {
    aliases: ['MINIO_SERVER_URL'],
    parse: parseServerUrl,
    fallback: undefined,
    fallbackText: 'made from each request’s Host',
    doc: 'The URL that clients reach the server by, when a proxy stands before it.',
  }),
  bootstrap: setting<string | undefined>('MORAINE_BOOTSTRAP', {
    flag: { name: '--bootstrap', value: 'FILE' },
    parse: parseText,
    fallback: undefined,
    fallbackText: 'none',
    doc: 'A JSON or YAML document of accounts, buckets and warehouses that exist after the start; applied at each start.',
  }),
  buckets: setting<readonly string[]>('MORAINE_BUCKETS', {
    parse: parseBucketNames,
    fallback: [],
    fallbackText: 'none',
    doc: 'Short form: buckets of the root account, with commas between.',
  }),
  warehouses: setting<readonly string[]>('MORAINE_WAREHOUSES', {
    parse: parseBucketNames,
    fallback: [],
    fallbackText: '`lake` when nothing at all is declared',
    doc: 'Short form: Iceberg warehouses, with commas between, each in a bucket of its own name.',
  }),
  defaultObjectOwnership: setting<'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter'>('MORAINE_DEFAULT_OBJECT_OWNERSHIP', {
    parse: oneOf('BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'),
    fallback: 'BucketOwnerEnforced',
    fallbackText: 'BucketOwnerEnforced',
    doc: 'The object ownership of new buckets that ask for none; `ObjectWriter` is that of before 2023, with ACLs.',
  }),
  defaultPublicAccessBlock: setting<'on' | 'off'>('MORAINE_DEFAULT_PUBLIC_ACCESS_BLOCK', {
    parse: oneOf('on', 'off'),
    fallback: 'on',
    fallbackText: 'on: all four',
    doc: 'Block Public Access of new buckets; `off` is that of before 2023, with nothing blocked.',
  }),
  workers: setting<number | undefined>('MORAINE_WORKERS', {
    flag: { name: '--workers', value: 'N' },
    parse: countBetween(1, 256),
    fallback: undefined,
    fallbackText: 'one for each core',
    doc: 'Worker processes.',
  }),
  consoleAddress: setting<ListenAddress | undefined>('MORAINE_CONSOLE_ADDRESS', {
    aliases: ['MINIO_CONSOLE_ADDRESS'],
    flag: { name: '--console-address', value: 'HOST:PORT' },
    parse: parseAddress,
    fallback: undefined,
    fallbackText: 'none',
    doc: 'Accepted for MinIO’s command lines; there is no console to listen there yet.',
  }),
  certsDir: setting<string | undefined>('MORAINE_CERTS_DIR', {
    aliases: ['MINIO_CERTS_DIR'],
    flag: { name: '--certs-dir', value: 'DIR' },
    parse: parseText,
    fallback: undefined,
    fallbackText: 'none',
    doc: 'Certificates, as MinIO lays them out: `public.crt` and `private.key`, the same two in a directory for each further name, and clients’ authorities in `CAs`. With a certificate in it only HTTPS is served; changed files are followed without a restart.',
  }),
  certsPassword: setting<string | undefined>('MORAINE_CERTS_PASSWORD', {
    aliases: ['MINIO_CERT_PASSWD'],
    parse: parseText,
    fallback: undefined,
    fallbackText: 'none',
    fileForm: true,
    doc: 'The password of encrypted private keys.',
  }),
  clientCertificates: setting<'off' | 'optional' | 'required'>('MORAINE_CLIENT_CERTIFICATES', {
    parse: oneOf('off', 'optional', 'required'),
    fallback: 'off',
    fallbackText: 'off',
    doc: 'Whether clients show certificates that an authority in `CAs` of the certificate directory signed. `required` refuses connections without one.',
  }),
  auditFile: setting<string | undefined>('MORAINE_AUDIT_FILE', {
    parse: parseText,
    fallback: undefined,
    fallbackText: 'none',
    doc: 'A file that gets one record for each request, in MinIO’s JSON shape; `-` is standard output. None is ever dropped: requests wait, and are refused at last, while it cannot be written. A record is written right after its answer: a process that is killed takes with it those of the requests that it was just answering. A file that is moved away is begun anew.',
  }),
  auditWebhook: setting<string | undefined>('MORAINE_AUDIT_WEBHOOK', {
    aliases: ['MINIO_AUDIT_WEBHOOK_ENDPOINT'],
    parse: parseWebhookUrl,
    fallback: undefined,
    fallbackText: 'none',
    doc: 'A URL that the same records are posted to, one by one. Up to 10,000 wait for each worker while it is away; what comes on top is dropped and counted in the log.',
  }),
  auditWebhookToken: setting<string | undefined>('MORAINE_AUDIT_WEBHOOK_TOKEN', {
    aliases: ['MINIO_AUDIT_WEBHOOK_AUTH_TOKEN'],
    parse: parseText,
    fallback: undefined,
    fallbackText: 'none',
    fileForm: true,
    doc: 'Sent to the audit webhook as `Authorization`: a bearer token, or a scheme and its credentials.',
  }),
  logLevel: setting<'error' | 'warn' | 'info' | 'debug'>('MORAINE_LOG_LEVEL', {
    parse: oneOf('error', 'warn', 'info', 'debug'),
    fallback: 'info',
    fallbackText: 'info',
    doc: 'The least level that is logged; `info` has a line for each request, `warn` only for those that failed by our fault.',
  }),
  json: setting('MORAINE_JSON', {
    flag: { name: '--json', value: undefined },
    parse: parseSwitch,
    fallback: false,
    fallbackText: 'off: text on a terminal, JSON elsewhere',
    doc: 'Log as JSON lines on a terminal too, and print nothing else.',
  }),
  quiet: setting('MORAINE_QUIET', {
    flag: { name: '--quiet', value: undefined },
    parse: parseSwitch,
    fallback: false,
    fallbackText: 'off',
    doc: 'Print no configuration for engines at start.',
  }),
  drainTimeoutMs: duration('MORAINE_DRAIN_TIMEOUT', 30 * secondMs, 0, hourMs, 'How long requests under way may go on after SIGTERM.'),
  bodyIdleTimeoutMs: duration('MORAINE_BODY_IDLE_TIMEOUT', 2 * minuteMs, secondMs, dayMs, 'How long a connection may stand still in the middle of a request or response.'),
  keepAliveTimeoutMs: duration('MORAINE_KEEP_ALIVE_TIMEOUT', 75 * secondMs, secondMs, hourMs, 'How long a connection may stay open between requests.'),
  tokenLifetimeMs: duration('MORAINE_TOKEN_LIFETIME', hourMs, minuteMs, 7 * dayMs, 'How long an access token of the catalog’s OAuth2 endpoint holds.'),
  idempotencyLifetimeMs: duration('MORAINE_IDEMPOTENCY_LIFETIME', 30 * minuteMs, minuteMs, 7 * dayMs, 'How long a catalog request may be repeated under its idempotency key.'),
  jobIntervalMs: duration('MORAINE_JOB_INTERVAL', minuteMs, 100, dayMs, 'The pause between two rounds of background work: garbage collection and outbox trimming.'),
  garbageGraceMs: duration('MORAINE_GARBAGE_GRACE', hourMs, secondMs, 7 * dayMs, 'How long deleted bytes stay on the drives: readers that began before may take as long. What is shorter gives room back sooner.'),
  scrubIntervalMs: duration('MORAINE_SCRUB_INTERVAL', 7 * dayMs, secondMs, 365 * dayMs, 'With several drives: the pause between two scrubs, which read and verify everything that is stored.'),
  scrubRate: setting('MORAINE_SCRUB_RATE', {
    parse: countBetween(1, 100_000),
    fallback: 32,
    fallbackText: '32',
    doc: 'How many MiB of shards a scrub reads in a second, over all drives.',
  }),
  moveRate: setting('MORAINE_MOVE_RATE', {
    parse: countBetween(1, 100_000),
    fallback: 128,
    fallbackText: '128',
    doc: 'How many MiB a decommission or a rebalance moves in a second, at most: it rests as long as it works.',
  }),
  metricsAuthentication: setting<'jwt' | 'public'>('MORAINE_METRICS_AUTH', {
    aliases: ['MINIO_PROMETHEUS_AUTH_TYPE'],
    parse: oneOf('jwt', 'public'),
    fallback: 'jwt',
    fallbackText: 'jwt',
    doc: 'Who may read the metrics: `jwt` asks for the token that `mc admin prometheus generate` makes, `public` for none.',
  }),
  sweepIntervalMs: duration('MORAINE_SWEEP_INTERVAL', dayMs, secondMs, 30 * dayMs, 'The pause between two walks over all blobs for those that a crash left behind.'),
} as const satisfies Record<string, Setting<unknown>>

export type SettingKey = keyof typeof settings

/** The value of each setting, as its parser returns it. */
export type SettingValues = { readonly [Key in SettingKey]: ReturnType<(typeof settings)[Key]['parse']> | (typeof settings)[Key]['fallback'] }

/** Names that are no setting themselves but say where settings are. */
export const sources = {
  config: { flag: '--config', name: 'MORAINE_CONFIG', doc: 'A YAML or JSON file of settings: each by its name here, in lower case and without `MORAINE_` (`root_user: …`).' },
  envFile: { name: 'MINIO_CONFIG_ENV_FILE', doc: 'A file of `NAME=value` lines that are added to the environment and win over it.' },
  options: { name: 'MINIO_OPTS', doc: 'Flags as on the command line.' },
} as const

function setting<T>(
  name: string,
  { aliases = [], flag, fileForm = false, ...rest }: Pick<Setting<T>, 'parse' | 'fallback' | 'fallbackText' | 'doc'> & Partial<Pick<Setting<T>, 'aliases' | 'flag' | 'fileForm'>>,
): Setting<T> {
  return { name, aliases, flag, fileForm, ...rest }
}

function duration(name: string, fallbackMs: number, leastMs: number, mostMs: number, doc: string): Setting<number> {
  return setting(name, { parse: durationBetween(leastMs, mostMs), fallback: fallbackMs, fallbackText: showDuration(fallbackMs), doc })
}
