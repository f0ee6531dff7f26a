import { expect, test } from 'vitest'
import type { Clock } from '../../base/clock.ts'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import { HedgeTimer } from './hedge-timer.ts'

/** Lets all that waits for nothing but its turn go on. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function timerOf(afterMs: number): { readonly clock: SimulatedClock; readonly timer: HedgeTimer; readonly sleeps: number[]; readonly pass: (ms: number) => Promise<void> } {
  const clock = new SimulatedClock()
  const sleeps: number[] = []
  const counted: Clock = {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (durationMs, signal) => {
      sleeps.push(durationMs)
      return clock.sleep(durationMs, signal)
    },
  }
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await turns()
  }
  return { clock, timer: new HedgeTimer(counted, afterMs), sleeps, pass }
}

test('each wait that lasts too long is told at its time, once, and one that has ended is not', async () => {
  const { timer, pass } = timerOf(250)
  const late: string[] = []
  const first = timer.begin(() => late.push('first'))
  await pass(100)
  timer.begin(() => late.push('second'))
  await pass(149)
  expect(late).toEqual([])
  await pass(1)
  expect(late).toEqual(['first'])
  first.end()
  const third = timer.begin(() => late.push('third'))
  await pass(100)
  expect(late).toEqual(['first', 'second'])
  third.end()
  await pass(10_000)
  expect(late).toEqual(['first', 'second'])
  timer.begin(() => late.push('fourth'))
  await pass(249)
  expect(late).toEqual(['first', 'second'])
  await pass(1)
  expect(late).toEqual(['first', 'second', 'fourth'])
})

test('short waits share a sleep, and none is left when it is closed', async () => {
  const { timer, sleeps, pass } = timerOf(250)
  for (let wait = 0; wait < 100; wait++) {
    const { end } = timer.begin(() => expect.unreachable())
    await pass(1)
    end()
  }
  expect(sleeps).toEqual([250])
  timer.begin(() => expect.unreachable())
  timer.close()
  timer.begin(() => expect.unreachable()).end()
  await pass(1000)
  expect(sleeps).toEqual([250])
})
