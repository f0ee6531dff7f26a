import type { RenameObjectOutput, RenameObjectRequest } from '@aws-sdk/client-s3'
import { must } from '../../../base/assert.ts'
import { evaluateConditions } from '../../wire/conditions.ts'
import { parseEtags } from '../../wire/etags.ts'
import { S3Error } from '../../wire/errors.ts'
import { refuseKey } from '../keys.ts'
import { writeConditions } from '../conditions.ts'
import { markerOwnerOf } from '../object-ownership.ts'
import { parseRenameSource } from '../rename-source.ts'
import type { ObjectVersion } from '../../../engine/index.ts'
import type { Operation } from '../operation.ts'

/**
 * RenameObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
 *
 * Commit point: `engine.renameObject`. AWS has it on directory buckets; here it works on every bucket
 * (`docs/s3.md` says what it does to versions). The source is a key of the same bucket.
 * Errors: NoSuchKey, PreconditionFailed, IdempotencyParameterMismatch (a client token with other keys).
 */
export const RenameObject: Operation<RenameObjectRequest, RenameObjectOutput> = {
  honours: [
    'Bucket', 'Key', 'RenameSource', 'DestinationIfMatch', 'DestinationIfNoneMatch', 'SourceIfMatch', 'SourceIfNoneMatch', 'ClientToken',
    'DestinationIfModifiedSince', 'DestinationIfUnmodifiedSince', 'SourceIfModifiedSince', 'SourceIfUnmodifiedSince',
  ],
  scope: 'bucket',
  async run(call) {
    const { input, bucket, key, service } = call
    const sourceKey = parseRenameSource(must(input.RenameSource, 'detected by its rename source'))
    refuseKey(sourceKey)
    await service.engine.renameObject({
      bucket,
      sourceKey,
      key,
      conditions: writeConditions({ IfMatch: input.DestinationIfMatch, IfNoneMatch: input.DestinationIfNoneMatch }),
      sourceConditions: {
        ...(input.SourceIfMatch === undefined ? {} : { ifMatch: parseEtags(input.SourceIfMatch) }),
        ...(input.SourceIfNoneMatch === undefined ? {} : { ifNoneMatch: parseEtags(input.SourceIfNoneMatch) }),
      },
      admit(source, destination) {
        refuseByDate(source, { sinceMs: input.SourceIfModifiedSince?.getTime(), untilMs: input.SourceIfUnmodifiedSince?.getTime() })
        if (destination === undefined) return
        refuseByDate(destination, { sinceMs: input.DestinationIfModifiedSince?.getTime(), untilMs: input.DestinationIfUnmodifiedSince?.getTime() })
      },
      ...(input.ClientToken === undefined ? {} : { clientToken: input.ClientToken }),
      ownerId: await markerOwnerOf(call),
    })
    return {}
  },
}

/** Dates decide only where they stand beside no ETag, but a client that sends both means both: each must hold. */
function refuseByDate({ etag, lastModifiedMs }: ObjectVersion, { sinceMs, untilMs }: { sinceMs: number | undefined; untilMs: number | undefined }): void {
  const outcome = evaluateConditions({ ifModifiedSinceMs: sinceMs, ifUnmodifiedSinceMs: untilMs }, { etag, lastModifiedMs })
  if (outcome !== 'proceed') throw new S3Error('PreconditionFailed', undefined, { Condition: outcome === 'notModified' ? 'If-Modified-Since' : 'If-Unmodified-Since' })
}
