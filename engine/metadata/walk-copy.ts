import type { Clock } from '../../base/clock.ts'
import { secondMs } from '../../base/units.ts'
import { readEpoch, newestEpoch } from '../drives/member-epoch.ts'
import { NodeDrive } from '../drives/node-drive.ts'
import { within } from '../drives/within.ts'
import { damageIn } from './find-damage.ts'
import { LmdbReader } from './index/lmdb-reader.ts'
import { LmdbSource } from './index/lmdb-source.ts'
import type { MetadataPlaces } from './metadata-places.ts'
import { MetadataError } from './metadata-store.ts'

export interface WalkCopyInput {
  /** Of one copy of the metadata, whether it is read or not. */
  readonly directory: string
  /** Tables before this one are known to be whole. */
  readonly from: number
  readonly bytesPerSecond: number
  readonly clock: Clock
  /** Tables below `next` are whole; of these, so many rows were met in this walk. */
  readonly onTable?: (next: number, rows: number) => void
}

/**
 * Reads and proves a copy of the metadata while it is written, at a bounded rate. The explanation of damage, or undefined.
 * Damage may end the process; a copy that is made anew meanwhile may look damaged. Throws when there is no copy.
 */
export async function walkCopy({ directory, from, bytesPerSecond, clock, onTable }: WalkCopyInput): Promise<string | undefined> {
  // LMDB would make what it does not find.
  if (!new LmdbSource(directory).exists()) throw new MetadataError('Closed', `there are no metadata in ${directory}`)
  let reader: LmdbReader
  try {
    reader = new LmdbReader(directory)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  let rowsMet = 0
  let startedMs = clock.monotonicMs()
  try {
    const damage = await damageIn(reader, {
      from,
      onTable: (next) => onTable?.(next, rowsMet),
      onRows: async (_, rows) => {
        rowsMet += rows.length
        const bytes = rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
        const restMs = (bytes / bytesPerSecond) * secondMs - (clock.monotonicMs() - startedMs)
        if (restMs >= 1) await clock.sleep(restMs)
        startedMs = clock.monotonicMs()
      },
    })
    return damage?.message
  } finally {
    await reader.close()
  }
}

/** A drive that does not say by then which copies there are is not asked further. */
const patienceMs = 5 * secondMs

/** The directories of the copies of the newest epoch that the drives know. */
export async function currentCopies({ drives }: MetadataPlaces, clock: Clock): Promise<string[]> {
  const epochs = await Promise.all(drives.map(({ directory }) => within(clock, patienceMs, directory, readEpoch(new NodeDrive(directory))).catch(() => undefined)))
  const members = newestEpoch(epochs)?.members ?? []
  return drives.flatMap(({ id, directory }) => (members.includes(id) ? [directory] : []))
}
