import { S3Client } from '@aws-sdk/client-s3'

export interface Target {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A client of one server: path style, one attempt, so that no retry hides an answer. */
export function clientOf({ endpoint, accessKeyId, secretAccessKey }: Target): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } })
}

/** The status and error code of a call that must be refused. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    if (error instanceof Error && '$metadata' in error) return `${(error.$metadata as { httpStatusCode?: number }).httpStatusCode} ${error.name}`
    throw error
  }
  throw new Error('it was accepted')
}

/** Fails when it takes longer than a minute. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadlineMs = Date.now() + 60_000; !(await isSo()); await new Promise(resolve => setTimeout(resolve, 50))) {
    if (Date.now() > deadlineMs) throw new Error(`still not so: ${what}`)
  }
}
