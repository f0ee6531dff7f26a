import { expect, test } from 'vitest'
import { systemClock } from '../../base/system.ts'
import { DriveError } from './drive.ts'
import { within } from './within.ts'

test('gives what the work gives, or fails with its error, and never waits longer', async () => {
  for (let round = 0; round < 100; round++) {
    expect(await within(systemClock, 1000, 'it', Promise.resolve(round))).toBe(round)
    expect(await within(systemClock, 1000, 'it', new Promise((resolve) => setImmediate(() => resolve(round))))).toBe(round)
    await expect(within(systemClock, 1000, 'it', Promise.reject(new Error('no')))).rejects.toThrow('no')
  }
  await expect(within(systemClock, 5, 'drive 1', new Promise(() => {}))).rejects.toEqual(new DriveError('Io', 'drive 1 did not answer within 5 ms'))
})
