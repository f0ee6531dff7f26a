import { createHash, createHmac } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'

export interface AdminClientOptions {
  /** Origin of the server. */
  readonly endpoint: string
  readonly region: string
  readonly root: { readonly user: string; readonly password: string }
  readonly clock: Clock
}

/** The server refused or cannot be reached; the message says which. */
export class AdminError extends Error {
  override readonly name = 'AdminError'
}

/** A request without a body to a running server (`path` with one parameter at most, encoded), signed by Version 4 with the root account's key; the JSON that it answers. */
export async function callServer<T>(method: 'GET' | 'POST' | 'DELETE', path: string, { endpoint, region, root, clock }: AdminClientOptions): Promise<T> {
  const { host } = new URL(endpoint)
  const stamp = `${new Date(clock.nowMs()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const payloadHash = sha256('')
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`
  const [pathname = '', query = ''] = path.split('?')
  const canonical = `${method}\n${pathname}\n${query}\nhost:${host}\nx-amz-content-sha256:${payloadHash}\nx-amz-date:${stamp}\n\nhost;x-amz-content-sha256;x-amz-date\n${payloadHash}`
  const key = scope.split('/').reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${root.password}`))
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha256(canonical)}`).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${root.user}/${scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`
  const response = await fetch(new URL(path, endpoint), { method, headers: { 'x-amz-content-sha256': payloadHash, 'x-amz-date': stamp, authorization } }).catch((cause: unknown) => {
    throw new AdminError(`${endpoint} cannot be reached`, { cause })
  })
  const text = await response.text()
  if (response.ok) return JSON.parse(text) as T
  if (response.status === 403) throw new AdminError(`${endpoint} refuses the credentials: set MORAINE_ROOT_USER and MORAINE_ROOT_PASSWORD to the server's`)
  throw new AdminError(`${endpoint} answers ${response.status}: ${messageOf(text)}`)
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { readonly message?: unknown }).message)
  } catch {
    return text.slice(0, 200)
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
