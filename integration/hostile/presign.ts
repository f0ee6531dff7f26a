/** Presigned URLs by hand, with every part open to be wrong. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
import { createHash, createHmac } from 'node:crypto'

export interface ToPresign {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly expiresSeconds: number | string
  readonly query?: Readonly<Record<string, string>>
  /** Signed beside `host`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly date?: Date
  readonly region?: string
}

const encode = (text: string) => encodeURIComponent(text).replaceAll(/[!'()*]/g, each => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()

/** Path and query. */
export function presign({ method, host, path, accessKeyId, secretAccessKey, expiresSeconds, query = {}, headers = {}, date = new Date(), region = 'us-east-1' }: ToPresign): string {
  const stamp = date.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const day = stamp.slice(0, 8)
  const scope = `${day}/${region}/s3/aws4_request`
  const signedHeaders: Record<string, string> = { ...headers, host }
  const names = Object.keys(signedHeaders).toSorted()
  const parameters: Record<string, string> = {
    ...query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': `${accessKeyId}/${scope}`, 'X-Amz-Date': stamp,
    'X-Amz-Expires': String(expiresSeconds), 'X-Amz-SignedHeaders': names.join(';'),
  }
  const search = Object.entries(parameters).map(([name, value]) => `${encode(name)}=${encode(value)}`).toSorted().join('&')
  const canonical = [method, path, search, ...names.map(name => `${name}:${signedHeaders[name]}`), '', names.join(';'), 'UNSIGNED-PAYLOAD'].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${secretAccessKey}`))
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`
  return `${path}?${search}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`
}
