import { expect, it } from 'vitest'
import { DriveQueue, driveThreads, operationsPerDrive } from './drive-queue.ts'

it('runs so many operations at a time and the others in order, whatever becomes of them', async () => {
  const queue = new DriveQueue(2)
  const begun: number[] = []
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
  const outcomes = ends.map(({ promise }, at) => queue.run(() => {
    begun.push(at)
    return promise
  }))
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await turn()
  expect(begun).toEqual([0, 1])
  ends[1]?.reject(new Error('it failed'))
  expect(await Promise.allSettled(outcomes.slice(1, 2))).toMatchObject([{ status: 'rejected', reason: { message: 'it failed' } }])
  await turn()
  expect(begun).toEqual([0, 1, 2])
  for (const at of [2, 3, 4, 0]) ends[at]?.resolve(at)
  expect(await Promise.all(outcomes.filter((_, at) => at !== 1))).toEqual([0, 2, 3, 4])
  expect(begun).toEqual([0, 1, 2, 3, 4])
})

it('leaves threads for the others when every drive that may be lost hangs', () => {
  for (let drives = 2; drives <= 64; drives++) {
    const lost = Math.floor(drives / 2)
    expect(driveThreads(drives) - lost * operationsPerDrive(drives)).toBeGreaterThanOrEqual((drives - lost) * operationsPerDrive(drives))
    expect(operationsPerDrive(drives)).toBeGreaterThanOrEqual(8)
  }
  expect(driveThreads(1)).toBe(32)
})
