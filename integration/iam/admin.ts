import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import type { StartedServer } from '../start-server.ts'
import type { Credentials } from './connect.ts'

export interface AdminAnswer {
  readonly status: number
  readonly body: unknown
}

/** A request to the operator's API, signed as one of S3 is. `path` begins after `/_moraine/v1`. */
export async function adminRequest({ endpoint }: Pick<StartedServer, 'endpoint'>, credentials: Credentials, method: string, path: string, body?: object): Promise<AdminAnswer> {
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 's3', sha256: Hash.bind(null, 'sha256') })
  const text = body === undefined ? undefined : JSON.stringify(body)
  const { host, hostname, port } = new URL(endpoint)
  const signed = await signer.sign({
    method, protocol: 'http:', hostname, port: Number(port), path: `/_moraine/v1${path}`, query: {}, headers: { host, 'content-type': 'application/json' }, ...(text === undefined ? {} : { body: text }),
  })
  const response = await fetch(`${endpoint}/_moraine/v1${path}`, { method, headers: signed.headers, ...(text === undefined ? {} : { body: text }) })
  return { status: response.status, body: await response.json() }
}
