/** For tests: S3 over real HTTP, on real stores in a temporary directory. */
import { rootPrincipal } from '../policy/principal.ts'
import { createServer, request as sendRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { openScratchEngine, type ScratchEngine } from '../identity/scratch-engine.ts'
import { SigningKeys } from '../sigv4/signing-keys.ts'
import { s3Handler } from './pipeline.ts'
import { createS3Service } from './service.ts'
import type { Caller } from '../identity/caller.ts'
import type { NewBucketDefaults } from './operation.ts'

export const owner = 'a'.repeat(64)
export const accessKeyId = 'ADA'
export const secretAccessKey = 'ada+secret/with=signs'
export const account = { name: 'ada', id: owner, accountId: '111111111111', displayName: 'Ada', email: '' }
const caller: Caller = { principal: rootPrincipal('accountRoot', account), account, accessKeyId }

/** The names under which the scratch server has buckets as hosts, and their websites. */
export const domain = 's3.example.test'
export const websiteDomain = 'web.example.test'

export interface ScratchAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly bytes: Buffer
  /** The `Code` of an error body. */
  readonly code: string | undefined
}

export interface ScratchRequest {
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** False: sent without a signature. */
  readonly signed?: boolean
  /** The access key id of one of `callers`, whose secret is the same as ours. */
  readonly as?: string
}

export interface ScratchServer extends ScratchEngine {
  readonly host: string
  /** Others than ours who may sign, by access key id; changes hold from the next request on. */
  readonly callers: Map<string, Caller>
  /** `path` is percent-encoded already. */
  send(method: string, path: string, options?: ScratchRequest): Promise<ScratchAnswer>
  close(): Promise<void>
}

export async function openScratchServer({ region, newBucketDefaults }: { readonly region?: string; readonly newBucketDefaults?: NewBucketDefaults } = {}): Promise<ScratchServer> {
  const world = await openScratchEngine()
  const { engine, clock } = world
  const callers = new Map<string, Caller>()
  const accountIdOf = async (id: string) => [account, ...[...callers.values()].map(other => other.account)].find(one => one.id === id)?.accountId
  const handle = s3Handler({
    service: createS3Service({ engine, region, clock, accountIdOf, ...(newBucketDefaults && { newBucketDefaults }) }),
    lookupAccessKey: async id => {
      const found = id === accessKeyId ? caller : callers.get(id)
      return found && { secretAccessKey, caller: found }
    },
    keys: new SigningKeys(),
    requiredRegion: region,
    domains: [domain],
    websiteDomains: [websiteDomain],
    hostId: 'host',
  })
  const server = createServer((request, response) => void handle(request, response, { requestId: '0123456789ABCDEF', expectsContinue: false, notes: {} }))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  const signerOf = (id: string) => new SignatureV4({ credentials: { accessKeyId: id, secretAccessKey }, region: region ?? 'us-east-1', service: 's3', sha256: Sha256, uriEscapePath: false })
  return {
    ...world,
    host,
    callers,
    async send(method, path, { query = {}, headers = {}, body = '', signed = true, as = accessKeyId } = {}) {
      const bytes = Buffer.from(body)
      const unsigned = { method, protocol: 'http:', hostname: '127.0.0.1', path, query: { ...query }, headers: { host, 'content-length': String(bytes.length), ...headers } }
      const ready = signed ? await signerOf(as).sign({ ...unsigned, body: bytes }, { signingDate: new Date(clock.nowMs()) }) : unsigned
      const search = new URLSearchParams(query).toString().replaceAll('+', '%20')
      return exchange(port, { method, path: search === '' ? path : `${path}?${search}`, headers: ready.headers, bytes })
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await world.remove()
    },
  }
}

function exchange(port: number, { method, path, headers, bytes }: { method: string; path: string; headers: Record<string, string>; bytes: Buffer }): Promise<ScratchAnswer> {
  return new Promise((resolve, reject) => {
    const request = sendRequest({ host: '127.0.0.1', port, method, path, headers }, response => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.on('error', reject)
      response.on('end', () => {
        const whole = Buffer.concat(pieces)
        const body = whole.toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, bytes: whole, code: /<Code>([^<]*)<\/Code>/.exec(body)?.[1] })
      })
    })
    request.on('error', reject)
    request.end(bytes)
  })
}

/** The hash that the signer asks for, by Node's. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash>

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : (createHmac('sha256', secret as Buffer) as unknown as ReturnType<typeof createHash>)
  }

  update(bytes: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof bytes === 'string' ? bytes : Buffer.from(bytes as Uint8Array))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
}
