/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, general purpose buckets.
 */
export function isValidBucketName(name: string): boolean {
  if (name.length < 3 || name.length > 63) return false
  if (!/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(name)) return false
  if (name.includes('..') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)) return false
  return !reservedPrefixes.some((prefix) => name.startsWith(prefix)) && !reservedSuffixes.some((suffix) => name.endsWith(suffix))
}

const reservedPrefixes = ['xn--', 'sthree-', 'amzn-s3-demo-']
const reservedSuffixes = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3']

/** Names that cannot be created because paths of the server's own start with them. */
export const reservedBucketNames: ReadonlySet<string> = new Set(['iceberg', 'minio'])
