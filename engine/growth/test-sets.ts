import { SeededRandom } from '../../base/seeded-random.ts'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import { KiB } from '../../base/units.ts'
import { SetBlobStore } from '../blobs/set-blob-store.ts'
import { formatDrive } from '../drives/drive-format.ts'
import { DriveKeeper } from '../drives/drive-keeper.ts'
import type { DriveSet } from '../drives/drive-set.ts'
import { SetMember } from '../drives/set-member.ts'
import { SimulatedDrive } from '../drives/simulated-drive.ts'
import { MemoryMetadataStore } from '../metadata/memory-metadata-store.ts'
import { defaultSettings, type EngineContext } from '../objects/context.ts'
import { owner } from '../objects/test-engine.ts'
import { openEngine } from '../open-engine.ts'
import { BlobMover } from './blob-mover.ts'

export interface TestSet {
  readonly drives: number
  readonly parity: number
  readonly capacityBytes?: number
}

/** An engine over sets of simulated drives and metadata in memory, with a bucket, and what moves blobs between them. */
export async function openSets(shapes: readonly TestSet[]) {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const ids = shapes.map(({ drives }, set) => Array.from({ length: drives }, (_, position) => `${set}-${position}`))
  const drives = shapes.map(({ drives: count, capacityBytes }) => Array.from({ length: count }, () => new SimulatedDrive(capacityBytes === undefined ? {} : { capacityBytes })))
  for (const [set, own] of drives.entries()) {
    for (const [position, drive] of own.entries()) await formatDrive(drive, { format: 2, deploymentId: 'd', driveId: ids[set]?.[position] ?? '', sets: ids, parity: 1 })
  }
  const sets: DriveSet[] = shapes.map(({ parity }, index) => ({
    index,
    members: (drives[index] ?? []).map((drive, position) => new SetMember({ driveId: ids[index]?.[position] ?? '', position, label: `${index}-${position}`, drive, clock })),
    parity: { standard: parity, reduced: Math.min(1, parity) },
  }))
  const keeper = new DriveKeeper({ record: { format: 2, deploymentId: 'd', sets: ids, parity: 1 }, sets, home: 0, clock, random })
  const blobs = new SetBlobStore({ sets, intake: keeper.intake, clock, random, blockBytes: 4 * KiB })
  const metadata = new MemoryMetadataStore()
  const settings = { inlineBytes: 16 }
  const engine = openEngine({ metadata, blobs, clock, random, settings })
  await engine.createBucket({ bucket: 'bucket', ownerId: owner, region: 'us-east-1', versioning: 'Enabled' })
  const context: EngineContext = { metadata, blobs, clock, random, settings: { ...defaultSettings, ...settings } }
  const mover = new BlobMover({ context, copier: blobs, freeBytes: () => keeper.freeBytes(), spreadOf: (set) => keeper.spreadOf(set), restFactor: 0 })
  return { engine, metadata, blobs, clock, random, keeper, drives, sets, context, mover }
}

export type TestSets = Awaited<ReturnType<typeof openSets>>

/** How many blobs have files on a set. */
export async function storedOn({ drives }: TestSets, set: number): Promise<number> {
  const names = new Set<string>()
  for (const drive of drives[set] ?? []) {
    for (const directory of await drive.list('blobs')) for (const name of await drive.list(`blobs/${directory}`)) names.add(name)
  }
  return names.size
}
