/**
 * What the AWS Terraform provider asks of S3 for an `aws_s3_bucket` with tags and its companion resources: in the provider's
 * order, with the answers it needs. Its resource reads every sub-resource on each refresh, and takes some errors for "not
 * configured" and fails on any other.
 */
import {
  CreateBucketCommand, DeleteBucketCommand, DeleteBucketCorsCommand, DeleteBucketWebsiteCommand, DeleteObjectCommand, DeleteObjectsCommand, GetBucketAccelerateConfigurationCommand,
  GetBucketAclCommand, GetBucketCorsCommand, GetBucketEncryptionCommand, GetBucketLifecycleConfigurationCommand, GetBucketLocationCommand,
  GetBucketLoggingCommand, GetBucketNotificationConfigurationCommand, GetBucketOwnershipControlsCommand, GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand, GetBucketReplicationCommand, GetBucketRequestPaymentCommand, GetBucketTaggingCommand, GetBucketVersioningCommand,
  GetBucketWebsiteCommand, GetObjectLockConfigurationCommand, GetObjectTaggingCommand, GetPublicAccessBlockCommand, HeadBucketCommand, HeadObjectCommand,
  ListBucketAnalyticsConfigurationsCommand, ListBucketIntelligentTieringConfigurationsCommand, ListBucketInventoryConfigurationsCommand,
  ListBucketMetricsConfigurationsCommand, ListObjectVersionsCommand, PutBucketCorsCommand, PutBucketTaggingCommand, PutBucketVersioningCommand,
  PutBucketWebsiteCommand, PutObjectCommand, PutBucketLifecycleConfigurationCommand, PutPublicAccessBlockCommand, type S3Client,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { connect, freshBucket, refusalOf } from '../connection.ts'

const s3: S3Client = connect()
const Bucket = freshBucket('terraform')
const tags = [{ Key: 'Environment', Value: 'test' }, { Key: 'ManagedBy', Value: 'terraform' }]

/** The reads of `resourceBucketRead`, one after another; what each found, or the error code that the provider understands. */
async function refresh(bucket: string) {
  const codeOf = async (call: Promise<unknown>): Promise<unknown> => (await refusalOf(call)).code
  return {
    head: (await s3.send(new HeadBucketCommand({ Bucket: bucket }))).BucketRegion,
    policy: await codeOf(s3.send(new GetBucketPolicyCommand({ Bucket: bucket }))),
    grants: (await s3.send(new GetBucketAclCommand({ Bucket: bucket }))).Grants?.map(({ Permission }) => Permission),
    cors: await codeOf(s3.send(new GetBucketCorsCommand({ Bucket: bucket }))),
    website: await codeOf(s3.send(new GetBucketWebsiteCommand({ Bucket: bucket }))),
    versioning: (await s3.send(new GetBucketVersioningCommand({ Bucket: bucket }))).Status,
    accelerate: (await s3.send(new GetBucketAccelerateConfigurationCommand({ Bucket: bucket }))).Status,
    payer: (await s3.send(new GetBucketRequestPaymentCommand({ Bucket: bucket }))).Payer,
    logging: (await s3.send(new GetBucketLoggingCommand({ Bucket: bucket }))).LoggingEnabled,
    lifecycle: await codeOf(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }))),
    replication: await codeOf(s3.send(new GetBucketReplicationCommand({ Bucket: bucket }))),
    encryption: await codeOf(s3.send(new GetBucketEncryptionCommand({ Bucket: bucket }))),
    objectLock: await codeOf(s3.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }))),
    location: (await s3.send(new GetBucketLocationCommand({ Bucket: bucket }))).LocationConstraint,
    tags: (await s3.send(new GetBucketTaggingCommand({ Bucket: bucket }))).TagSet,
  }
}

const unconfigured = {
  head: 'us-east-1',
  policy: 'NoSuchBucketPolicy',
  grants: ['FULL_CONTROL'],
  cors: 'NoSuchCORSConfiguration',
  website: 'NoSuchWebsiteConfiguration',
  versioning: undefined,
  accelerate: undefined,
  payer: 'BucketOwner',
  logging: undefined,
  lifecycle: 'NoSuchLifecycleConfiguration',
  replication: 'ReplicationConfigurationNotFoundError',
  encryption: 'ServerSideEncryptionConfigurationNotFoundError',
  objectLock: 'ObjectLockConfigurationNotFoundError',
  location: undefined,
  tags,
}

