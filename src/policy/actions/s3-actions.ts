/**
 * What each S3 request needs. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 * and the permissions section of each operation's page.
 */
export interface S3Need {
  readonly action: string
  readonly on: S3Resource
}

/**
 * `account`: everything of the caller's account (`*`); `bucket`, `object`: the request's own; `source`: the object that
 * it copies; `renameSource`: the key of the same bucket that it renames.
 */
export type S3Resource = 'account' | 'bucket' | 'object' | 'source' | 'renameSource'

/** What of a request decides its needs. */
export interface S3Ask {
  /** Whether a header is there, also as a parameter of a presigned URL. Names in lower case. */
  readonly has: (header: string) => boolean
  /** `versionId` is given. */
  readonly isVersioned: boolean
  /** `versionId` is given of the copy's source. */
  readonly isSourceVersioned: boolean
}

interface Rule extends S3Need {
  /** The action instead of `action` when a version is named. */
  readonly ofVersion?: string
  /** Needed only then. */
  readonly when?: (ask: S3Ask) => boolean
}

const onBucket = (action: string, when?: Rule['when']): Rule => ({ action, on: 'bucket', ...(when && { when }) })
const onObject = (action: string, ofVersion?: string): Rule => ({ action, on: 'object', ...(ofVersion !== undefined && { ofVersion }) })
const objectWhen = (action: string, when: Rule['when']): Rule => ({ action, on: 'object', ...(when && { when }) })
const header = (...names: readonly string[]) => (ask: S3Ask) => names.some(name => ask.has(name))

const aclHeaders = ['x-amz-acl', 'x-amz-grant-full-control', 'x-amz-grant-read', 'x-amz-grant-read-acp', 'x-amz-grant-write', 'x-amz-grant-write-acp']
const retentionHeaders = ['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date']
const legalHoldHeader = 'x-amz-object-lock-legal-hold'
const bypass = objectWhen('s3:BypassGovernanceRetention', header('x-amz-bypass-governance-retention'))

/** What a new object may bring besides its bytes. */
const asNewObject = [
  objectWhen('s3:PutObjectAcl', header(...aclHeaders)),
  objectWhen('s3:PutObjectTagging', header('x-amz-tagging')),
  objectWhen('s3:PutObjectRetention', header(...retentionHeaders)),
  objectWhen('s3:PutObjectLegalHold', header(legalHoldHeader)),
]
const readSource: Rule = { action: 's3:GetObject', on: 'source', ofVersion: 's3:GetObjectVersion' }
/** A condition on the object that is replaced tells something about it. */
const readReplaced = objectWhen('s3:GetObject', header('if-match'))
const readObject = onObject('s3:GetObject', 's3:GetObjectVersion')
const annotation = (action: string) => [onObject(`s3:${action}ObjectAnnotation`, `s3:${action}ObjectVersionAnnotation`)]

