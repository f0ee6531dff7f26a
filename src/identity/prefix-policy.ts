import type { SessionLimit } from './session-token.ts'

/**
 * The policy of vended credentials: the objects under one prefix, to read or to write, and listings of it. A prefix
 * ends in `/`, so that a table whose name begins like another's is not reached, nor its names listed.
 */
export function prefixPolicy({ bucket, prefix, access }: Extract<SessionLimit, { kind: 'prefix' }>): string {
  const bucketArn = `arn:aws:s3:::${literal(bucket)}`
  const reads = ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectAttributes', 's3:GetObjectVersionAttributes', 's3:GetObjectTagging']
  const writes = ['s3:PutObject', 's3:PutObjectTagging', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts']
  const under = [literal(prefix), `${literal(prefix)}*`]
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: access === 'write' ? [...reads, ...writes] : reads, Resource: `${bucketArn}/${literal(prefix)}*` },
      { Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: bucketArn },
      { Effect: 'Allow', Action: access === 'write' ? ['s3:ListBucket', 's3:ListBucketMultipartUploads'] : 's3:ListBucket', Resource: bucketArn, Condition: { StringLike: { 's3:prefix': under } } },
    ],
  })
}

/** Characters that mean something in policies, as themselves. */
const literal = (text: string): string => text.replaceAll(/[*?$]/g, character => `\${${character}}`)
