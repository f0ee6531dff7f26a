import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { secondMs } from '../../base/units.ts'
import { DriveFormatError } from '../drives/drive-format.ts'
import { lockDrive } from '../drives/drive-lock.ts'
import type { DriveLock } from '../drives/drive-lock.ts'
import { makeDirectoryDurably, NodeDrive } from '../drives/node-drive.ts'
import { Committer } from './committer.ts'
import type { Remedy } from './committer.ts'
import { LmdbIndex } from './index/lmdb-index.ts'
import { LmdbReader } from './index/lmdb-reader.ts'
import { JournaledMetadataStore } from './journaled-metadata-store.ts'
import { LocalCommits } from './local-commits.ts'
import { senderBytes } from './metadata-commits.ts'
import type { MetadataCommits } from './metadata-commits.ts'
import type { MetadataStore } from './metadata-store.ts'
import { openMember } from './open-member.ts'
import type { OpenMemberInput } from './open-member.ts'

export interface OpenCommitterInput {
  /** The metadata directory; made durably when it is missing. Nobody else commits to it. */
  readonly directory: string
  readonly start: OpenMemberInput['start']
  readonly segmentBytes?: number
  readonly mapBytes?: number
  readonly clock: Clock
  readonly onFailure?: (remedy: Remedy) => void
}

/** A committer of a server that was killed ends as soon as it notices. */
const lockWaitMs = 10 * secondMs
const lockPollMs = 20

/** The one committer of a deployment. Waits for one before it to let go, and throws `Locked` when it does not. */
export async function openCommitter({ directory, start, segmentBytes, mapBytes, clock, onFailure }: OpenCommitterInput) {
  makeDirectoryDurably(directory)
  const lock = await takeLock(join(directory, 'committer.sqlite'), clock)
  const source = {
    restore: (snapshot: Buffer) => LmdbIndex.restore(directory, snapshot),
    open: () => LmdbIndex.open(directory, mapBytes),
  }
  const drive = new NodeDrive(directory)
  try {
    const { member, known } = await openMember({ drive, source, start, ...(segmentBytes === undefined ? {} : { segmentBytes }) })
    const committer = new Committer({ member, known, onClosed: () => lock.release(), ...(onFailure === undefined ? {} : { onFailure }) })
    return { committer, known }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function takeLock(path: string, clock: Clock): Promise<DriveLock> {
  for (const deadlineMs = clock.monotonicMs() + lockWaitMs; ; await clock.sleep(lockPollMs)) {
    try {
      return lockDrive(path)
    } catch (error) {
      if (!(error instanceof DriveFormatError) || clock.monotonicMs() > deadlineMs) throw error
    }
  }
}

/** A store that commits in this process, which no other one does meanwhile. */
export async function openMetadata(input: Omit<OpenCommitterInput, 'start'> & { readonly random: Random }): Promise<MetadataStore> {
  const { committer } = await openCommitter({ ...input, start: 'afterPowerLoss' })
  return new JournaledMetadataStore(new LmdbReader(input.directory, input.mapBytes), new LocalCommits(committer, input.random.bytes(senderBytes)))
}

/** A store whose commits go elsewhere: to the committer that has `directory` open. */
export function openRemoteMetadata(directory: string, commits: MetadataCommits): MetadataStore {
  return new JournaledMetadataStore(new LmdbReader(directory), commits)
}
