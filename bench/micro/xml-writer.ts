/**
 * How long a 1,000-key ListObjectsV2 answer takes to write, and to read the request for it: `node bench/micro/xml-writer.ts`.
 * The bound is 1.5 ms; exits 1 beyond it.
 */
import { requestReaderOf } from '../../src/wire/read-request.ts'
import { parseQuery } from '../../src/wire/query.ts'
import { responseWriterOf } from '../../src/wire/write-response.ts'
import type { S3Output } from '../../src/wire/s3-operations.ts'

const boundMs = 1.5
const keys = 1000

const listing: S3Output<'ListObjectsV2'> = {
  Name: 'lake',
  Prefix: 'warehouse/flights/data/',
  KeyCount: keys,
  MaxKeys: keys,
  IsTruncated: true,
  NextContinuationToken: 'd2FyZWhvdXNlL2ZsaWdodHMvZGF0YS8wMDk5OS5wYXJxdWV0',
  Contents: Array.from({ length: keys }, (_, i) => ({
    Key: `warehouse/flights/data/origin=JFK/${String(i).padStart(5, '0')}-5c1d3b0e-8f1f-4f1b-9d0a-2f8b3c1d0e9a.parquet`,
    LastModified: new Date(1_700_000_000_000 + i * 1013),
    ETag: '"0123456789abcdef0123456789abcdef"',
    ChecksumAlgorithm: ['CRC64NVME'],
    ChecksumType: 'FULL_OBJECT',
    Size: 1_048_576 + i,
    StorageClass: 'STANDARD',
  })),
}

/** Median of single runs, after warming up. */
function medianMs(run: () => unknown, runs = 400): number {
  const timesMs: number[] = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    run()
    timesMs.push(performance.now() - start)
  }
  timesMs.splice(0, runs / 4)
  return timesMs.toSorted((a, b) => a - b)[timesMs.length >> 1] ?? Number.NaN
}

const headers = {
  host: 'localhost:9000',
  'x-amz-date': '20260101T000000Z',
  'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  authorization: 'AWS4-HMAC-SHA256 Credential=moraineadmin/20260101/us-east-1/s3/aws4_request',
}

const write = responseWriterOf('ListObjectsV2')
const { body } = write(listing)
const writeMs = medianMs(() => Buffer.from(write(listing).body as string))
const reader = requestReaderOf('ListObjectsV2')
const readMs = medianMs(() => {
  for (let i = 0; i < 1000; i++) reader.read({ bucket: 'lake', query: parseQuery('list-type=2&prefix=warehouse%2Fflights%2Fdata%2F&max-keys=1000'), headers })
})

process.stdout.write(`ListObjectsV2, ${keys} keys, ${(body as string).length} characters: ${writeMs.toFixed(3)} ms to write (bound ${boundMs} ms)\n`)
process.stdout.write(`ListObjectsV2 request: ${readMs.toFixed(3)} µs to read\n`)
process.exitCode = writeMs > boundMs ? 1 : 0
