import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { must } from '../../../base/assert.ts'
import { systemClock, systemRandom } from '../../../base/system.ts'
import { createRequestIds } from '../../telemetry/request-ids.ts'
import { createHttpServer, type HttpServer } from '../http-server.ts'
import { CertificateError, readCertificates } from './certificates.ts'
import { newAuthority, writePair, type ScratchAuthority } from './scratch-certificates.ts'
import { openServerTls, type ClientCertificates } from './server-tls.ts'

let authority: ScratchAuthority
const directories: string[] = []
const servers: HttpServer[] = []

beforeAll(async () => {
  authority = await newAuthority('test authority')
})

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.drain(0)))
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'moraine-certs-'))
  directories.push(directory)
  return directory
}

async function serve(directory: string, clientCertificates: ClientCertificates = 'off'): Promise<number> {
  const tls = must(openServerTls({ directory, password: undefined, clientCertificates }), 'the directory holds a certificate')
  const quick = { ...tls, follow: (follower: Parameters<typeof tls.follow>[0]) => tls.follow({ ...follower, intervalMs: 20 }) }
  const server = await createHttpServer({
    s3: async (_request, response) => void response.end('hello'),
    query: async (_request, response) => void response.end('hello'),
    routes: async () => {},
    nextRequestId: createRequestIds(systemRandom),
    logRequest: () => {},
    clock: systemClock,
    domains: [],
    tls: quick,
    bodyIdleTimeoutMs: 60_000,
    keepAliveTimeoutMs: 60_000,
  })
  servers.push(server)
  return server.listen({ host: '127.0.0.1', port: 0 })
}

/** Resolves with the common name of the certificate shown, and whether ours was accepted (`authorized` is the client's view). */
function shown(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca: authority.certificate, checkServerIdentity: () => undefined, ...options }, () => {
      const { subject } = socket.getPeerCertificate()
      socket.end()
      resolve(String(subject.CN))
    })
    socket.on('error', reject)
  })
}

function get(port: number, client: { readonly cert?: string; readonly key?: string } = {}): Promise<{ status: number | undefined; transportSecurity: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', servername: 'one.test', ca: authority.certificate, agent: false, ...client }, response => {
      let body = ''
      response.on('data', chunk => (body += String(chunk)))
      response.on('end', () => resolve({ status: response.statusCode, transportSecurity: response.headers['strict-transport-security'], body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe('a server with certificates', () => {
  it('answers over TLS, and says that it always will', async () => {
    const directory = scratchDirectory()
    writePair(directory, await authority.issue('one', ['one.test']))
    expect(await get(await serve(directory))).toEqual({ status: 200, transportSecurity: 'max-age=31536000; includeSubDomains', body: 'hello' })
  })

  it('shows the certificate of the name that a client asks for, wildcards included, else the standard one', async () => {
    const directory = scratchDirectory()
    writePair(directory, await authority.issue('one', ['one.test']))
    writePair(join(directory, 'two'), await authority.issue('two', ['two.test', '*.two.test']))
    const port = await serve(directory)
    expect(await shown(port, { servername: 'two.test' })).toBe('two')
    expect(await shown(port, { servername: 'bucket.two.test' })).toBe('two')
    expect(await shown(port, { servername: 'a.b.two.test' })).toBe('one')
    expect(await shown(port, { servername: 'three.test' })).toBe('one')
    expect(await shown(port)).toBe('one')
  })

  it('shows renewed and added certificates without a restart, and keeps those in use while the files cannot be used', async () => {
    const directory = scratchDirectory()
    writePair(directory, await authority.issue('one', ['one.test']))
    const port = await serve(directory)
    writeFileSync(join(directory, 'private.key'), 'half a file')
    await systemClock.sleep(100)
    expect(await shown(port)).toBe('one')
    writePair(directory, await authority.issue('renewed', ['one.test']))
    writePair(join(directory, 'two'), await authority.issue('two', ['two.test']))
    await expect.poll(() => shown(port), { timeout: 10_000 }).toBe('renewed')
    await expect.poll(() => shown(port, { servername: 'two.test' }), { timeout: 10_000 }).toBe('two')
  })

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async maxVersion => {
    const directory = scratchDirectory()
    writePair(directory, await authority.issue('one', ['one.test']))
    await expect(shown(await serve(directory), { minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow()
  })

  it('requires a certificate of clients where that is asked for: one that an authority in CAs signed', async () => {
    const directory = scratchDirectory()
    const clients = await newAuthority('clients')
    writePair(directory, await authority.issue('one', ['one.test']))
    mkdirSync(join(directory, 'CAs'))
    writeFileSync(join(directory, 'CAs', 'clients.crt'), clients.certificate)
    const port = await serve(directory, 'required')
    const known = await clients.issue('spark')
    const stranger = await authority.issue('stranger')
    expect((await get(port, { cert: known.certificate, key: known.privateKey })).status).toBe(200)
    await expect(get(port)).rejects.toThrow()
    await expect(get(port, { cert: stranger.certificate, key: stranger.privateKey })).rejects.toThrow()
  })
})

describe('readCertificates', () => {
  it('finds none in a directory that is missing or empty', () => {
    expect(readCertificates(join(scratchDirectory(), 'nothing'), undefined)).toBeUndefined()
    expect(readCertificates(scratchDirectory(), undefined)).toBeUndefined()
  })

  it('names what cannot be used: a key of another certificate, half a pair, no PEM, names without a standard', async () => {
    const [one, two] = await Promise.all([authority.issue('one', ['one.test']), authority.issue('two', ['two.test'])])
    const foreign = scratchDirectory()
    writePair(foreign, { ...one, privateKey: two.privateKey })
    const half = scratchDirectory()
    writeFileSync(join(half, 'public.crt'), one.certificate)
    const broken = scratchDirectory()
    writePair(broken, { certificate: 'no PEM', privateKey: one.privateKey })
    const lonely = scratchDirectory()
    writePair(join(lonely, 'two'), two)
    for (const [directory, words] of [[foreign, /private\.key is not the key of .*public\.crt/], [half, /private\.key cannot be read/], [broken, /public\.crt cannot be used/], [lonely, /public\.crt is missing/]] as const) {
      expect(() => readCertificates(directory, undefined)).toThrow(CertificateError)
      expect(() => readCertificates(directory, undefined)).toThrow(words)
    }
  })
})
