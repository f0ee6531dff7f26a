import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../../base/system.ts'
import { createLogger } from '../../telemetry/logger.ts'
import type { CommitterArguments } from './committer-process.ts'
import { CommitterSeat } from './committer-seat.ts'

const { logger } = createLogger({ level: 'error', readable: false, destination: '/dev/null' })
/** Opens the copy that the next line of `plan` names; dies when it is told to. */
const program = `
  const { appendFileSync, readFileSync } = require('node:fs')
  const at = name => require('node:path').join(__dirname, name)
  const [, , , words] = process.argv
  appendFileSync(at('forked'), words + '\\n')
  const count = readFileSync(at('forked'), 'utf8').trim().split('\\n').length
  process.on('message', ({ kind }) => {
    appendFileSync(at('heard'), count + ' ' + kind + '\\n')
    if (kind === 'serve') process.send({ kind: 'serving' })
    else process.exit(0)
  })
  process.on('disconnect', () => process.exit(1))
  process.send({ kind: 'opened', directory: readFileSync(at('plan'), 'utf8').split('\\n')[count - 1] })
`

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moraine-seat-'))
  writeFileSync(join(directory, 'committer.cjs'), program)
})
afterEach(() => rmSync(directory, { recursive: true }))

const linesOf = (name: string): string[] => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8').trim().split('\n') : [])

/** A seat whose committers open these copies, one after the other; readers move when the test says so. */
function seatOf(plan: readonly string[]) {
  writeFileSync(join(directory, 'plan'), plan.join('\n'))
  const moves: { readonly to: string; readonly done: () => void }[] = []
  const seat = new CommitterSeat({
    places: { drives: ['a', 'b', 'c'].map(id => ({ id, directory: join(directory, id) })), setDrives: 3, writeQuorum: 2, copies: 3 },
    programFile: join(directory, 'committer.cjs'),
    clock: systemClock,
    logger,
    onMoved: to => new Promise(resolve => void moves.push({ to, done: resolve })),
    onLost: message => appendFileSync(join(directory, 'lost'), message),
  })
  return { seat, moves, readFrom: (nth: number) => (JSON.parse(linesOf('forked')[nth - 1] ?? '{}') as CommitterArguments).readFrom }
}

const soon = { timeout: 10_000, interval: 10 }

it('waits for readers that move, though the committer that they move to died and the next one has the same copy', async () => {
  const { seat, moves, readFrom } = seatOf(['a', 'b', 'b'])
  await seat.start()
  expect(readFrom(1)).toEqual([])
  seat.kill()
  await vi.waitFor(() => expect(moves.map(({ to }) => to)).toEqual(['b']), soon)
  expect(readFrom(2)).toEqual(['a'])
  seat.kill()
  await vi.waitFor(() => expect(moves.map(({ to }) => to)).toEqual(['b', 'b']), soon)
  // Both may be read: neither goes back to its checkpoint under its readers.
  expect(readFrom(3)).toEqual(['b', 'a'])
  expect(linesOf('heard')).toEqual(['1 serve'])
  for (const { done } of moves) done()
  await vi.waitFor(() => expect(linesOf('heard')).toEqual(['1 serve', '3 serve']), soon)
  await seat.end()
  expect(linesOf('lost')).toEqual([])
}, 30_000)

it('knows of all copies that may be read until readers have moved to the last one', async () => {
  const { seat, moves, readFrom } = seatOf(['a', 'b', 'c', 'c'])
  await seat.start()
  seat.kill()
  await vi.waitFor(() => expect(moves).toHaveLength(1), soon)
  seat.kill()
  await vi.waitFor(() => expect(moves.map(({ to }) => to)).toEqual(['b', 'c']), soon)
  // Those that came to the second copy are not at the third yet.
  moves[0]?.done()
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(linesOf('heard')).toEqual(['1 serve'])
  moves[1]?.done()
  await vi.waitFor(() => expect(linesOf('heard')).toEqual(['1 serve', '3 serve']), soon)
  seat.kill()
  await vi.waitFor(() => expect(linesOf('heard')).toEqual(['1 serve', '3 serve', '4 serve']), soon)
  expect([readFrom(3), readFrom(4)]).toEqual([['b', 'a'], ['c']])
  expect(moves).toHaveLength(2)
  await seat.end()
}, 30_000)