/** By operation of the S3 API; one that has no row is refused to everybody. An empty row is a request whose entries are asked for one by one. */
const rules: Readonly<Record<string, readonly Rule[]>> = {
  ListBuckets: [{ action: 's3:ListAllMyBuckets', on: 'account' }],
  ListDirectoryBuckets: [{ action: 's3express:ListAllMyDirectoryBuckets', on: 'account' }],
  CreateBucket: [
    onBucket('s3:CreateBucket'),
    onBucket('s3:PutBucketAcl', header(...aclHeaders)),
    onBucket('s3:PutBucketOwnershipControls', header('x-amz-object-ownership')),
    onBucket('s3:PutBucketObjectLockConfiguration', header('x-amz-bucket-object-lock-enabled')),
    onBucket('s3:PutBucketVersioning', header('x-amz-bucket-object-lock-enabled')),
  ],
  DeleteBucket: [onBucket('s3:DeleteBucket')],
  HeadBucket: [onBucket('s3:ListBucket')],
  GetBucketLocation: [onBucket('s3:GetBucketLocation')],
  CreateSession: [{ action: 's3express:CreateSession', on: 'bucket' }],

  ListObjects: [onBucket('s3:ListBucket')],
  ListObjectsV2: [onBucket('s3:ListBucket')],
  ListObjectVersions: [onBucket('s3:ListBucketVersions')],
  ListMultipartUploads: [onBucket('s3:ListBucketMultipartUploads')],

  GetObject: [readObject],
  HeadObject: [readObject],
  GetObjectAttributes: [readObject, onObject('s3:GetObjectAttributes', 's3:GetObjectVersionAttributes')],
  GetObjectTorrent: [onObject('s3:GetObjectTorrent')],
  SelectObjectContent: [onObject('s3:GetObject')],
  PutObject: [onObject('s3:PutObject'), ...asNewObject, readReplaced],
  PostObject: [onObject('s3:PutObject'), ...asNewObject],
  CopyObject: [readSource, onObject('s3:PutObject'), ...asNewObject, readReplaced],
  CopyObjectTags: [{ action: 's3:GetObjectTagging', on: 'source', ofVersion: 's3:GetObjectVersionTagging' }, onObject('s3:PutObjectTagging')],
  RenameObject: [{ action: 's3:GetObject', on: 'renameSource' }, { action: 's3:DeleteObject', on: 'renameSource' }, onObject('s3:PutObject')],
  DeleteObject: [onObject('s3:DeleteObject', 's3:DeleteObjectVersion'), bypass],
  DeleteObjects: [],
  RestoreObject: [onObject('s3:RestoreObject')],
  WriteGetObjectResponse: [{ action: 's3-object-lambda:WriteGetObjectResponse', on: 'account' }],
  UpdateObjectEncryption: [onObject('s3:UpdateObjectEncryption')],

  CreateMultipartUpload: [onObject('s3:PutObject'), ...asNewObject],
  UploadPart: [onObject('s3:PutObject')],
  UploadPartCopy: [readSource, onObject('s3:PutObject')],
  CompleteMultipartUpload: [onObject('s3:PutObject'), readReplaced],
  AbortMultipartUpload: [onObject('s3:AbortMultipartUpload')],
  ListParts: [onObject('s3:ListMultipartUploadParts')],

  GetObjectAcl: [onObject('s3:GetObjectAcl', 's3:GetObjectVersionAcl')],
  PutObjectAcl: [onObject('s3:PutObjectAcl', 's3:PutObjectVersionAcl')],
  GetObjectTagging: [onObject('s3:GetObjectTagging', 's3:GetObjectVersionTagging')],
  PutObjectTagging: [onObject('s3:PutObjectTagging', 's3:PutObjectVersionTagging')],
  DeleteObjectTagging: [onObject('s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging')],
  GetObjectRetention: [onObject('s3:GetObjectRetention')],
  PutObjectRetention: [onObject('s3:PutObjectRetention'), bypass],
  GetObjectLegalHold: [onObject('s3:GetObjectLegalHold')],
  PutObjectLegalHold: [onObject('s3:PutObjectLegalHold')],
  GetObjectAnnotation: annotation('Get'),
  ListObjectAnnotations: annotation('Get'),
  PutObjectAnnotation: annotation('Put'),
  DeleteObjectAnnotation: annotation('Delete'),

  GetObjectLockConfiguration: [onBucket('s3:GetBucketObjectLockConfiguration')],
  PutObjectLockConfiguration: [onBucket('s3:PutBucketObjectLockConfiguration')],
  GetBucketAcl: [onBucket('s3:GetBucketAcl')],
  PutBucketAcl: [onBucket('s3:PutBucketAcl')],
  GetBucketPolicy: [onBucket('s3:GetBucketPolicy')],
  PutBucketPolicy: [onBucket('s3:PutBucketPolicy')],
  DeleteBucketPolicy: [onBucket('s3:DeleteBucketPolicy')],
  GetBucketPolicyStatus: [onBucket('s3:GetBucketPolicyStatus')],
  GetPublicAccessBlock: [onBucket('s3:GetBucketPublicAccessBlock')],
  PutPublicAccessBlock: [onBucket('s3:PutBucketPublicAccessBlock')],
  DeletePublicAccessBlock: [onBucket('s3:PutBucketPublicAccessBlock')],
  GetBucketOwnershipControls: [onBucket('s3:GetBucketOwnershipControls')],
  PutBucketOwnershipControls: [onBucket('s3:PutBucketOwnershipControls')],
  DeleteBucketOwnershipControls: [onBucket('s3:PutBucketOwnershipControls')],
  GetBucketCors: [onBucket('s3:GetBucketCORS')],
  PutBucketCors: [onBucket('s3:PutBucketCORS')],
  DeleteBucketCors: [onBucket('s3:PutBucketCORS')],
  GetBucketTagging: [onBucket('s3:GetBucketTagging')],
  PutBucketTagging: [onBucket('s3:PutBucketTagging')],
  DeleteBucketTagging: [onBucket('s3:PutBucketTagging')],
  GetBucketVersioning: [onBucket('s3:GetBucketVersioning')],
  PutBucketVersioning: [onBucket('s3:PutBucketVersioning')],
  GetBucketWebsite: [onBucket('s3:GetBucketWebsite')],
  PutBucketWebsite: [onBucket('s3:PutBucketWebsite')],
  DeleteBucketWebsite: [onBucket('s3:DeleteBucketWebsite')],
  GetBucketEncryption: [onBucket('s3:GetEncryptionConfiguration')],
  PutBucketEncryption: [onBucket('s3:PutEncryptionConfiguration')],
  DeleteBucketEncryption: [onBucket('s3:PutEncryptionConfiguration')],
  GetBucketLifecycleConfiguration: [onBucket('s3:GetLifecycleConfiguration')],
  PutBucketLifecycleConfiguration: [onBucket('s3:PutLifecycleConfiguration')],
  DeleteBucketLifecycle: [onBucket('s3:PutLifecycleConfiguration')],
  GetBucketReplication: [onBucket('s3:GetReplicationConfiguration')],
  PutBucketReplication: [onBucket('s3:PutReplicationConfiguration')],
  DeleteBucketReplication: [onBucket('s3:PutReplicationConfiguration')],
  GetBucketNotificationConfiguration: [onBucket('s3:GetBucketNotification')],
  PutBucketNotificationConfiguration: [onBucket('s3:PutBucketNotification')],
  GetBucketLogging: [onBucket('s3:GetBucketLogging')],
  PutBucketLogging: [onBucket('s3:PutBucketLogging')],
  GetBucketRequestPayment: [onBucket('s3:GetBucketRequestPayment')],
  PutBucketRequestPayment: [onBucket('s3:PutBucketRequestPayment')],
  GetBucketAccelerateConfiguration: [onBucket('s3:GetAccelerateConfiguration')],
  PutBucketAccelerateConfiguration: [onBucket('s3:PutAccelerateConfiguration')],
  GetBucketAbac: [onBucket('s3:GetBucketAbac')],
  PutBucketAbac: [onBucket('s3:PutBucketAbac')],
  GetBucketAnalyticsConfiguration: [onBucket('s3:GetAnalyticsConfiguration')],
  ListBucketAnalyticsConfigurations: [onBucket('s3:GetAnalyticsConfiguration')],
  PutBucketAnalyticsConfiguration: [onBucket('s3:PutAnalyticsConfiguration')],
  DeleteBucketAnalyticsConfiguration: [onBucket('s3:PutAnalyticsConfiguration')],
  GetBucketIntelligentTieringConfiguration: [onBucket('s3:GetIntelligentTieringConfiguration')],
  ListBucketIntelligentTieringConfigurations: [onBucket('s3:GetIntelligentTieringConfiguration')],
  PutBucketIntelligentTieringConfiguration: [onBucket('s3:PutIntelligentTieringConfiguration')],
  DeleteBucketIntelligentTieringConfiguration: [onBucket('s3:PutIntelligentTieringConfiguration')],
  GetBucketInventoryConfiguration: [onBucket('s3:GetInventoryConfiguration')],
  ListBucketInventoryConfigurations: [onBucket('s3:GetInventoryConfiguration')],
  PutBucketInventoryConfiguration: [onBucket('s3:PutInventoryConfiguration')],
  DeleteBucketInventoryConfiguration: [onBucket('s3:PutInventoryConfiguration')],
  GetBucketMetricsConfiguration: [onBucket('s3:GetMetricsConfiguration')],
  ListBucketMetricsConfigurations: [onBucket('s3:GetMetricsConfiguration')],
  PutBucketMetricsConfiguration: [onBucket('s3:PutMetricsConfiguration')],
  DeleteBucketMetricsConfiguration: [onBucket('s3:PutMetricsConfiguration')],
}

