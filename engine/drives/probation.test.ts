import { expect, it } from 'vitest'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import { minuteMs, secondMs } from '../../base/units.ts'
import { Probation } from './probation.ts'
import { type OutReason, SetMember } from './set-member.ts'
import { SimulatedDrive } from './simulated-drive.ts'

function rig() {
  const clock = new SimulatedClock()
  const member = new SetMember({ driveId: 'd', position: 0, label: 'd', drive: new SimulatedDrive(), clock })
  const probation = new Probation(clock)
  const look = (probeMs = 1): boolean => {
    const may = probation.mayReturn(member, probeMs)
    if (may) member.takeBack()
    return may
  }
  const out = (reason: OutReason): void => member.takeOut(reason, 'a test')
  return { clock, look, out }
}

it('takes back a drive that is well again at once, the first time', () => {
  for (const reason of ['failing', 'slow', 'missing', 'blank'] as const) {
    const { look, out } = rig()
    out(reason)
    expect(look()).toBe(true)
  }
})

it('leaves out a slow drive for as long as a probe is slow', () => {
  const { clock, look, out } = rig()
  out('slow')
  for (let round = 0; round < 100; round++) {
    clock.advance(2 * secondMs)
    expect(look(4 * secondMs)).toBe(false)
  }
  expect(look(100)).toBe(true)
})

it('makes one that fails again and again be well for longer each time, and in the end not longer', () => {
  const { clock, look, out } = rig()
  const trials: number[] = []
  for (let outage = 0; outage < 9; outage++) {
    out('failing')
    let waitedMs = 0
    for (; !look(); waitedMs += secondMs) clock.advance(secondMs)
    trials.push(waitedMs / secondMs)
    clock.advance(minuteMs)
  }
  expect(trials).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300])
  clock.advance(11 * minuteMs)
  out('failing')
  expect(look()).toBe(true)
})

it('begins a trial anew when the drive is slow in the middle of it', () => {
  const { clock, look, out } = rig()
  out('slow')
  look()
  out('slow')
  expect(look()).toBe(false)
  clock.advance(9 * secondMs)
  expect(look(10 * secondMs)).toBe(false)
  expect(look()).toBe(false)
  clock.advance(9 * secondMs)
  expect(look()).toBe(false)
  clock.advance(secondMs)
  expect(look()).toBe(true)
})
