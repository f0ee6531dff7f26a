import { S3Error } from '../../wire/errors.ts'
import type { S3ErrorCode } from '../../wire/error-codes.ts'
import type { Operation } from '../operation.ts'

/**
 * The reads of bucket configurations that cannot be set here yet: each answers as AWS does for a bucket
 * that never had one, because clients such as Terraform read them all on every refresh. Their writes are 501.
 */

const bucketOnly = ['Bucket', 'ExpectedBucketOwner'] as const

/** An empty answer. */
const answers = (output: object, honours: readonly string[] = bucketOnly): Operation<object, object> => ({
  honours: honours as readonly never[],
  scope: 'bucket',
  run: () => Promise.resolve(output),
})

/** AWS's error for what was never set. */
const fails = (code: S3ErrorCode, honours: readonly string[] = bucketOnly): Operation<object, object> => ({
  honours: honours as readonly never[],
  scope: 'bucket',
  run: ({ bucket }) => Promise.reject(new S3Error(code, undefined, { BucketName: bucket })),
})

/** AWS answers so for objects in a bucket without object lock, whatever the object. */
const withoutObjectLock: Operation<object, object> = {
  honours: [...bucketOnly, 'Key', 'VersionId', 'RequestPayer'] as readonly string[] as readonly never[],
  scope: 'bucket',
  run: () => Promise.reject(new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration')),
}

const byId = [...bucketOnly, 'Id'] as const
const paged = [...bucketOnly, 'ContinuationToken'] as const

export const unconfigured = {
  GetBucketAccelerateConfiguration: answers({}, [...bucketOnly, 'RequestPayer']),
  GetBucketLogging: answers({}),
  GetBucketNotificationConfiguration: answers({}),
  GetBucketRequestPayment: answers({ Payer: 'BucketOwner' }),
  ListBucketAnalyticsConfigurations: answers({ IsTruncated: false }, paged),
  ListBucketIntelligentTieringConfigurations: answers({ IsTruncated: false }, paged),
  ListBucketInventoryConfigurations: answers({ IsTruncated: false }, paged),
  ListBucketMetricsConfigurations: answers({ IsTruncated: false }, paged),
  GetBucketAnalyticsConfiguration: fails('NoSuchConfiguration', byId),
  GetBucketIntelligentTieringConfiguration: fails('NoSuchConfiguration', byId),
  GetBucketInventoryConfiguration: fails('NoSuchConfiguration', byId),
  GetBucketMetricsConfiguration: fails('NoSuchConfiguration', byId),
  GetBucketEncryption: fails('ServerSideEncryptionConfigurationNotFoundError'),
  GetBucketLifecycleConfiguration: fails('NoSuchLifecycleConfiguration'),
  GetBucketReplication: fails('ReplicationConfigurationNotFoundError'),
  GetObjectLockConfiguration: fails('ObjectLockConfigurationNotFoundError'),
  GetObjectLegalHold: withoutObjectLock,
  GetObjectRetention: withoutObjectLock,
} satisfies Record<string, Operation<object, object>>
