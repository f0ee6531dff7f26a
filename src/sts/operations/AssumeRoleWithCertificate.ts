import { TLSSocket } from 'node:tls'
import type { Credentials } from '@aws-sdk/client-sts'
import { QueryError } from '../../wire/query-error.ts'
import { foreignSession } from '../foreign-session.ts'
import type { Operation } from '../operation.ts'

interface Input {
  readonly Policy?: string
  readonly DurationSeconds?: number
}

/**
 * MinIO's: the connection shows a client certificate of an authority that the server trusts; its common name is the name
 * of its policy. The session ends with the certificate at the latest. Errors: InvalidClientCertificate, AccessDenied, ServiceUnavailable.
 */
export const AssumeRoleWithCertificate: Operation<Input, { readonly Credentials: Credentials }> = {
  honours: ['Policy', 'DurationSeconds'],
  async run(input, call) {
    const { certificate: rule } = call.providers
    if (rule === undefined) throw new QueryError('ServiceUnavailable', 'Signing in by certificate is not configured.')
    const { socket } = call.request
    if (!(socket instanceof TLSSocket)) throw new QueryError('InvalidClientCertificate', 'Certificates are shown over TLS only.')
    const certificate = socket.getPeerCertificate()
    const { CN: name } = (certificate.subject as { readonly CN?: string | readonly string[] } | undefined) ?? {}
    if (!socket.authorized || typeof name !== 'string') throw new QueryError('InvalidClientCertificate', 'The connection shows no client certificate that is trusted here.')
    // Without the purpose, any server's certificate of the same authority would do.
    const isForClients = certificate.ext_key_usage === undefined ? false : certificate.ext_key_usage.includes('1.3.6.1.5.5.7.3.2')
    if (!isForClients) throw new QueryError('InvalidClientCertificate', 'The certificate is not for client authentication.')
    const leftSeconds = Math.floor((Date.parse(certificate.valid_to) - call.nowMs) / 1000)
    if (!(leftSeconds >= 900)) throw new QueryError('InvalidClientCertificate', 'The certificate is about to expire.')
    return foreignSession({ parent: `tls:${name}`, account: rule.account, policies: [name], keys: {}, mostSeconds: Math.min(leftSeconds, 604_800) }, input, call)
  },
}
