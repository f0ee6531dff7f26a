import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { walkCopy } from '../metadata/walk-copy.ts'
import { type Deployment, lockDeployment, openDeployment } from '../open-deployment.ts'
import type { DriveKeeper } from '../drives/drive-keeper.ts'
import type { WalkProgress } from '../heal/healer.ts'
import type { Finding, FsckReport } from './report.ts'
import { StoreCheck } from './store-check.ts'

export interface FsckOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Also read every byte of every blob in use, which verifies its checksums. */
  readonly readBytes?: boolean
  readonly also?: AlsoCheck
}

/** What an adapter finds in the rows and objects that are its own. */
export type AlsoCheck = (stores: Pick<FsckOptions, 'metadata' | 'blobs'>) => Promise<{
  readonly findings: readonly Finding[]
  readonly checked: Partial<FsckReport['checked']>
}>

/** Verifies metadata against blobs, on stores that nobody writes to meanwhile. Changes nothing. */
export async function fsck({ metadata, blobs, readBytes = false, also }: FsckOptions): Promise<FsckReport> {
  const check = new StoreCheck(metadata, blobs, readBytes)
  await check.run()
  const found = await also?.({ metadata, blobs })
  if (found !== undefined) check.report.add(found.findings, found.checked)
  return check.report.build()
}

/** `fsck` of a deployment's drives, locked meanwhile. Throws `DriveFormatError`: `Foreign`, `Locked`, `NewerFormat`, `Damaged`, `Incomplete`. */
export async function fsckDrives(input: {
  readonly drives: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly readBytes?: boolean
  /** First makes the copies of the metadata anew that are not whole, from one that is, and the shards that blobs lack, on several drives; removes nothing. */
  readonly repair?: boolean
  readonly also?: AlsoCheck
}): Promise<FsckReport & { readonly repaired: WalkProgress | undefined }> {
  const { drives, clock, random, readBytes = false, repair = false, also } = input
  const lock = await lockDeployment({ drives })
  try {
    let stores = await openDeployment({ drives, clock, random })
    try {
      let damaged = await damagedCopies(stores, clock)
      if (repair && damaged.length > 0 && damaged.length < (await stores.copies()).length) {
        await stores.close()
        stores = await openDeployment({ drives, clock, random, suspects: damaged.map(({ subject }) => subject) })
        damaged = await damagedCopies(stores, clock)
      }
      const repaired = repair && stores.keeper.isErasureCoded ? await repairBlobs(stores.keeper) : undefined
      const alsoCopies: AlsoCheck = async (parts) => {
        const found = await also?.(parts)
        return { findings: [...damaged, ...(found?.findings ?? [])], checked: found?.checked ?? {} }
      }
      return { ...(await fsck({ ...stores, readBytes, also: alsoCopies })), repaired }
    } finally {
      await stores.close()
    }
  } finally {
    lock.release()
  }
}

/** Each copy by itself, whether it is read or not; of a few only, nothing is lost yet. */
async function damagedCopies(stores: Pick<Deployment, 'copies'>, clock: Clock): Promise<Finding[]> {
  const copies = await stores.copies()
  const findings: Finding[] = []
  for (const directory of copies) {
    const explanation = await walkCopy({ directory, from: 0, bytesPerSecond: Infinity, clock })
    if (explanation !== undefined) findings.push({ severity: 'wrong', code: 'RowsMissing', subject: directory, explanation })
  }
  return findings.length < copies.length ? findings : findings.map((finding) => ({ ...finding, severity: 'lost' }))
}

/** Empty drives in the place of others are formatted, and every blob is read and healed. */
async function repairBlobs(keeper: DriveKeeper): Promise<WalkProgress> {
  await keeper.examine()
  await keeper.formatReplaced()
  return keeper.walk({ kind: 'everything', signal: new AbortController().signal, onProgress: () => Promise.resolve() })
}
