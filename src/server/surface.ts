/**
 * Which part of the server a request is for, from its path and host alone. `s3` is everything that
 * no other part claims. A request to `BUCKET.DOMAIN` is always S3's: its path is an object's key.
 */
export type Surface = 's3' | 'router'

const routedPrefixes = ['/minio/', '/iceberg/', '/_iceberg/']

export function surfaceOf(url: string, host: string | undefined, domains: readonly string[]): Surface {
  if (!routedPrefixes.some(prefix => url.startsWith(prefix))) return 's3'
  return host !== undefined && domains.length > 0 && isBucketHost(host, domains) ? 's3' : 'router'
}

function isBucketHost(host: string, domains: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return domains.some(domain => name.endsWith(`.${domain}`))
}
