import type { GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectAttributesRequest } from '@aws-sdk/client-s3'
import { S3Error } from '../../wire/errors.ts'
import { checksumOutput, partChecksumOutput } from '../checksum-members.ts'
import { shownVersionId, versionIdIn } from '../versions.ts'
import type { ObjectReader } from '../../../engine/index.ts'
import type { Operation } from '../operation.ts'

const attributeNames = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'])
const pageLimit = 1000

/** GetObjectAttributes: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
export const GetObjectAttributes: Operation<GetObjectAttributesRequest, GetObjectAttributesOutput> = {
  honours: ['Bucket', 'Key', 'VersionId', 'MaxParts', 'PartNumberMarker', 'ObjectAttributes', 'ExpectedBucketOwner', 'RequestPayer'],
  scope: 'bucket',
  async run({ input, bucket, key, service }) {
    const asked = new Set<string>(input.ObjectAttributes)
    if (asked.size === 0) throw new S3Error('InvalidArgument', 'The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty')
    for (const name of asked) {
      if (!attributeNames.has(name)) throw new S3Error('InvalidArgument', 'Invalid attribute name specified.', { ArgumentName: 'x-amz-object-attributes', ArgumentValue: name })
    }
    const reader = await service.engine.getObject({ bucket, key, ...versionIdIn(input.VersionId) })
    const { version } = reader
    return {
      LastModified: new Date(version.lastModifiedMs),
      VersionId: shownVersionId(version.versionId, reader.versioning),
      ...(asked.has('ETag') ? { ETag: version.etag } : {}),
      ...(asked.has('Checksum') && version.checksums.length > 0 ? { Checksum: checksumOutput(version.checksums) } : {}),
      ...(asked.has('ObjectParts') && version.partsCount !== undefined ? { ObjectParts: await partsPage(input, reader) } : {}),
      ...(asked.has('StorageClass') ? { StorageClass: version.attributes.storageClass as 'STANDARD' } : {}),
      ...(asked.has('ObjectSize') ? { ObjectSize: version.sizeBytes } : {}),
    }
  },
}

/** AWS lists the parts one by one only where each has a checksum of its own. */
async function partsPage(input: GetObjectAttributesRequest, reader: ObjectReader): Promise<GetObjectAttributesParts> {
  const marker = Number(input.PartNumberMarker ?? 0)
  const limit = Math.min(input.MaxParts ?? pageLimit, pageLimit)
  if (!Number.isInteger(marker) || marker < 0) throw new S3Error('InvalidArgument', undefined, { ArgumentName: 'part-number-marker', ArgumentValue: String(input.PartNumberMarker) })
  if (limit < 0) throw new S3Error('InvalidArgument', undefined, { ArgumentName: 'max-parts', ArgumentValue: String(limit) })
  const all = await reader.parts()
  if (!all.some(({ checksums }) => checksums.length > 0)) return { TotalPartsCount: all.length }
  const rest = all.filter(({ partNumber }) => partNumber > marker)
  const page = rest.slice(0, limit)
  return {
    TotalPartsCount: all.length,
    PartNumberMarker: String(marker),
    NextPartNumberMarker: String(page.at(-1)?.partNumber ?? 0),
    MaxParts: limit,
    IsTruncated: rest.length > page.length,
    Parts: page.map(part => ({ PartNumber: part.partNumber, Size: part.sizeBytes, ...partChecksumOutput(part.checksums) })),
  }
}
