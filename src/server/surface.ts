/**
 * Which part of the server a request is for, from its path and host alone. `s3` is everything that
 * no other part claims. A request to `BUCKET.DOMAIN` is always S3's: its path is an object's key.
 * `query` is AWS's query protocol, which IAM and STS speak: `POST /`, where S3 has no operation, and `GET /` with an action.
 */
export type Surface = 's3' | 'query' | 'router'

const routedPrefixes = ['/minio/', '/iceberg/', '/_iceberg/', '/_moraine/']

export function surfaceOf(method: string | undefined, url: string, host: string | undefined, domains: readonly string[]): Surface {
  const surface = isQuery(method, url) ? 'query' : routedPrefixes.some(prefix => url.startsWith(prefix)) ? 'router' : 's3'
  return surface !== 's3' && host !== undefined && domains.length > 0 && isBucketHost(host, domains) ? 's3' : surface
}

function isQuery(method: string | undefined, url: string): boolean {
  if (url !== '/' && !url.startsWith('/?')) return false
  return method === 'POST' || (method === 'GET' && /[?&]Action=/.test(url))
}

function isBucketHost(host: string, domains: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return domains.some(domain => name.endsWith(`.${domain}`))
}
