import { createSecureContext, type SecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import type { Clock } from '../../../base/clock.ts'
import { secondMs } from '../../../base/units.ts'
import { certificateFor, readCertificates, type CertificateSet, type ServerCertificate } from './certificates.ts'

/** Whether clients show certificates of their own: never, if they have one, or always. */
export type ClientCertificates = 'off' | 'optional' | 'required'

export interface ServerTlsOptions {
  readonly directory: string
  readonly password: string | undefined
  readonly clientCertificates: ClientCertificates
}

/** TLS of one server, which follows its files while it runs. */
export interface ServerTls {
  readonly options: TlsOptions
  /**
   * Looks at the files every `intervalMs` until `signal`, and shows `apply` the contexts of clients that name no
   * server; the others change by themselves. Files that cannot be used change nothing: `onFault` is told, once
   * for each fault.
   */
  follow(follower: Follower): Promise<void>
}

export interface Follower {
  readonly clock: Clock
  readonly intervalMs: number
  readonly signal: AbortSignal
  readonly apply: (options: SecureContextOptions) => void
  readonly onFault: (error: unknown) => void
}

const handshakeTimeoutMs = 30 * secondMs

/** Forward secrecy and authenticated encryption only; the first three are TLS 1.3's. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** `undefined`: the directory asks for no TLS. Throws `CertificateError`. */
export function openServerTls(options: ServerTlsOptions): ServerTls | undefined {
  const first = readCertificates(options.directory, options.password)
  if (first === undefined) return undefined
  let contexts = contextsOf(first, options)
  return {
    options: {
      ...contextOptions(first.standard, first, options),
      SNICallback: (serverName, done) => done(null, contexts(serverName)),
      requestCert: options.clientCertificates !== 'off',
      rejectUnauthorized: options.clientCertificates === 'required',
      handshakeTimeout: handshakeTimeoutMs,
      ALPNProtocols: ['http/1.1'],
    },
    async follow({ clock, intervalMs, signal, apply, onFault }) {
      let fingerprint = first.fingerprint
      let told = ''
      for (await clock.sleep(intervalMs, signal); !signal.aborted; await clock.sleep(intervalMs, signal)) {
        try {
          const next = readCertificates(options.directory, options.password)
          if (next === undefined || next.fingerprint === fingerprint) continue
          contexts = contextsOf(next, options)
          apply(contextOptions(next.standard, next, options))
          fingerprint = next.fingerprint
          told = ''
        } catch (error) {
          if (String(error) !== told) onFault(error)
          told = String(error)
        }
      }
    },
  }
}

/** The context for a server name, each made once. */
function contextsOf(set: CertificateSet, options: ServerTlsOptions): (serverName: string) => SecureContext {
  const made = new Map<ServerCertificate, SecureContext>()
  return serverName => {
    const certificate = certificateFor(set, serverName)
    const context = made.get(certificate) ?? createSecureContext(contextOptions(certificate, set, options))
    made.set(certificate, context)
    return context
  }
}

function contextOptions({ chain, privateKey }: ServerCertificate, { authorities }: CertificateSet, { clientCertificates }: ServerTlsOptions): SecureContextOptions {
  return {
    cert: chain,
    key: privateKey,
    minVersion: 'TLSv1.2',
    ciphers,
    honorCipherOrder: true,
    // Without an authority of ours nobody's certificate counts, least of all one of the public authorities'.
    ...(clientCertificates === 'off' ? {} : { ca: [...authorities] }),
  }
}
