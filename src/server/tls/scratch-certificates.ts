import { webcrypto } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
// The next package needs it, and imports it not by itself.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { dayMs } from '../../../base/units.ts'

/** A certificate made for a test, and its key, in PEM. */
export interface ScratchCertificate {
  readonly certificate: string
  readonly privateKey: string
}

/** An authority made for a test. */
export interface ScratchAuthority {
  readonly certificate: string
  /** A certificate for servers of these host names, or for a client of that common name. */
  issue(commonName: string, hostNames?: readonly string[]): Promise<ScratchCertificate>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export async function newAuthority(name: string): Promise<ScratchAuthority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [new x509.BasicConstraintsExtension(true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  })
  return {
    certificate: authority.toString('pem'),
    async issue(commonName, hostNames = []) {
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${commonName}`,
        issuer: authority.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        ...validity(),
        extensions: hostNames.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hostNames.map(value => ({ type: 'dns' as const, value })))],
      })
      return { certificate: certificate.toString('pem'), privateKey: x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY') }
    },
  }
}

/** As a server finds it: `public.crt` and `private.key`. */
export function writePair(directory: string, { certificate, privateKey }: ScratchCertificate): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'public.crt'), certificate)
  writeFileSync(join(directory, 'private.key'), privateKey)
}

function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + dayMs) }
}
