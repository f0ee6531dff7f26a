import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** One certificate chain with its key, as files hold them. */
export interface ServerCertificate {
  readonly certificate: X509Certificate
  /** PEM: the server's certificate, then those that lead to its authority. */
  readonly chain: string
  readonly privateKey: string
}

/** What a directory of certificates holds. */
export interface CertificateSet {
  /** Shown to a client that names no server, or one that no other certificate is for. */
  readonly standard: ServerCertificate
  readonly others: readonly ServerCertificate[]
  /** PEM: who may sign clients' certificates. */
  readonly authorities: readonly string[]
  /** Changes when any file does. */
  readonly fingerprint: string
}

/** A certificate, a key or a directory that cannot be used; the message names the file. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** MinIO's names in its certificate directory. */
const chainName = 'public.crt'
const keyName = 'private.key'
const authoritiesName = 'CAs'

/**
 * Reads `public.crt` and `private.key` of the directory, the same two of each directory in it (one for
 * each further name), and the authorities in `CAs`. `undefined` when the directory asks for no TLS:
 * it is missing, or holds neither. Half a pair, a key of another certificate, or a file that is no
 * PEM is a `CertificateError`.
 */
export function readCertificates(directory: string, password: string | undefined): CertificateSet | undefined {
  const hash = createHash('sha256')
  const read = (path: string): string => {
    const text = readText(path)
    hash.update(path).update('\0').update(text).update('\0')
    return text
  }
  const standard = readPair(directory, password, read)
  const names = directoriesIn(directory).filter(name => name !== authoritiesName)
  const others = names.map(name => readPair(join(directory, name), password, read)).filter(pair => pair !== undefined)
  if (standard === undefined) {
    if (others.length > 0) throw new CertificateError(`${join(directory, chainName)} is missing: the certificate for clients that name no server`)
    return undefined
  }
  const authorities = filesIn(join(directory, authoritiesName)).map(path => readAuthority(path, read))
  return { standard, others, authorities, fingerprint: hash.digest('hex') }
}

/** The certificate for the server name of a TLS handshake. Exact names and wildcards count as RFC 6125 says. */
export function certificateFor({ standard, others }: CertificateSet, serverName: string): ServerCertificate {
  return others.find(({ certificate }) => certificate.checkHost(serverName) !== undefined) ?? standard
}

function readPair(directory: string, password: string | undefined, read: (path: string) => string): ServerCertificate | undefined {
  const chainPath = join(directory, chainName)
  const keyPath = join(directory, keyName)
  if (!existsSync(chainPath) && !existsSync(keyPath)) return undefined
  const chain = read(chainPath)
  const key = read(keyPath)
  const certificate = parsed(chainPath, () => new X509Certificate(chain))
  const privateKey = parsed(keyPath, () => createPrivateKey({ key, ...(password === undefined ? {} : { passphrase: password }) }))
  if (!certificate.checkPrivateKey(privateKey)) throw new CertificateError(`${keyPath} is not the key of ${chainPath}`)
  return { certificate, chain, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function readAuthority(path: string, read: (path: string) => string): string {
  const text = read(path)
  parsed(path, () => new X509Certificate(text))
  return text
}

/** OpenSSL's own words may quote nothing of a key: they name the kind of the failure only. */
function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new CertificateError(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CertificateError(`${path} cannot be read`, { cause: error })
  }
}

/** Kubernetes mounts secrets through hidden directories: those are no names. */
function directoriesIn(directory: string): readonly string[] {
  return entriesOf(directory).filter(name => !name.startsWith('.') && statSync(join(directory, name)).isDirectory())
}

function filesIn(directory: string): readonly string[] {
  return entriesOf(directory).map(name => join(directory, name)).filter(path => statSync(path).isFile())
}

const entriesOf = (directory: string): readonly string[] => (existsSync(directory) ? readdirSync(directory).toSorted() : [])
