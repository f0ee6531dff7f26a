import { expect, test } from 'vitest'
import { GiB } from '../../../base/units.ts'
import { defaultAccess } from '../bucket-access.ts'
import { CopyObject } from './CopyObject.ts'
import type { CopyObjectRequest } from '@aws-sdk/client-s3'
import type { CopyObject as EngineCopy, Engine, ObjectVersion } from '../../../engine/index.ts'
import type { Call } from '../operation.ts'

/** The engine as far as a copy goes before its commit: it shows the source to `admit`. Nobody stores 5 GiB in a unit test. */
function callWithSource(sizeBytes: number): Call<CopyObjectRequest> {
  const source = { sizeBytes, etag: 'e', lastModifiedMs: 0, checksums: [] } as unknown as ObjectVersion
  const admitted = new Error('admitted')
  const engine = {
    copyObject: ({ admit }: EngineCopy) => {
      admit?.(source)
      return Promise.reject(admitted)
    },
  } as unknown as Engine
  const input: CopyObjectRequest = { Bucket: 'to', Key: 'key', CopySource: 'from/key' }
  const service = { engine, authorizer: { accessOf: () => Promise.resolve(defaultAccess) } }
  const storage = { isLimited: () => Promise.resolve(false) }
  const rights = { storage, require: () => Promise.resolve(), needsOf: () => [] }
  return { input, bucket: 'to', key: 'key', bucketRow: { ownerId: 'owner' }, service, ...rights } as unknown as Call<CopyObjectRequest>
}

test('a source of 5 GiB is copied, a byte more is for UploadPartCopy', async () => {
  await expect(CopyObject.run(callWithSource(5 * GiB))).rejects.toThrow('admitted')
  await expect(CopyObject.run(callWithSource(5 * GiB + 1))).rejects.toMatchObject({ code: 'InvalidRequest', message: expect.stringContaining('5368709120') as string })
})
