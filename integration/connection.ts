/** The server under test, as the environment of `integration/run.ts` gives it. */
import { randomBytes } from 'node:crypto'
import { S3Client, type S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3'

function required(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set: run the suites with integration/run.ts`)
  return value
}

export const endpoint = required('TEST_ENDPOINT')
export const accessKeyId = required('TEST_ACCESS_KEY')
export const secretAccessKey = required('TEST_SECRET_KEY')
export const region = 'us-east-1'
/** The primary process; its children are the workers. */
export const serverPid = Number(process.env['TEST_SERVER_PID'])

/** A client as a user configures it: path style, one attempt so that no retry hides an answer. */
export function connect(config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint, region, forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey }, ...config,
  })
}

let buckets = 0

/** A bucket name that no other test of this run uses. */
export function freshBucket(purpose: string): string {
  buckets += 1
  return `${purpose}-${process.pid}-${buckets}-${randomBytes(3).toString('hex')}`
}

export interface Refusal {
  readonly code: string
  readonly status: number
}

/** The error code and status of a call that must be refused; throws when it succeeds. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call
  } catch (error) {
    if (error instanceof S3ServiceException) return { code: error.name, status: error.$metadata.httpStatusCode ?? 0 }
    throw error
  }
  throw new Error('the call succeeded')
}
