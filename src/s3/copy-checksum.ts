import { BodyDigests } from '../checksums/body-digests.ts'
import { isChecksumAlgorithm } from '../checksums/checksum.ts'
import { S3Error } from '../wire/errors.ts'
import type { ChecksumAlgorithm } from '../checksums/checksum.ts'
import type { CopyObject, Engine, ObjectId, ObjectReader, ObjectVersion } from '../../engine/index.ts'

/** What the engine is told of the source's bytes by a copy that asks for a checksum. */
type SourceChecksum = Required<Pick<CopyObject, 'checksums' | 'admit'>>

/**
 * The checksum over a whole copy, in the algorithm asked for: the source's own where it has one, else computed from its
 * bytes. The copy's `admit` then takes only the version that was read. Errors: InvalidRequest (no such algorithm),
 * ConditionalRequestConflict (the source was replaced meanwhile), those of `admit`, NoSuchKey, NoSuchVersion.
 */
export async function checksumOfSource(
  engine: Pick<Engine, 'getObject'>,
  source: ObjectId,
  { algorithm, admit }: { readonly algorithm: string; readonly admit: (version: ObjectVersion) => void },
): Promise<SourceChecksum> {
  const wanted = algorithm.toUpperCase()
  if (!isChecksumAlgorithm(wanted)) throw new S3Error('InvalidRequest', `The checksum algorithm ${algorithm} is not supported.`)
  const reader = await engine.getObject(source)
  const { version: read } = reader
  admit(read)
  const own = read.checksums.find(checksum => checksum.algorithm === wanted && checksum.type === 'FULL_OBJECT')
  const checksum = own ?? { algorithm: wanted, type: 'FULL_OBJECT' as const, value: await computed(reader, wanted) }
  return {
    checksums: [checksum],
    admit(version) {
      admit(version)
      if (version.versionId !== read.versionId || version.etag !== read.etag || version.lastModifiedMs !== read.lastModifiedMs) {
        throw new S3Error('ConditionalRequestConflict')
      }
    },
  }
}

async function computed(reader: ObjectReader, algorithm: ChecksumAlgorithm): Promise<string> {
  const digests = new BodyDigests([algorithm])
  for await (const bytes of reader.read({ offset: 0, length: reader.version.sizeBytes })) digests.update(bytes)
  return digests.base64(algorithm)
}
