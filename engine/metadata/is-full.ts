import { DriveError } from '../drives/drive.ts'
import { MetadataError } from './metadata-store.ts'

/** There was no room on the drive, for its index or for a file; nothing else is wrong with it. */
export function isFull(error: unknown): boolean {
  return (error instanceof DriveError || error instanceof MetadataError) && error.code === 'Full'
}
