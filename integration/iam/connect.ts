import { IAMClient } from '@aws-sdk/client-iam'
import { S3Client } from '@aws-sdk/client-s3'
import { STSClient } from '@aws-sdk/client-sts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface Clients {
  readonly s3: S3Client
  readonly iam: IAMClient
  readonly sts: STSClient
}

/** The three clients of one identity. */
export function clientsOf(endpoint: string, credentials: Credentials): Clients {
  const options = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }
  return { s3: new S3Client({ ...options, forcePathStyle: true }), iam: new IAMClient(options), sts: new STSClient(options) }
}

interface Shown {
  readonly AccessKeyId?: string | undefined
  readonly SecretAccessKey?: string | undefined
  readonly SessionToken?: string | undefined
}

/** Credentials as IAM and STS show them. */
export function credentialsOf(shown: Shown | undefined): Credentials {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken } = shown ?? {}
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }) }
}

/** The code of the refusal, or `none`. */
export async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act
    return 'none'
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { Code: code } = error as Error & { readonly Code?: string }
    return code ?? error.name
  }
}

export const allow = (Action: string | readonly string[], Resource: string | readonly string[] = '*'): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })

export const trusting = (Principal: unknown, extra: Readonly<Record<string, unknown>> = {}, Action: string | readonly string[] = 'sts:AssumeRole'): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action, ...extra }] })
