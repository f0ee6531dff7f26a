import { join, resolve } from 'node:path'
import { DriveFormatError, inspectDrive, metadataDirectory } from './drive-format.ts'
import { DriveError } from './drive.ts'
import { readEpoch } from './member-epoch.ts'
import { NodeDrive } from './node-drive.ts'
import type { FoundDrive, GivenDrive } from './plan-start.ts'

/** Looks at each path without touching it. Never rejects for what it finds. */
export function findDrives(paths: readonly string[]): Promise<GivenDrive[]> {
  return Promise.all(paths.map(async (given) => {
    const path = resolve(given)
    return { path, found: await findDrive(path) }
  }))
}

async function findDrive(path: string): Promise<FoundDrive> {
  const drive = new NodeDrive(path)
  try {
    const state = await inspectDrive(drive)
    const { isMountPoint } = await drive.space()
    return state.kind === 'formatted' ? { kind: 'formatted', record: state.record, isMountPoint, epoch: await readEpoch(new NodeDrive(join(path, metadataDirectory))) } : { kind: 'unformatted', isMountPoint }
  } catch (error) {
    if (error instanceof DriveFormatError) return { kind: 'refused', code: error.code, explanation: error.message }
    if (error instanceof DriveError) return { kind: 'missing', explanation: error.code === 'NotFound' ? 'there is no such directory' : error.message }
    throw error
  }
}
