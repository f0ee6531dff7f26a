/**
 * As little of Signature Version 4 as the load generator needs, as cheap as it can be: the signing key is derived once, the
 * canonical request is one template, and the query comes ready-sorted from the caller.
 */
import { createHmac, hash } from 'node:crypto'

const region = 'us-east-1'
const algorithm = 'AWS4-HMAC-SHA256'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Signs `method target` with the headers host, x-amz-content-sha256 and x-amz-date. Returns the head without the final empty line. */
export type Signer = (method: string, path: string, query: string, payloadHash: string) => string

export function createSigner({ accessKeyId, secretAccessKey }: Credentials, host: string): Signer {
  let stampSecond = -1
  let stamp = ''
  let day = ''
  let scope = ''
  let key: Buffer = Buffer.alloc(0)
  const advance = (second: number) => {
    stampSecond = second
    stamp = `${new Date(second * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
    if (stamp.slice(0, 8) === day) return
    day = stamp.slice(0, 8)
    scope = `${day}/${region}/s3/aws4_request`
    const parts = [day, region, 's3', 'aws4_request']
    key = parts.reduce<Buffer>((secret, part) => createHmac('sha256', secret).update(part).digest(), Buffer.from(`AWS4${secretAccessKey}`))
  }
  return (method, path, query, payloadHash) => {
    const second = Math.floor(Date.now() / 1000)
    if (second !== stampSecond) advance(second)
    const headers = `host:${host}\nx-amz-content-sha256:${payloadHash}\nx-amz-date:${stamp}\n`
    const canonical = `${method}\n${path}\n${query}\n${headers}\nhost;x-amz-content-sha256;x-amz-date\n${payloadHash}`
    const signature = createHmac('sha256', key).update(`${algorithm}\n${stamp}\n${scope}\n${hash('sha256', canonical)}`).digest('hex')
    const target = query === '' ? path : `${path}?${query}`
    return `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nx-amz-content-sha256: ${payloadHash}\r\nx-amz-date: ${stamp}\r\n`
      + `authorization: ${algorithm} Credential=${accessKeyId}/${scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}\r\n`
  }
}

export const emptyPayload = hash('sha256', '')
export const unsignedPayload = 'UNSIGNED-PAYLOAD'
