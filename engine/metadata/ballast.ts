import { KiB } from '../../base/units.ts'
import { type Drive, DriveError } from '../drives/drive.ts'
import { isFull } from './is-full.ts'

/**
 * Space that a full drive still has for what a start must write: a file of the metadata directory, 64 KiB, that is given up
 * when nothing else fits, and made again when there is room. Without it a drive that blobs filled to the last block
 * could not even be told of a new epoch, and a server on such drives could not be started to delete from them.
 */
export const ballastPath = 'ballast'
const newBallastPath = 'ballast.new'
/** As much of the first as there is room for. */
const ballastSizes = [64 * KiB, 32 * KiB, 16 * KiB, 8 * KiB]

/** Does the work once more without the ballast where it fails for want of space. */
export async function withRoom<T>(drive: Drive, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isFull(error) || !(await dropBallast(drive))) throw error
    return work()
  }
}

/** Makes it, or a larger one, where there is room; never fails. */
export async function keepBallast(drive: Drive): Promise<void> {
  try {
    const there = await drive.sizeOf(ballastPath).catch(() => 0)
    await drive.remove(newBallastPath).catch(() => undefined)
    for (const bytes of ballastSizes) {
      if (bytes <= there || await makeBallast(drive, bytes)) return
    }
  } catch (error) {
    if (!(error instanceof DriveError)) throw error
  }
}

/** False where there is no room: what there was stays. */
async function makeBallast(drive: Drive, bytes: number): Promise<boolean> {
  const file = await drive.create(newBallastPath)
  try {
    await file.write(Buffer.alloc(bytes), 0)
    await file.sync()
  } catch (error) {
    // One without its blocks would keep another from being made.
    await drive.remove(newBallastPath)
    if (isFull(error)) return false
    throw error
  } finally {
    await file.close()
  }
  await drive.rename(newBallastPath, ballastPath)
  await drive.syncDirectory('')
  return true
}

/** Whether there was any. */
async function dropBallast(drive: Drive): Promise<boolean> {
  try {
    await drive.remove(ballastPath)
    await drive.syncDirectory('')
    return true
  } catch (error) {
    if (error instanceof DriveError) return false
    throw error
  }
}
