import type { DeleteObjectsOutput, DeleteObjectsRequest, DeletedObject, _Error as DeleteError, ObjectIdentifier } from '@aws-sdk/client-s3'
import { inBatches } from '../../../base/batches.ts'
import { S3Error } from '../../wire/errors.ts'
import { deleteConditions } from '../conditions.ts'
import { deleteOutput } from '../delete-output.ts'
import { toS3Error } from '../engine-errors.ts'
import { refuseKey } from '../keys.ts'
import { versionIdIn } from '../versions.ts'
import { deleteEntryOperation } from '../../policy/actions/s3-actions.ts'
import { markerOwnerOf } from '../object-ownership.ts'
import type { Call, Operation } from '../operation.ts'

const keyLimit = 1000
/** Deletes under way at once: they share the store's group commit. */
const concurrency = 64

/**
 * DeleteObjects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 *
 * Each entry is its own commit and has its own result: there is no all-or-nothing in S3.
 */
export const DeleteObjects: Operation<DeleteObjectsRequest, DeleteObjectsOutput> = {
  honours: ['Bucket', 'Delete', 'ChecksumAlgorithm', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run(call) {
    const { Objects: objects = [], Quiet: quiet = false } = call.input.Delete ?? {}
    if (objects.length === 0 || objects.length > keyLimit) throw new S3Error('MalformedXML')
    const deleted: DeletedObject[] = []
    const errors: DeleteError[] = []
    const results = await inBatches(objects, concurrency, entry => deleteOne(call, entry))
    for (const result of results) {
      if ('Code' in result) errors.push(result)
      else if (!quiet) deleted.push(result)
    }
    return { Deleted: deleted, Errors: errors }
  },
}

async function deleteOne(call: Call<DeleteObjectsRequest>, entry: ObjectIdentifier): Promise<DeletedObject | (DeleteError & { Code: string })> {
  const { bucket, service } = call
  const { Key: key = '', VersionId: requested } = entry
  const named = { Key: key, ...(requested === undefined ? {} : { VersionId: requested }) }
  try {
    refuseKey(key)
    await call.require(call.needsOf(deleteEntryOperation, key, requested))
    const result = await service.engine.deleteObject({
      bucket,
      key,
      ...versionIdIn(requested),
      conditions: deleteConditions({ IfMatch: entry.ETag, IfMatchSize: entry.Size, IfMatchLastModifiedTime: entry.LastModifiedTime }),
      ownerId: await markerOwnerOf(call),
    })
    const { DeleteMarker: marker, VersionId: versionId } = deleteOutput(result)
    return { ...named, ...(marker === true ? { DeleteMarker: true, DeleteMarkerVersionId: versionId } : {}) }
  } catch (error) {
    const { code, message } = toS3Error(error)
    return { ...named, Code: code, Message: message }
  }
}