/** Tests run in order: one `terraform apply`, refreshes, and one `terraform destroy`. */
describe('aws_s3_bucket', () => {
  beforeAll(async () => {
    // The provider looks first, so as not to adopt a bucket that is there.
    const found = await s3.send(new HeadBucketCommand({ Bucket })).then(() => true, () => false)
    if (found) throw new Error('the bucket exists already')
    await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: 'BucketOwnerEnforced' }))
  })

  test('create waits until the bucket is there, then tags it', async () => {
    await s3.send(new HeadBucketCommand({ Bucket }))
    expect(await refusalOf(s3.send(new GetBucketTaggingCommand({ Bucket })))).toEqual({ code: 'NoSuchTagSet', status: 404 })
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tags } }))
  })

  test('read finds every sub-resource as AWS leaves it, on every refresh', async () => {
    expect(await refresh(Bucket)).toEqual(unconfigured)
    expect(await refresh(Bucket)).toEqual(unconfigured)
  })

  test('the statuses of what is not configured are 404', async () => {
    for (const command of [
      new GetBucketPolicyCommand({ Bucket }), new GetBucketPolicyStatusCommand({ Bucket }), new GetBucketCorsCommand({ Bucket }),
      new GetBucketWebsiteCommand({ Bucket }), new GetBucketLifecycleConfigurationCommand({ Bucket }), new GetBucketReplicationCommand({ Bucket }),
      new GetBucketEncryptionCommand({ Bucket }), new GetObjectLockConfigurationCommand({ Bucket }),
    ]) {
      expect((await refusalOf(s3.send(command as GetBucketCorsCommand))).status).toBe(404)
    }
  })

  test('a bucket that is gone is told from one that is not configured', async () => {
    const gone = freshBucket('gone')
    expect(await refusalOf(s3.send(new HeadBucketCommand({ Bucket: gone })))).toMatchObject({ status: 404 })
    for (const command of [new GetBucketPolicyCommand({ Bucket: gone }), new GetBucketTaggingCommand({ Bucket: gone }), new GetBucketLoggingCommand({ Bucket: gone })]) {
      expect(await refusalOf(s3.send(command as GetBucketPolicyCommand))).toEqual({ code: 'NoSuchBucket', status: 404 })
    }
  })
})

describe('resources beside it', () => {
  test('aws_s3_bucket_versioning', async () => {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    expect(await s3.send(new GetBucketVersioningCommand({ Bucket }))).toMatchObject({ Status: 'Enabled' })
  })

  test('aws_s3_bucket_cors_configuration, replaced and deleted', async () => {
    const rule = { ID: 'web', AllowedHeaders: ['*'], AllowedMethods: ['PUT', 'POST'], AllowedOrigins: ['https://example.com'], ExposeHeaders: ['ETag'], MaxAgeSeconds: 3000 }
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }))
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual([rule])
    await s3.send(new DeleteBucketCorsCommand({ Bucket }))
    expect(await refusalOf(s3.send(new GetBucketCorsCommand({ Bucket })))).toMatchObject({ code: 'NoSuchCORSConfiguration' })
  })

  test('aws_s3_bucket_website_configuration, with its location read, and deleted', async () => {
    const website = {
      IndexDocument: { Suffix: 'index.html' }, ErrorDocument: { Key: 'error.html' },
      RoutingRules: [{ Condition: { KeyPrefixEquals: 'docs/' }, Redirect: { ReplaceKeyPrefixWith: 'documents/' } }],
    }
    await s3.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: website }))
    expect(await s3.send(new GetBucketWebsiteCommand({ Bucket }))).toMatchObject(website)
    await s3.send(new GetBucketLocationCommand({ Bucket }))
    await s3.send(new DeleteBucketWebsiteCommand({ Bucket }))
  })

  test('aws_s3_bucket_ownership_controls and the configurations that are listed', async () => {
    expect((await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }])
    expect((await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))).QueueConfigurations).toBeUndefined()
    for (const command of [
      new ListBucketMetricsConfigurationsCommand({ Bucket }), new ListBucketAnalyticsConfigurationsCommand({ Bucket }),
      new ListBucketInventoryConfigurationsCommand({ Bucket }), new ListBucketIntelligentTieringConfigurationsCommand({ Bucket }),
    ]) {
      expect((await s3.send(command as ListBucketMetricsConfigurationsCommand)).IsTruncated).toBe(false)
    }
  })

  test('aws_s3_bucket_public_access_block is as AWS makes every new bucket', async () => {
    const { PublicAccessBlockConfiguration: block } = await s3.send(new GetPublicAccessBlockCommand({ Bucket }))
    expect(block).toEqual({ BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true })
  })

  test('aws_s3_bucket_public_access_block is written and read', async () => {
    const partly = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: true }
    await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: partly }))
    expect((await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration).toEqual(partly)
  })

  test('a resource that is not there yet fails loudly when it is written', async () => {
    expect(await refusalOf(s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [{ ID: 'a', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } }] } })))).toEqual({ code: 'NotImplemented', status: 501 })
  })

  test('aws_s3_object: put, read with its tags, changed, deleted by version', async () => {
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'config.json', Body: '{}', ContentType: 'application/json', Tagging: 'a=1', ACL: 'private' }))
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'config.json', ChecksumMode: 'ENABLED' }))).toMatchObject({ ContentType: 'application/json', VersionId })
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'config.json' }))).TagSet).toEqual([{ Key: 'a', Value: '1' }])
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'config.json', ...(VersionId === undefined ? {} : { VersionId }) }))
    expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'config.json' })))).toMatchObject({ status: 404 })
  })
})

describe('destroy', () => {
  test('is refused while versions are left; force_destroy empties the bucket page by page', async () => {
    for (let each = 0; each < 5; each += 1) await s3.send(new PutObjectCommand({ Bucket, Key: `left/${each % 2}`, Body: String(each) }))
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'left/0' }))
    expect(await refusalOf(s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({ code: 'BucketNotEmpty', status: 409 })
    for (;;) {
      const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2 }))
      const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }))
      if (Objects.length === 0) break
      expect((await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))).Errors).toBeUndefined()
    }
    await s3.send(new DeleteBucketCommand({ Bucket }))
    expect(await refusalOf(s3.send(new HeadBucketCommand({ Bucket })))).toMatchObject({ status: 404 })
  })

  test('of a bucket that is gone already is NoSuchBucket, which the provider takes for done', async () => {
    expect(await refusalOf(s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({ code: 'NoSuchBucket', status: 404 })
  })
})
