/**
 * Headers and parameters that belong to the transport of a request rather than to its operation: signature, SDK,
 * tracing, and the checksum values of a body, which the server verifies for every operation.
 */
export function isTransportHeader(name: string): boolean {
  return transportHeaders.has(name) || name.startsWith('x-amz-sdk-') || name.startsWith('x-amzn-')
}

const transportHeaders: ReadonlySet<string> = new Set([
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'x-amz-region-set',
  'x-amz-user-agent',
  'x-amz-api-version',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
  // minio-go sends it with PutObject and UploadPart, whose schemas name it x-amz-sdk-checksum-algorithm.
  'x-amz-checksum-algorithm',
  'x-amz-te',
  'x-amz-cf-id',
  'x-amz-request-id',
  'x-amz-id-2',
  ...['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256', 'sha512', 'md5', 'xxhash64', 'xxhash3', 'xxhash128'].map((name) => `x-amz-checksum-${name}`),
])

/** `name` in lower case. */
export function isTransportParameter(name: string): boolean {
  return presignParameters.has(name) || name === 'x-id'
}

const presignParameters: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-region-set',
  'x-amz-user-agent',
])
