import { describe, expect, test } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { systemClock, systemRandom } from './system.ts'
import { ulid, ulidPattern, ulidTimeMs } from './ulid.ts'

describe('SeededRandom', () => {
  test('repeats from its seed, and differs between seeds, large ones included', () => {
    const bytesOf = (seed: number): string => Buffer.from(new SeededRandom(seed).bytes(33)).toString('hex')
    expect(bytesOf(7)).toBe(bytesOf(7))
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 40]
    expect(new Set(seeds.map(bytesOf)).size).toBe(seeds.length)
  })

  test('its sequence never changes: recorded seeds must keep their meaning', () => {
    expect(Buffer.from(new SeededRandom(42).bytes(8)).toString('hex')).toBe('1848e42023a99508')
  })

  test('integer and chance cover their range evenly', () => {
    const random = new SeededRandom(1)
    const counts = Array.from({ length: 10 }, () => 0)
    let hits = 0
    for (let i = 0; i < 100_000; i++) {
      const n = random.integer(10)
      counts[n] = (counts[n] ?? 0) + 1
      if (random.chance(0.3)) hits++
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
    expect(Math.abs(hits - 30_000)).toBeLessThan(700)
  })
})

describe('ulid', () => {
  test('carries its time and 80 random bits', () => {
    const clock = new SimulatedClock(1_469_918_176_385)
    const id = ulid(clock, { bytes: (count) => new Uint8Array(count).fill(255) })
    expect(id).toBe('01ARYZ6S41ZZZZZZZZZZZZZZZZ')
    expect(ulidTimeMs(id)).toBe(1_469_918_176_385)
  })

  test('sorts by time and does not repeat', () => {
    const clock = new SimulatedClock()
    const ids = Array.from({ length: 1000 }, () => {
      clock.advance(1)
      return ulid(clock, systemRandom)
    })
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(ulidPattern)
  })
})

describe('clocks', () => {
  test('a simulated sleep ends when its time has come, or on abort', async () => {
    const clock = new SimulatedClock()
    const woken: string[] = []
    const abort = new AbortController()
    const sleeps = [
      clock.sleep(20).then(() => woken.push('20')),
      clock.sleep(10).then(() => woken.push('10')),
      clock.sleep(1000, abort.signal).then(() => woken.push('aborted')),
    ]
    clock.advance(9)
    await Promise.resolve()
    expect(woken).toEqual([])
    clock.advance(20)
    abort.abort()
    await Promise.all(sleeps)
    expect(woken).toEqual(['10', '20', 'aborted'])
    clock.step(-1000)
    expect(clock.monotonicMs()).toBe(29)
  })

  test('a system sleep lasts as long as asked, and ends on abort', async () => {
    const start = systemClock.monotonicMs()
    await systemClock.sleep(20)
    expect(systemClock.monotonicMs() - start).toBeGreaterThanOrEqual(19)
    await systemClock.sleep(60_000, AbortSignal.abort())
    const abort = new AbortController()
    const sleeping = systemClock.sleep(60_000, abort.signal)
    abort.abort()
    await sleeping
  })
})

test('random bytes are given once, and stay what they were', () => {
  const draws = Array.from({ length: 2000 }, () => systemRandom.bytes(16))
  const seen = draws.map(bytes => Buffer.from(bytes).toString('hex'))
  for (let more = 0; more < 2000; more++) systemRandom.bytes(7)
  expect(new Set(seen).size).toBe(2000)
  expect(draws.map(bytes => Buffer.from(bytes).toString('hex'))).toEqual(seen)
  expect(systemRandom.bytes(100_000)).toHaveLength(100_000)
  expect(systemRandom.bytes(0)).toHaveLength(0)
})
