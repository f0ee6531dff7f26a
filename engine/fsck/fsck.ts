import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { lockDeployment, openDeployment } from '../open-deployment.ts'
import type { FsckReport } from './report.ts'
import { StoreCheck } from './store-check.ts'

export interface FsckOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Also read every byte of every blob in use, which verifies its checksums. */
  readonly readBytes?: boolean
}

/** Verifies metadata against blobs, on stores that nobody writes to meanwhile. Changes nothing. */
export async function fsck({ metadata, blobs, readBytes = false }: FsckOptions): Promise<FsckReport> {
  const check = new StoreCheck(metadata, blobs, readBytes)
  await check.run()
  return check.report.build()
}

/** `fsck` of a deployment's drives, locked meanwhile. Throws `DriveFormatError`: `Foreign`, `Locked`, `NewerFormat`, `Damaged`, `Incomplete`. */
export async function fsckDrives(input: {
  readonly drives: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly readBytes?: boolean
}): Promise<FsckReport> {
  const { drives, clock, random, readBytes = false } = input
  const lock = await lockDeployment({ drives })
  try {
    const stores = await openDeployment({ drives, clock, random })
    try {
      return await fsck({ ...stores, readBytes })
    } finally {
      await stores.close()
    }
  } finally {
    lock.release()
  }
}
