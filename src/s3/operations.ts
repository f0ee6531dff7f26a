import { AbortMultipartUpload } from './operations/AbortMultipartUpload.ts'
import { CompleteMultipartUpload } from './operations/CompleteMultipartUpload.ts'
import { CopyObject } from './operations/CopyObject.ts'
import { CreateBucket } from './operations/CreateBucket.ts'
import { CreateMultipartUpload } from './operations/CreateMultipartUpload.ts'
import { DeleteBucket } from './operations/DeleteBucket.ts'
import { DeleteBucketCors } from './operations/DeleteBucketCors.ts'
import { DeleteBucketOwnershipControls } from './operations/DeleteBucketOwnershipControls.ts'
import { DeleteBucketPolicy } from './operations/DeleteBucketPolicy.ts'
import { DeleteBucketTagging } from './operations/DeleteBucketTagging.ts'
import { DeleteBucketWebsite } from './operations/DeleteBucketWebsite.ts'
import { DeleteObject } from './operations/DeleteObject.ts'
import { DeleteObjects } from './operations/DeleteObjects.ts'
import { DeleteObjectTagging } from './operations/DeleteObjectTagging.ts'
import { GetBucketAcl } from './operations/GetBucketAcl.ts'
import { GetBucketCors } from './operations/GetBucketCors.ts'
import { GetBucketLocation } from './operations/GetBucketLocation.ts'
import { DeletePublicAccessBlock } from './operations/DeletePublicAccessBlock.ts'
import { GetBucketOwnershipControls } from './operations/GetBucketOwnershipControls.ts'
import { GetBucketPolicy } from './operations/GetBucketPolicy.ts'
import { GetBucketPolicyStatus } from './operations/GetBucketPolicyStatus.ts'
import { GetBucketTagging } from './operations/GetBucketTagging.ts'
import { GetBucketVersioning } from './operations/GetBucketVersioning.ts'
import { GetBucketWebsite } from './operations/GetBucketWebsite.ts'
import { GetObject } from './operations/GetObject.ts'
import { GetObjectAcl } from './operations/GetObjectAcl.ts'
import { GetObjectAttributes } from './operations/GetObjectAttributes.ts'
import { GetObjectTagging } from './operations/GetObjectTagging.ts'
import { GetPublicAccessBlock } from './operations/GetPublicAccessBlock.ts'
import { HeadBucket } from './operations/HeadBucket.ts'
import { HeadObject } from './operations/HeadObject.ts'
import { ListBuckets } from './operations/ListBuckets.ts'
import { ListMultipartUploads } from './operations/ListMultipartUploads.ts'
import { ListObjects } from './operations/ListObjects.ts'
import { ListObjectsV2 } from './operations/ListObjectsV2.ts'
import { ListObjectVersions } from './operations/ListObjectVersions.ts'
import { ListParts } from './operations/ListParts.ts'
import { PutBucketAcl } from './operations/PutBucketAcl.ts'
import { PutBucketCors } from './operations/PutBucketCors.ts'
import { PutBucketOwnershipControls } from './operations/PutBucketOwnershipControls.ts'
import { PutBucketPolicy } from './operations/PutBucketPolicy.ts'
import { PutBucketTagging } from './operations/PutBucketTagging.ts'
import { PutBucketVersioning } from './operations/PutBucketVersioning.ts'
import { PutBucketWebsite } from './operations/PutBucketWebsite.ts'
import { PutObject } from './operations/PutObject.ts'
import { PutPublicAccessBlock } from './operations/PutPublicAccessBlock.ts'
import { PutObjectAcl } from './operations/PutObjectAcl.ts'
import { PutObjectTagging } from './operations/PutObjectTagging.ts'
import { RenameObject } from './operations/RenameObject.ts'
import { unconfigured } from './operations/unconfigured.ts'
import { UploadPart } from './operations/UploadPart.ts'
import { UploadPartCopy } from './operations/UploadPartCopy.ts'
import type { S3OperationName } from '../wire/s3-operations.ts'
import type { Operation } from './operation.ts'

/** Every operation that Moraine does; the others of the S3 model are answered with NotImplemented. */
export const operations = {
  AbortMultipartUpload,
  CompleteMultipartUpload,
  CopyObject,
  CreateBucket,
  CreateMultipartUpload,
  DeleteBucket,
  DeleteBucketCors,
  DeleteBucketOwnershipControls,
  DeleteBucketPolicy,
  DeleteBucketTagging,
  DeleteBucketWebsite,
  DeleteObject,
  DeleteObjects,
  DeleteObjectTagging,
  DeletePublicAccessBlock,
  GetBucketAcl,
  GetBucketCors,
  GetBucketLocation,
  GetBucketOwnershipControls,
  GetBucketPolicy,
  GetBucketPolicyStatus,
  GetBucketTagging,
  GetBucketVersioning,
  GetBucketWebsite,
  GetObject,
  GetObjectAcl,
  GetObjectAttributes,
  GetObjectTagging,
  GetPublicAccessBlock,
  HeadBucket,
  HeadObject,
  ListBuckets,
  ListMultipartUploads,
  ListObjects,
  ListObjectsV2,
  ListObjectVersions,
  ListParts,
  PutBucketAcl,
  PutBucketCors,
  PutBucketOwnershipControls,
  PutBucketPolicy,
  PutBucketTagging,
  PutBucketVersioning,
  PutBucketWebsite,
  PutObject,
  PutObjectAcl,
  PutObjectTagging,
  PutPublicAccessBlock,
  RenameObject,
  UploadPart,
  UploadPartCopy,
  ...unconfigured,
} as const satisfies Partial<Record<S3OperationName, unknown>>

/** What the pipeline sees of an operation: it reads input and writes output by the schemas alone. */
export type AnyOperation = Operation<object, object>

const byName: ReadonlyMap<string, AnyOperation> = new Map(Object.entries(operations) as unknown as [string, AnyOperation][])

export const operationNamed = (name: S3OperationName): AnyOperation | undefined => byName.get(name)