/** The rows that an operation asks for itself: of one entry of DeleteObjects, and of the source's tags when a copy keeps them. */
export const deleteEntryOperation = 'DeleteObject'
export const copyTagsOperation = 'CopyObjectTags'

export const s3OperationsWithNeeds: ReadonlySet<string> = new Set(Object.keys(rules))

/** Undefined: the operation has no row, and nobody may do it. */
export function s3NeedsOf(operation: string, ask: S3Ask): readonly S3Need[] | undefined {
  const row = Object.hasOwn(rules, operation) ? rules[operation] : undefined
  if (row === undefined) return undefined
  const needs: S3Need[] = []
  for (const { action, ofVersion, on, when } of row) {
    if (when !== undefined && !when(ask)) continue
    const versioned = on === 'source' ? ask.isSourceVersioned : ask.isVersioned
    needs.push({ action: versioned && ofVersion !== undefined ? ofVersion : action, on })
  }
  return needs
}

/** Every action that some S3 request needs, and those that conditions of the pipeline ask for. */
export const s3Actions: ReadonlySet<string> = new Set([
  ...Object.values(rules).flatMap(row => row.flatMap(({ action, ofVersion }) => (ofVersion === undefined ? [action] : [action, ofVersion]))),
  's3:TagResource', 's3:UntagResource', 's3:ListTagsForResource', 's3:GetAccountPublicAccessBlock', 's3:PutAccountPublicAccessBlock',
  's3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags', 's3:GetObjectVersionForReplication', 's3:InitiateReplication', 's3:ObjectOwnerOverrideToBucketOwner',
])

const objectActions: ReadonlySet<string> = new Set(Object.values(rules).flatMap(row => row.flatMap(({ action, ofVersion, on }) => (on === 'bucket' || on === 'account' ? [] : ofVersion === undefined ? [action] : [action, ofVersion]))))

/** Whether the action is about objects; the others are about buckets. */
export const isObjectAction = (action: string): boolean => objectActions.has(action) || action.startsWith('s3:Replicate') || action === 's3:GetObjectVersionForReplication'

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`
/** The key as it is: nothing is encoded or normalized. */
export const objectArn = (bucket: string, key: string): string => `arn:aws:s3:::${bucket}/${key}`
