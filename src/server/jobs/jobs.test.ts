import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineError } from '../../../engine/index.ts'
import { openScratchEngine, type ScratchEngine } from '../../identity/scratch-engine.ts'
import { createLease, type Lease } from './lease.ts'
import { runJobs, type Job } from './run-jobs.ts'

const durationMs = 30_000
let scratch: ScratchEngine

beforeEach(async () => {
  scratch = await openScratchEngine()
})

afterEach(() => scratch.remove())

const leaseOf = (holder: string): Lease => createLease({ ...scratch, name: 'background', holder, durationMs })

describe('a lease', () => {
  it('has one holder until it expires', async () => {
    const [one, two] = [leaseOf('one'), leaseOf('two')]
    expect(await one.hold()).toBe(true)
    expect(await two.hold()).toBe(false)
    scratch.clock.advance(durationMs - 1)
    expect(await two.hold()).toBe(false)
    expect(await one.hold()).toBe(true)
    scratch.clock.advance(durationMs - 1)
    expect(await two.hold()).toBe(false)
    scratch.clock.advance(1)
    expect(await two.hold()).toBe(true)
    expect(await one.hold()).toBe(false)
  })

  it('can be given back, by its holder only', async () => {
    const [one, two] = [leaseOf('one'), leaseOf('two')]
    await one.hold()
    await two.release()
    expect(await two.hold()).toBe(false)
    await one.release()
    expect(await two.hold()).toBe(true)
  })

  it('goes to one of many who try at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 16 }, (_, index) => leaseOf(`holder ${index}`).hold()))
    expect(outcomes.filter(held => held)).toHaveLength(1)
  })

  it('is not stuck when the clock was far ahead', async () => {
    scratch.clock.step(1_000_000_000)
    await leaseOf('one').hold()
    scratch.clock.step(-1_000_000_000)
    expect(await leaseOf('two').hold()).toBe(true)
  })

  it('is held by all where the store is too full for it: their work makes room', async () => {
    const transact = async (): Promise<never> => {
      throw new EngineError('StorageFull', 'no space left', {})
    }
    expect(await createLease({ engine: { transact }, clock: scratch.clock, name: 'background', holder: 'one', durationMs }).hold()).toBe(true)
  })

  it('of another name is another', async () => {
    await leaseOf('one').hold()
    expect(await createLease({ ...scratch, name: 'other', holder: 'two', durationMs }).hold()).toBe(true)
  })
})

describe('runJobs', () => {
  /** Lets time pass in steps, giving the loops room to do what became due. */
  const pass = async (totalMs: number, stepMs = 1000): Promise<void> => {
    for (let passedMs = 0; passedMs < totalMs; passedMs += stepMs) {
      scratch.clock.advance(stepMs)
      await sleep(20)
    }
  }

  /** As long as it takes: a busy machine gives the loops their turn late. */
  const passUntil = async (isSo: () => boolean): Promise<void> => {
    for (let step = 0; !isSo(); step++) {
      if (step > 500) throw new Error('it never came to be')
      await pass(1000)
    }
  }

  const start = (holder: string, jobs: readonly Job[], faults: string[] = []) => {
    const stopping = new AbortController()
    const lease = leaseOf(holder)
    const ended = runJobs({ jobs, lease, clock: scratch.clock, pollMs: 1000, onFault: job => faults.push(job), signal: stopping.signal })
    return {
      stop: async () => {
        stopping.abort()
        await ended
      },
    }
  }

  it('runs each job at its interval, on one holder, and passes on when it stops', async () => {
    const runs: { readonly holder: string; readonly atMs: number }[] = []
    const jobOf = (holder: string): Job => ({ name: 'collect', intervalMs: 5000, run: async () => runs.push({ holder, atMs: scratch.clock.nowMs() }) })
    const first = start('first', [jobOf('first')])
    await passUntil(() => runs.length === 1)
    const second = start('second', [jobOf('second')])
    await passUntil(() => runs.length === 3)
    expect(runs.map(({ holder }) => holder)).toEqual(['first', 'first', 'first'])
    await first.stop()
    await passUntil(() => runs.length === 4)
    await second.stop()
    expect(runs[3]?.holder).toBe('second')
    for (const [at, { atMs }] of runs.slice(0, 3).entries()) if (at > 0) expect(atMs - (runs[at - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(5000)
  })

  it('goes on after a job that failed, and waits for the one under way', async () => {
    const runs: string[] = []
    const faults: string[] = []
    const gate = Promise.withResolvers<void>()
    const jobs: readonly Job[] = [
      { name: 'broken', intervalMs: 1000, run: () => Promise.reject(new Error('no')) },
      {
        name: 'slow',
        intervalMs: 1000,
        run: async () => {
          runs.push('begun')
          await gate.promise
          runs.push('finished')
        },
      },
    ]
    const loop = start('only', jobs, faults)
    await sleep(50)
    await pass(5_000)
    expect(faults).toEqual(['broken'])
    expect(runs).toEqual(['begun'])
    const stopped = loop.stop()
    gate.resolve()
    await stopped
    expect(runs).toEqual(['begun', 'finished'])
  })
})
