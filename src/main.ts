#!/usr/bin/env node
/** The program: the only file that constructs the parts and joins them. */
import { default as cluster } from 'node:cluster'
import { readFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { KeyManagementError, type KeyManagement } from '../base/key-management.ts'
import { systemClock, systemRandom } from '../base/system.ts'
import { MiB, secondMs } from '../base/units.ts'
import { DriveError } from '../engine/drives/drive.ts'
import { DriveFormatError, EngineError, fsckDrives, openDeployment, openEngine, SetGrowth, settleSets, takeDeployment, type Committer, type DriveKeeper, type Engine, type DeploymentCommitter, type Foreground } from '../engine/index.ts'
import { LocalCommits } from '../engine/metadata/local-commits.ts'
import { senderBytes } from '../engine/metadata/metadata-commits.ts'
import { MetadataError } from '../engine/metadata/metadata-store.ts'
import { CatalogError, createCatalog, type Catalog } from '../catalog/index.ts'
import { AdminError } from './cli/admin-client.ts'
import { banner } from './cli/banner.ts'
import { parseCommand, type Command } from './cli/command.ts'
import { fsckExitCodes, fsckText } from './cli/fsck-text.ts'
import { helpText } from './cli/help.ts'
import { runPolicySimulate, SimulationError } from './cli/policy-simulate.ts'
import { walkText } from './cli/drives-text.ts'
import { runAdminCommand, type AdminCommand } from './cli/run-admin-command.ts'
import { parseConfig, type Config } from './config/parse-config.ts'
import { processEnvironment, readTextFile } from './config/process-input.ts'
import { authorityOf } from './config/values.ts'
import { bucketTagsOf } from './iceberg/bucket-tags.ts'
import { explainCatalog } from './iceberg/explain-access.ts'
import { engineBuckets } from './iceberg/engine-buckets.ts'
import { engineCatalogStore } from './iceberg/engine-catalog-store.ts'
import { fsckCatalog } from './iceberg/fsck-catalog.ts'
import { createIamService } from './iam/service.ts'
import { foreignTokens } from './iceberg/foreign-tokens.ts'
import { icebergRoutes, refuseIcebergRequest } from './iceberg/iceberg-routes.ts'
import { checkResourcePolicy } from './iceberg/resource-policy.ts'
import { IdentityProvidersError, noProviders, parseIdentityProviders, type IdentityProviders } from './identity/identity-providers.ts'
import type { AdmitRequest } from './identity/caller.ts'
import { createIdentityStore, type IdentityStore } from './identity/identity-store.ts'
import { createWebIdentities, type WebIdentities } from './identity/oidc/web-identities.ts'
import { openSecretBox, type SecretBox } from './identity/secret-box.ts'
import { ensureServerKey, hasSealedServerKey } from './identity/server-key.ts'
import { openTokenKeys, type TokenKeys } from './identity/token-keys.ts'
import { KeyringError } from './keyring/keyring.ts'
import { openKeyring, shareKeyring } from './keyring/open-keyring.ts'
import { blockAll, blockNothing } from './s3/bucket-access.ts'
import { s3Handler } from './s3/pipeline.ts'
import { explainS3 } from './s3/explain-access.ts'
import { createS3Service, type S3ServiceParts } from './s3/service.ts'
import { registerAccountRoutes } from './server/accounts/account-routes.ts'
import { registerExplainRoutes } from './server/accounts/explain-routes.ts'
import { applyBootstrap, planBootstrap, type EnsureWarehouse } from './server/bootstrap/apply-bootstrap.ts'
import { BootstrapError, parseBootstrap, type BootstrapDocument } from './server/bootstrap/bootstrap-document.ts'
import { committerCommand, runCommitter, type FirstSteps, type Prepared } from './server/cluster/committer-process.ts'
import { connectToCommitter } from './server/cluster/committer-socket.ts'
import { runCopyTrial, tryCopyCommand } from './server/cluster/copy-trial.ts'
import type { CommitterAddress } from './server/cluster/messages.ts'
import { runPrimary } from './server/cluster/primary.ts'
import { runWorker, type RunningWorker, type WorkerNews } from './server/cluster/worker.ts'
import { createCareRows } from './server/drives/care-rows.ts'
import { runCopyWalker, walkCopyCommand, walkElsewhere } from './server/drives/copy-walker.ts'
import { registerDriveRoutes } from './server/drives/drive-routes.ts'
import { careForSets } from './server/growth/care-for-sets.ts'
import { registerMoveRoutes, reportOf } from './server/growth/move-routes.ts'
import { createMoveRows } from './server/growth/move-rows.ts'
import { registerHealthRoutes, type Health } from './server/health-routes.ts'
import { createHttpServer, type HttpServerOptions, type S3Handler } from './server/http-server.ts'
import { CertificateError } from './server/tls/certificates.ts'
import { openServerTls, type ServerTls } from './server/tls/server-tls.ts'
import { RateLimits } from './server/limits/rate-limits.ts'
import { openDecider } from './server/open-decider.ts'
import { queryHandler } from './server/query-handler.ts'
import { Traffic } from './server/traffic.ts'
import { startJobs } from './server/jobs/background-jobs.ts'
import { SigningKeys } from './sigv4/signing-keys.ts'
import type { Decider } from './policy/decider.ts'
import { createStsService } from './sts/service.ts'
import { createLogger, type Logger } from './telemetry/logger.ts'
import { createRequestIds } from './telemetry/request-ids.ts'
import type { AuditLog } from './telemetry/audit/audit-log.ts'
import { openAuditLog } from './telemetry/audit/open-audit-log.ts'
import { createRequestLog } from './telemetry/request-log.ts'

const clock = systemClock
const random = systemRandom
const leaseDurationMs = 30 * secondMs
const nextId = (): string => Buffer.from(random.bytes(16)).toString('hex')
const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version

if (cluster.isWorker) runWorker(startWorker)
else if (process.argv[2] === walkCopyCommand) await runCopyWalker(process.argv.slice(2), clock)
else if (process.argv[2] === tryCopyCommand) await runCopyTrial(process.argv.slice(2), clock)
else if (process.argv[2] === committerCommand) await runCommitter(process.argv.slice(2), clock, firstSteps())
else process.exitCode = await runCommand(process.argv.slice(2))

/** Resolves with the exit code. */
async function runCommand(argv: readonly string[]): Promise<number> {
  const command = parseCommand(argv)
  switch (command.kind) {
    case 'server':
      return runServer(command.argv)
    case 'fsck':
      return runFsck(command)
    case 'status':
    case 'heal':
    case 'decommission':
    case 'rebalance':
      return runAdmin(command)
    case 'policySimulate':
      return simulate(command.argv)
    case 'help':
      process.stdout.write(helpText())
      return 0
    case 'version':
      process.stdout.write(`moraine ${version}\n`)
      return 0
    case 'unknown':
      return complain(command.message)
  }
}

function simulate(argv: readonly string[]): number {
  try {
    return runPolicySimulate(argv, { readFile: readTextFile, nowMs: clock.nowMs() }, text => process.stdout.write(text))
  } catch (error) {
    if (error instanceof SimulationError) return complain(error.message)
    throw error
  }
}

function complain(...messages: readonly string[]): number {
  for (const message of messages) process.stderr.write(`moraine: ${message}\n`)
  return 1
}

async function runFsck({ drives, json, quick, repair }: Extract<Command, { kind: 'fsck' }>): Promise<number> {
  try {
    const report = await fsckDrives({ drives, clock, random, readBytes: !quick, repair, also: fsckCatalog({ clock, random }) })
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${report.repaired === undefined ? '' : `Repair: ${walkText({ id: '', state: 'done', startedAtMs: 0, progress: report.repaired })}\n`}${fsckText(drives, report)}`)
    return fsckExitCodes[report.verdict]
  } catch (error) {
    return complain(...reasonOf(error).split('\n').map(reason => `${drives.join(' ')}: ${reason}`))
  }
}

async function runAdmin(command: AdminCommand): Promise<number> {
  const parsed = parseConfig({ argv: [], env: processEnvironment(), readFile: readTextFile })
  if (!parsed.ok) return complain(...parsed.problems)
  const { config } = parsed
  const endpoint = command.endpoint ?? config.serverUrl ?? `http://${authorityOf(config.address)}`
  const client = { endpoint, region: regionOf(config), root: config.root, clock }
  const output = { write: (text: string) => process.stdout.write(text), isTerminal: process.stdout.isTTY }
  try {
    return await runAdminCommand(client, command, output)
  } catch (error) {
    if (error instanceof AdminError) return complain(error.message)
    throw error
  }
}

async function runServer(argv: readonly string[]): Promise<number> {
  const parsed = parseConfig({ argv, env: processEnvironment(), readFile: readTextFile })
  if (!parsed.ok) return complain(...parsed.problems)
  const { config } = parsed
  for (const warning of parsed.warnings) process.stderr.write(`moraine: warning: ${warning}\n`)
  // What the server writes is its own: secrets of access keys are among it.
  process.umask(0o077)
  const { logger, flush } = openLogger(config)
  process.once('exit', flush)
  try {
    // Before the drives are touched: a server whose certificate cannot be used serves nothing.
    const isTls = openTls(config) !== undefined
    planOf(config)
    const taken = await takeDeployment({ ...drivesOf(config), random })
    const { metadata, unsettled, notes } = taken
    for (const note of notes) logger.warn({ drives: config.drives }, note)
    const workers = config.workers ?? availableParallelism()
    const onListening = (port: number, { warehouse }: Prepared): void => {
      if (config.json || config.quiet) logger.info({ port, workers, version }, 'serving')
      else process.stdout.write(banner({ config, version, port, workers, warehouse, isTls, colours: process.stdout.isTTY }))
    }
    const ending = await runPrimary({ config, workers, workerFile: fileURLToPath(import.meta.url), metadata, unsettled, clock, logger, onListening })
    taken.release()
    return ending.kind === 'drained' ? 0 : complain(...ending.messages)
  } catch (error) {
    const reasons = refusalOf(config, error)
    if (reasons === undefined) throw error
    return complain(...reasons)
  }
}

/** Why the world refuses a start, in lines; undefined for a mistake of ours. */
function refusalOf(config: Config, error: unknown): readonly string[] | undefined {
  if (error instanceof BootstrapError) return error.message.split('\n').map(line => `${config.bootstrap ?? 'bootstrap'}: ${line}`)
  if (!isRefusal(error)) return undefined
  return error.message.split('\n').map(reason => `${config.drives.join(' ')}: ${reason}`)
}

function reasonOf(error: unknown): string {
  if (!isRefusal(error)) throw error
  return error.message
}

/** The world gave it; anything else is a mistake of ours. */
function isRefusal(error: unknown): error is Error {
  const isKnown = error instanceof DriveFormatError || error instanceof DriveError || error instanceof MetadataError || error instanceof EngineError ||
    error instanceof KeyringError || error instanceof IdentityProvidersError || error instanceof KeyManagementError || error instanceof CertificateError
  return isKnown || (error instanceof Error && 'syscall' in error)
}

function firstSteps(): FirstSteps {
  return {
    settle: (sets, suspects) => settleSets(sets, { clock, random, suspects }),
    prepare,
    reasonsOf: refusalOf,
    isDamage,
  }
}

function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ((error instanceof MetadataError || error instanceof EngineError) && error.code === 'Corrupt') || isDamage(error.cause)
}

/** Makes what is declared exist. Nobody else reads or writes yet. */
async function prepare(config: Config, { committer, directory }: { readonly committer: Committer; readonly directory: string }): Promise<Prepared> {
  const plan = planOf(config)
  const notes: string[] = []
  // Never closed: its reader shares the index's map with the committer of this process, to the end of both.
  const { engine, keeper } = await openStores(config, { committer: { commits: new LocalCommits(committer, random.bytes(senderBytes)), directory } })
  try {
    readProviders(config)
    await engine.recountUsage()
    const { identity, box } = await openIdentity(config, engine, openKeyring({ ...config, drives: keeper.paths }, random, (await hasSealedServerKey(engine)) ? 'share' : 'make'))
    const catalog = openCatalog(config, { engine, identity, onInternalError: () => {} })
    const ensureWarehouse: EnsureWarehouse = async warehouse => {
      try {
        await catalog.ensureWarehouse(warehouse)
      } catch (error) {
        throw error instanceof CatalogError ? new BootstrapError(error.message, { cause: error }) : error
      }
    }
    await identity.accessKeys.sealPlain()
    await applyBootstrap(plan, { engine, identity, ensureWarehouse, region: regionOf(config) })
    await ensureServerKey(engine, box, random)
  } catch (error) {
    if (!(error instanceof EngineError && error.code === 'Unwritable')) throw error
    notes.push(`${error.message}: what is there is read and nothing written, what is declared is not looked at`)
  }
  return { warehouse: plan.warehouses[0]?.name ?? 'lake', notes }
}

function planOf(config: Config): ReturnType<typeof planBootstrap> {
  return planBootstrap(config.bootstrap === undefined ? undefined : readBootstrap(config.bootstrap), config)
}

function readBootstrap(path: string): BootstrapDocument {
  try {
    return parseBootstrap(readTextFile(path))
  } catch (error) {
    if (error instanceof BootstrapError) throw error
    throw new BootstrapError(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function openTls({ certsDir, certsPassword, clientCertificates }: Config): ServerTls | undefined {
  const tls = certsDir === undefined ? undefined : openServerTls({ directory: certsDir, password: certsPassword, clientCertificates })
  if (tls === undefined && clientCertificates !== 'off') throw new CertificateError('clients can show certificates over TLS only: the server has no certificate')
  return tls
}

interface S3Parts {
  readonly engine: Engine
  readonly identity: IdentityStore
  readonly signingKeys: SigningKeys
  readonly admitRequest: AdmitRequest
  readonly decider: Decider
}

function s3Parts(config: Config, { engine, identity }: Pick<S3Parts, 'engine' | 'identity'>): Omit<S3ServiceParts, 'decider'> {
  return {
    engine,
    region: config.region,
    clock,
    accountIdOf: async ownerId => (await identity.getAccountById(ownerId))?.accountId,
    accountOf: ownerId => identity.getAccountById(ownerId),
    newBucketDefaults: {
      ownership: config.defaultObjectOwnership,
      publicAccessBlock: config.defaultPublicAccessBlock === 'on' ? blockAll : blockNothing,
    },
  }
}

function openS3(config: Config, { engine, identity, signingKeys, admitRequest, decider }: S3Parts): S3Handler {
  return s3Handler({
    service: createS3Service({ ...s3Parts(config, { engine, identity }), decider }),
    lookupAccessKey: identity.lookupAccessKey,
    admitRequest,
    keys: signingKeys,
    requiredRegion: config.region,
    domains: config.domains,
    websiteDomains: config.websiteDomains,
    hostId: hostname(),
  })
}

interface QueryParts {
  readonly identity: IdentityStore
  readonly signingKeys: SigningKeys
  readonly isSecure: boolean
  readonly admitRequest: AdmitRequest
  readonly decider: Decider
  readonly providers: IdentityProviders
  readonly webIdentities: WebIdentities
}

/** IAM and STS. */
function openQuery(config: Config, { identity, signingKeys, isSecure, admitRequest, decider, providers, webIdentities }: QueryParts): S3Handler {
  return queryHandler({
    services: [createIamService({ identity, clock, random, decider }), createStsService({ identity, clock, decider, isRolelessAllowed: config.stsRoleless, providers, webIdentities, fetch })],
    lookupAccessKey: identity.lookupAccessKey,
    admitRequest,
    keys: signingKeys,
    clock,
    isSecure,
  })
}

function readProviders({ identityProviders: path }: Config): IdentityProviders {
  if (path === undefined) return noProviders
  try {
    return parseIdentityProviders(readTextFile(path))
  } catch (error) {
    if (error instanceof IdentityProvidersError) throw new IdentityProvidersError(`${path}: ${error.message}`)
    throw error
  }
}

interface CatalogRouteParts extends S3Parts {
  readonly catalog: Catalog
  readonly tokenKeys: TokenKeys
  readonly webIdentities: WebIdentities
}

function openCatalogRoutes(config: Config, { engine, identity, catalog, signingKeys, admitRequest, decider, webIdentities, tokenKeys }: CatalogRouteParts): ReturnType<typeof icebergRoutes> {
  return icebergRoutes({
    catalog,
    decider,
    bucketTags: bucketTagsOf(engine),
    lookupAccessKey: identity.lookupAccessKey,
    admitRequest,
    signingKeys,
    tokenKeys,
    clock,
    tokenLifetimeMs: config.tokenLifetimeMs,
    s3Domains: config.domains,
    region: regionOf(config),
    foreign: foreignTokens(identity, webIdentities),
    openSession: async ({ basis }, lifetimeMs) => (basis === undefined ? undefined : identity.openSession(basis, lifetimeMs)),
    vend: ({ basis }, { bucket, prefix, access }) =>
      basis === undefined ? Promise.resolve(undefined) : identity.openSession({ ...basis, limits: [...basis.limits, { kind: 'prefix', bucket, prefix, access }] }, config.vendedLifetimeMs),
    ...(config.serverUrl === undefined ? {} : { s3Endpoint: config.serverUrl }),
  })
}

async function startWorker(config: Config, address: CommitterAddress, tell: WorkerNews): Promise<RunningWorker> {
  const { logger, flush } = openLogger(config)
  process.once('exit', flush)
  const traffic = new Traffic(clock)
  const { deploymentId, engine, keeper, growth, copies, readMetadataFrom, close } = await openStores(config, { foreground: traffic, committer: { commits: connectToCommitter({ path: address.path, sender: random.bytes(8), clock }), directory: address.directory, ...(config.drives.length > 1 ? { onDamage: tell.damaged } : {}) } })
  const { identity, box } = await openIdentity(config, engine, openKeyring({ ...config, drives: keeper.paths }, random, 'open'))
  const { lookupAccessKey } = identity
  const signingKeys = new SigningKeys()
  const limits = new RateLimits({ clock, tell: tell.spent })
  const admitRequest: AdmitRequest = caller => limits.admit(caller)
  const onInternalError = (fault: unknown, operationId: string): void => logger.error({ operation: operationId, err: fault }, 'a catalog request failed')
  const catalog = openCatalog(config, { engine, identity, onInternalError })
  const health: Health = { isReady: () => engine.listBuckets({ limit: 1 }).then(() => true, () => false), sets: () => keeper.setStatuses().filter(({ state }) => state !== 'givenUp') }
  const rows = createCareRows(engine)
  const moveRows = createMoveRows(engine)
  const providers = readProviders(config)
  const webIdentities = createWebIdentities({ issuers: providers.openid, clock, fetch })
  const decider = openDecider(config, logger)
  const tokenKeys = openTokenKeys({ engine, box, clock, serverKey: await ensureServerKey(engine, box, random) })
  const iceberg = openCatalogRoutes(config, { engine, identity, catalog, signingKeys, admitRequest, decider, webIdentities, tokenKeys })
  const tls = openTls(config)
  const audit = openAuditLog(config, { deploymentId, clock, logger })
  const server = await createHttpServer({
    s3: openS3(config, { engine, identity, signingKeys, admitRequest, decider }),
    query: openQuery(config, { identity, signingKeys, admitRequest, decider, isSecure: tls !== undefined, providers, webIdentities }),
    routes: async app => {
      registerHealthRoutes(app, health)
      registerDriveRoutes(app, { keeper, rows, moves: async () => (growth === undefined ? undefined : reportOf(growth, moveRows)), lookupAccessKey, keys: signingKeys, clock, nextId, version, root: config.root, metricsAuthentication: config.metricsAuthentication })
      registerMoveRoutes(app, { growth, rows: moveRows, lookupAccessKey, keys: signingKeys, clock, nextId })
      await registerAccountRoutes(app, { identity, usageOf: ownerId => engine.usageOf(ownerId), lookupAccessKey, keys: signingKeys, clock })
      await registerExplainRoutes(app, { identity, explainers: [explainS3(s3Parts(config, { engine, identity })), explainCatalog({ catalog, bucketTags: bucketTagsOf(engine) })], lookupAccessKey, keys: signingKeys, clock })
      await app.register(iceberg)
    },
    refuseUrl: refuseIcebergRequest,
    nextRequestId: createRequestIds(random),
    ...observersOf(logger, audit, traffic),
    clock,
    domains: [...config.domains, ...config.websiteDomains],
    ...(tls === undefined ? {} : { tls, onCertificateFault: (fault: unknown) => logger.error({ err: fault }, 'the certificates have changed and cannot be used') }),
    bodyIdleTimeoutMs: config.bodyIdleTimeoutMs,
    keepAliveTimeoutMs: config.keepAliveTimeoutMs,
  })
  const port = await server.listen(config.address)
  const stopping = new AbortController()
  const jobs = startJobs(config, { engine, catalog, logger, keys: [identity.sessionKeys, tokenKeys], clock, random, leaseDurationMs }, stopping.signal)
  const askedForKeys = new Set<string>()
  const care = careForSets(config, { engine, keeper, growth, rows, moveRows, clock, logger, nextId, shareKeys: () => shareKeyring({ ...config, drives: keeper.paths }, askedForKeys), leaseDurationMs, copies: { current: copies, walk: (directory, from, onTable, signal) => walkElsewhere(fileURLToPath(import.meta.url), { directory, from, bytesPerSecond: config.scrubRate * MiB }, onTable, signal), onDamaged: tell.copiesDamaged }, signal: stopping.signal })
  return {
    port,
    readMetadataFrom,
    heard: spent => limits.heard(spent),
    drain: async () => {
      stopping.abort()
      if (!(await server.drain(config.drainTimeoutMs))) logger.warn('requests under way were cut at the end of the drain')
      await Promise.all([jobs, care])
      await audit?.close()
      await close()
    },
  }
}

function observersOf(logger: Logger, audit: AuditLog | undefined, traffic: Traffic): Pick<HttpServerOptions, 'logRequest' | 'admit'> {
  const logRequest = createRequestLog(logger, clock)
  return {
    logRequest: (request, response, context) => {
      traffic.observe(response)
      logRequest(request, response, context)
      audit?.observe(request, response, context)
    },
    ...(audit === undefined ? {} : { admit: () => audit.admit() }),
  }
}

async function openIdentity(config: Config, engine: Engine, keys: KeyManagement): Promise<{ readonly identity: IdentityStore; readonly box: SecretBox }> {
  const box = await openSecretBox({ engine, keys, random })
  return { box, identity: createIdentityStore({ engine, box, clock, random, root: { ...config.root, isEnabled: config.rootAccess } }) }
}

interface CatalogParts {
  readonly engine: Engine
  readonly identity: IdentityStore
  readonly onInternalError: (error: unknown, operationId: string) => void
}

function openCatalog(config: Config, { engine, identity, onInternalError }: CatalogParts): Catalog {
  return createCatalog({
    store: engineCatalogStore(engine),
    clock,
    random,
    settings: { idempotencyLifetimeMs: config.idempotencyLifetimeMs },
    buckets: engineBuckets({ engine, region: regionOf(config), getAccountByNumber: accountId => identity.getAccountByNumber(accountId) }),
    remoteSigning: true,
    checkPolicy: checkResourcePolicy,
    onInternalError,
  })
}

interface OpenStores {
  readonly deploymentId: string
  readonly engine: Engine
  readonly keeper: DriveKeeper
  readonly growth: SetGrowth | undefined
  readonly copies: () => Promise<string[]>
  readonly readMetadataFrom: (directory: string) => void
  readonly close: () => Promise<void>
}

async function openStores(config: Config, ofWorker: { readonly committer?: DeploymentCommitter; readonly foreground?: Foreground } = {}): Promise<OpenStores> {
  const deployment = await openDeployment({ ...drivesOf(config), clock, random, ...ofWorker })
  const { metadata, blobs, copier, keeper } = deployment
  const engine = openEngine({ metadata, blobs, clock, random, settings: { garbageGraceMs: config.garbageGraceMs } })
  return {
    deploymentId: deployment.deploymentId,
    engine,
    keeper,
    growth: copier === undefined ? undefined : new SetGrowth({ metadata, blobs, copier, keeper, clock, random }),
    copies: () => deployment.copies(),
    readMetadataFrom: directory => deployment.readMetadataFrom(directory),
    close: async () => {
      await engine.close()
      await deployment.close()
    },
  }
}

function openLogger(config: Config): ReturnType<typeof createLogger> {
  return createLogger({ level: config.logLevel, readable: process.stdout.isTTY && !config.json, destination: 1 })
}

function drivesOf({ drives, parity, reducedParity }: Config) {
  return { drives, parities: { ...(parity === undefined ? {} : { standard: parity }), ...(reducedParity === undefined ? {} : { reduced: reducedParity }) } }
}

function regionOf({ region = 'us-east-1' }: Config): string {
  return region
}
