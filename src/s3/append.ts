import { must } from '../../base/assert.ts'
import { combineCrc, multipartEtag } from '../checksums/combine.ts'
import { attributesOf } from './attributes.ts'
import { checksumOutput } from './checksum-members.ts'
import { writeConditions } from './conditions.ts'
import { withAcl } from './object-acl.ts'
import { parseTagging } from './tags.ts'
import { quoted, shownVersionId } from './versions.ts'
import type { PutObjectOutput, PutObjectRequest } from '@aws-sdk/client-s3'
import type { Checksum, Digest, ObjectVersion } from '../../engine/index.ts'
import type { Acl } from './acl.ts'
import type { Call, StreamedBody } from './operation.ts'

/** Where the bytes go, and whose the object is. */
export interface Append {
  readonly offsetBytes: number
  readonly ownerId: string
  readonly acl: Acl | undefined
}

/** An object keeps the checksum of its first write: whichever it was, the appended bytes' own is needed to go on with it. */
const crcs = ['CRC32', 'CRC32C', 'CRC64NVME'] as const

/**
 * PutObject with `x-amz-write-offset-bytes`: the body is appended to the current version in one commit.
 * The offset must be the object's size (InvalidWriteOffset otherwise, also for the loser of a race); 0 creates
 * the object. The ETag is that of a multipart object with the appended bytes as one part more.
 */
export async function appendToObject(call: Call<PutObjectRequest>, { offsetBytes, ownerId, acl }: Append): Promise<PutObjectOutput> {
  const { input, bucket, key, service } = call
  const body = digested(call.body({ also: crcs }))
  const { version, versioning } = await service.engine.appendObject({
    bucket,
    key,
    offsetBytes,
    body: body.source,
    finish: (before, appendedBytes) => joined(before, body.digest(), appendedBytes),
    attributes: withAcl(attributesOf(input, call.rawExpires), acl),
    tags: parseTagging(input.Tagging),
    conditions: writeConditions(input),
    ownerId,
  })
  return {
    ETag: quoted(version.etag),
    ...checksumOutput(version.checksums),
    VersionId: shownVersionId(version.versionId, versioning),
    Size: version.sizeBytes,
  }
}

/** The body, checked against what the client claimed as its last byte is read. */
function digested({ source, finish }: StreamedBody): { source: AsyncIterable<Uint8Array>; digest: () => Digest } {
  let digest: Digest | undefined
  async function* checked(): AsyncGenerator<Uint8Array> {
    let sizeBytes = 0
    for await (const bytes of source) {
      sizeBytes += bytes.length
      yield bytes
    }
    digest = await finish(sizeBytes)
  }
  return { source: checked(), digest: () => must(digest, 'the body has been consumed') }
}

/** The first bytes have the first of their checksums. Those that combine (the CRCs) go on; one that cannot is dropped. */
export function joined(before: ObjectVersion | undefined, appended: Digest, appendedBytes: number): Digest {
  if (before === undefined || before.sizeBytes === 0) return { etag: appended.etag, checksums: appended.checksums.slice(0, 1) }
  const checksums: Checksum[] = []
  for (const { algorithm, type, value } of before.checksums) {
    const own = appended.checksums.find(checksum => checksum.algorithm === algorithm)
    if (own === undefined || type !== 'FULL_OBJECT' || !algorithm.startsWith('CRC')) continue
    checksums.push({ algorithm, type, value: combineCrc(algorithm, value, own.value, appendedBytes) })
  }
  return { etag: appendedEtag(before.etag, appended.etag), checksums }
}

function appendedEtag(before: string, appended: string): string {
  const [hash = before, parts = '1'] = before.split('-')
  return multipartEtag([hash, appended]).replace(/-\d+$/, `-${Number(parts) + 1}`)
}
