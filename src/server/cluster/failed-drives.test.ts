import { expect, test } from 'vitest'
import { minuteMs } from '../../../base/units.ts'
import { FailedDrives } from './failed-drives.ts'

test('a drive that fails is avoided for a minute, twice as long when it fails again soon, and never for ever', () => {
  const drives = new FailedDrives()
  expect(drives.avoided(0)).toEqual([])
  drives.note('a', 0)
  expect([drives.avoided(minuteMs - 1), drives.avoided(minuteMs)]).toEqual([['a'], []])
  drives.note('a', 1.5 * minuteMs)
  expect([drives.avoided(3.4 * minuteMs), drives.avoided(3.5 * minuteMs)]).toEqual([['a'], []])
  let nowMs = 3.5 * minuteMs
  for (let failures = 0; failures < 10; failures++) {
    drives.note('a', nowMs)
    nowMs += 16 * minuteMs
    expect(drives.avoided(nowMs)).toEqual([])
  }
  drives.note('a', nowMs + 100 * minuteMs)
  expect(drives.avoided(nowMs + 101 * minuteMs)).toEqual([])
})
