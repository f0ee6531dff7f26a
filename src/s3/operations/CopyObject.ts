import type { CopyObjectOutput, CopyObjectRequest } from '@aws-sdk/client-s3'
import { GiB } from '../../../base/units.ts'
import { must } from '../../../base/assert.ts'
import { S3Error } from '../../wire/errors.ts'
import { aclMembers, refuseAcl } from '../acl.ts'
import { attributeMembers, attributesOf } from '../attributes.ts'
import { checksumOutput } from '../checksum-members.ts'
import { writeConditions } from '../conditions.ts'
import { checksumOfSource } from '../copy-checksum.ts'
import { admitSource, copySourceMembers, parseCopySource } from '../copy-source.ts'
import { parseTagging } from '../tags.ts'
import { quoted, shownVersionId } from '../versions.ts'
import type { ObjectId, ObjectVersion } from '../../../engine/index.ts'
import type { Call, Operation } from '../operation.ts'

const copyLimitBytes = 5 * GiB

/**
 * CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 *
 * Commit point: `engine.copyObject`; no bytes move, but they are read where another checksum algorithm than the source's
 * is asked for. A source over 5 GiB is for UploadPartCopy. There are no annotations, so that any directive about them is met.
 */
export const CopyObject: Operation<CopyObjectRequest, CopyObjectOutput> = {
  honours: [
    'Bucket', 'Key', ...copySourceMembers, ...attributeMembers, 'MetadataDirective', 'TaggingDirective', 'Tagging', 'ChecksumAlgorithm', 'AnnotationDirective',
    'IfMatch', 'IfNoneMatch', 'ExpectedBucketOwner', 'RequestPayer', ...aclMembers,
  ],
  scope: 'bucket',
  async run(call) {
    const { input, bucket, key, caller, service } = call
    refuseAcl(input)
    const source = parseCopySource(must(input.CopySource, 'detected by its copy source'))
    await service.admitBucket(source.bucket, caller, input.ExpectedSourceBucketOwner)
    const replaced = replacements(call, source)
    const admit = admission(input)
    const result = await service.engine.copyObject({
      source,
      ...(input.ChecksumAlgorithm === undefined ? { admit } : await checksumOfSource(service.engine, source, { algorithm: input.ChecksumAlgorithm, admit })),
      bucket,
      key,
      ...replaced,
      conditions: writeConditions(input),
      ownerId: caller.account.id,
    })
    return {
      CopyObjectResult: { ETag: quoted(result.version.etag), LastModified: new Date(result.version.lastModifiedMs), ...checksumOutput(result.version.checksums) },
      CopySourceVersionId: sourceVersionId(source, result.source),
      VersionId: shownVersionId(result.version.versionId, result.versioning),
    }
  },
}

function admission(input: CopyObjectRequest): (source: ObjectVersion) => void {
  const admit = admitSource(input)
  return source => {
    if (source.sizeBytes > copyLimitBytes) {
      throw new S3Error('InvalidRequest', 'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120')
    }
    admit(source)
  }
}

function replacements({ input, bucket, key, rawExpires }: Call<CopyObjectRequest>, source: ObjectId) {
  const attributes = directive(input.MetadataDirective, 'x-amz-metadata-directive') === 'REPLACE' ? attributesOf(input, rawExpires) : undefined
  const tags = directive(input.TaggingDirective, 'x-amz-tagging-directive') === 'REPLACE' ? parseTagging(input.Tagging) : undefined
  const ontoItself = source.bucket === bucket && source.key === key && source.versionId === undefined
  const changes = attributes !== undefined || input.StorageClass !== undefined || input.WebsiteRedirectLocation !== undefined
  if (ontoItself && !changes) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  return {
    ...(attributes === undefined ? { amend: amendment(input) } : { attributes }),
    ...(tags === undefined ? {} : { tags }),
  }
}

/** Storage class and redirect location are the copy's own, never the source's. */
function amendment(input: CopyObjectRequest): (source: ObjectVersion['attributes']) => ObjectVersion['attributes'] {
  const { headers: own, storageClass } = attributesOf({ StorageClass: input.StorageClass, WebsiteRedirectLocation: input.WebsiteRedirectLocation }, undefined)
  const redirect = own['x-amz-website-redirect-location']
  return source => {
    const { 'x-amz-website-redirect-location': _, ...headers } = source.headers
    return {
      headers: redirect === undefined ? headers : { ...headers, 'x-amz-website-redirect-location': redirect },
      userMetadata: source.userMetadata,
      storageClass,
    }
  }
}

function directive(value: string | undefined, name: string): 'COPY' | 'REPLACE' {
  if (value === undefined || value === 'COPY') return 'COPY'
  if (value === 'REPLACE') return 'REPLACE'
  throw new S3Error('InvalidArgument', 'Unknown directive.', { ArgumentName: name, ArgumentValue: value })
}

const sourceVersionId = (asked: ObjectId, source: ObjectVersion): string | undefined => (asked.versionId === undefined && source.versionId === 'null' ? undefined : source.versionId)
