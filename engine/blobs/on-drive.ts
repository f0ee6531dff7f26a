import { DriveError } from '../drives/drive.ts'
import { BlobError } from './blob-store.ts'

/** A drive's operation, its failure in the words of the blob store. */
export async function onDrive<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (error) {
    if (error instanceof DriveError) throw new BlobError(error.code === 'Exists' ? 'Io' : error.code, error.message, { cause: error })
    throw error
  }
}
