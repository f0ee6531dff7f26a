import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { SimulatedClock } from '../../../base/simulated-clock.ts'
import { hourMs } from '../../../base/units.ts'
import { createLogger } from '../../telemetry/logger.ts'
import type { CopiesState } from './care-rows.ts'
import type { CopyFound } from './copy-walker.ts'
import { scrubMetadata } from './scrub-metadata.ts'

const intervalMs = 24 * hourMs
const { logger } = createLogger({ level: 'error', readable: false, destination: '/dev/null' })

/** A scrub over copies that the test says are damaged. */
function begin({ stored, directories = ['a', 'b', 'c'], holds = () => true }: { readonly stored?: CopiesState; readonly directories?: readonly string[]; readonly holds?: () => boolean }) {
  const clock = new SimulatedClock()
  const stopping = new AbortController()
  const world = { stored, directories, walks: [] as string[], damaged: new Map<string, number>(), told: [] as (readonly string[])[], onWalk: (_: AbortSignal): Promise<void> => Promise.resolve() }
  const running = scrubMetadata({
    rows: { copies: async () => world.stored, putCopies: async state => void (world.stored = state) },
    current: async () => world.directories,
    walk: async (directory, from, onTable, signal): Promise<CopyFound> => {
      world.walks.push(`${directory}${from}`)
      onTable(7, 100)
      await world.onWalk(signal)
      const left = world.damaged.get(directory) ?? 0
      if (left > 0) world.damaged.set(directory, left - 1)
      return left > 0 ? { kind: 'damaged', message: 'rows are missing' } : { kind: 'whole' }
    },
    onDamaged: told => world.told.push(told),
    lease: { hold: async () => holds(), release: async () => {} },
    renewMs: 10_000, clock, logger, intervalMs, signal: stopping.signal,
  })
  /** Lets time pass, in steps that the loop can follow. */
  const pass = async (ms: number): Promise<void> => {
    for (let step = 0; step < 8; step++) {
      clock.advance(ms / 8)
      await sleep(1)
    }
  }
  const end = async (): Promise<void> => {
    stopping.abort()
    await running
  }
  return { world, clock, pass, end }
}

it('walks over every copy an interval after the first start, and again after the next', async () => {
  const { world, pass, end } = begin({})
  await pass(2000)
  expect(world.walks).toEqual([])
  await pass(intervalMs)
  expect(world.walks).toEqual(['a0', 'b0', 'c0'])
  expect(world.stored).toMatchObject({ state: 'done', copy: 3, rows: 300, damaged: [] })
  await pass(intervalMs / 2)
  expect(world.walks).toHaveLength(3)
  await pass(intervalMs)
  expect(world.walks).toHaveLength(6)
  expect(world.told).toEqual([])
  await end()
})

const running = (change: Partial<CopiesState>): CopiesState => ({ state: 'running', startedAtMs: 0, updatedAtMs: 0, directories: ['a', 'b', 'c'], copy: 0, table: 0, rows: 0, damaged: [], ...change })

it('resumes at the table that it was at, and begins again where the copies have changed', async () => {
  const one = begin({ stored: running({ copy: 1, table: 42, rows: 5 }) })
  await one.pass(1000)
  expect(one.world.walks).toEqual(['b42', 'c0'])
  await one.end()
  const other = begin({ stored: running({ copy: 1, table: 42 }), directories: ['b', 'c', 'd'] })
  await other.pass(1000)
  expect(other.world.walks).toEqual(['b0', 'c0', 'd0'])
  await other.end()
})

it('tells of copies that are damaged twice, all together at the end, and looks again soon', async () => {
  const { world, pass, end } = begin({ stored: running({}) })
  world.damaged.set('a', 2).set('b', 2).set('c', 1)
  await pass(1000)
  expect(world.walks).toEqual(['a0', 'a0', 'b0', 'b0', 'c0', 'c0'])
  expect(world.told).toEqual([['a', 'b']])
  await pass(hourMs + 2000)
  expect(world.walks.slice(6)).toEqual(['a0', 'b0', 'c0'])
  expect(world.told).toHaveLength(1)
  expect(world.stored).toMatchObject({ state: 'done', damaged: [] })
  await end()
})

it('makes no copy anew where none is whole, nor where others are the copies by now', async () => {
  const all = begin({ stored: running({}) })
  for (const directory of ['a', 'b', 'c']) all.world.damaged.set(directory, 99)
  await all.pass(1000)
  expect(all.world.stored?.damaged).toEqual(['a', 'b', 'c'])
  expect(all.world.told).toEqual([])
  await all.end()
  const changed = begin({ stored: running({}) })
  changed.world.damaged.set('a', 99)
  changed.world.onWalk = async () => void (changed.world.directories = ['b', 'c', 'd'])
  await changed.pass(1000)
  expect(changed.world.told).toEqual([])
  await changed.end()
})

it('stops where another worker has the lease, and leaves it the table that it was at', async () => {
  let isHeld = true
  const { world, pass, end } = begin({ stored: running({}), holds: () => isHeld })
  world.onWalk = signal => new Promise(resolve => signal.addEventListener('abort', () => resolve()))
  await pass(1000)
  await pass(15_000)
  expect(world.stored).toMatchObject({ copy: 0, table: 7 })
  isHeld = false
  await pass(30_000)
  expect(world.walks).toEqual(['a0'])
  expect(world.stored).toMatchObject({ state: 'running', copy: 0, table: 7 })
  await end()
})
