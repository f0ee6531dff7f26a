import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../../base/system.ts'
import { parseConfig } from '../../config/parse-config.ts'
import { createLogger } from '../../telemetry/logger.ts'
import type { CommitterArguments } from './committer-process.ts'
import { CommitterSeat } from './committer-seat.ts'

const parsed = parseConfig({ argv: ['/data'], env: {}, readFile: () => '' })
if (!parsed.ok) throw new Error(parsed.problems.join())
const { config } = parsed
const { logger } = createLogger({ level: 'error', readable: false, destination: '/dev/null' })
/** Opens the copy that the next line of `plan` names, or dies of a signal; tries the copies that `damaged` names as damage lets it. */
const program = `
  const { appendFileSync, existsSync, readFileSync } = require('node:fs')
  const at = name => require('node:path').join(__dirname, name)
  const [, , command, words] = process.argv
  const die = signal => (process.kill(process.pid, signal), setInterval(() => {}, 1000))
  process.on('disconnect', () => process.exit(1))
  if (command === 'try-copy') {
    const { id } = JSON.parse(words)
    if (readFileSync(at('damaged'), 'utf8').includes(id)) die('SIGSEGV')
    else process.send({ kind: 'whole' }, () => process.exit(0))
  } else {
    appendFileSync(at('forked'), words + '\\n')
    const count = readFileSync(at('forked'), 'utf8').trim().split('\\n').length
    const step = readFileSync(at('plan'), 'utf8').split('\\n')[count - 1]
    const open = prepared => (step.startsWith('SIG') ? die(step) : process.send({ kind: 'opened', directory: step, prepared }))
    process.on('message', ({ kind }) => {
      if (kind === 'prepare') return open({ warehouse: 'lake', notes: [] })
      appendFileSync(at('heard'), count + ' ' + kind + '\\n')
      if (kind === 'serve') process.send({ kind: 'serving' })
      else process.exit(0)
    })
    if (JSON.parse(words).first === undefined) open()
  }
`

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moraine-seat-'))
  writeFileSync(join(directory, 'committer.cjs'), program)
})
afterEach(() => rmSync(directory, { recursive: true }))

const linesOf = (name: string): string[] => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8').trim().split('\n') : [])

/** A seat whose committers open these copies, one after the other; readers move when the test says so. */
function seatOf(plan: readonly string[], { drives = ['a', 'b', 'c'], damaged = '' } = {}) {
  writeFileSync(join(directory, 'plan'), plan.join('\n'))
  writeFileSync(join(directory, 'damaged'), damaged)
  const moves: { readonly to: string; readonly done: () => void }[] = []
  const seat = new CommitterSeat({
    places: { drives: drives.map(id => ({ id, directory: join(directory, id) })), setDrives: 3, writeQuorum: 2, copies: 3 },
    programFile: join(directory, 'committer.cjs'),
    config,
    clock: systemClock,
    logger,
    onMoved: to => new Promise(resolve => void moves.push({ to, done: resolve })),
    onLost: messages => appendFileSync(join(directory, 'lost'), messages.join('\n')),
  })
  const forked = (nth: number) => JSON.parse(linesOf('forked')[nth - 1] ?? '{}') as CommitterArguments
  return { seat, moves, forked, readFrom: (nth: number) => forked(nth).readFrom }
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

it('tries every copy by itself where damage ends who starts, and makes anew what did not pass', async () => {
  const { seat, forked } = seatOf(['SIGBUS', 'b', 'b'], { damaged: 'a' })
  expect(await seat.start()).toEqual({ warehouse: 'lake', notes: [] })
  const at = (id: string): string => join(directory, id)
  expect([forked(1), forked(2)].map(({ first, suspects }) => ({ first, suspects }))).toEqual([{ first: {}, suspects: [] }, { first: {}, suspects: [at('a')] }])
  seat.kill()
  await vi.waitFor(() => expect(linesOf('heard')).toEqual(['2 serve', '3 serve']), soon)
  // It was made anew, and nothing is prepared twice.
  expect([forked(3).suspects, forked(3).first]).toEqual([[], undefined])
  await seat.end()
  expect(linesOf('lost')).toEqual([])
}, 30_000)

it.each([
  { drives: ['a'], damaged: 'a', says: [/^the copy of the metadata in .*\/a is damaged: reading it ends the process: SIGSEGV$/, /^it is the only copy.*as a backup has it/] },
  { drives: ['a', 'b'], damaged: 'ab', says: [/\/a is damaged/, /\/b is damaged/, /^no other copy can be read/] },
  // Whatever it is, it is tried once for each copy and then told.
  { drives: ['a', 'b'], damaged: '', says: [] },
])('says which copies are damaged where none can be read: $damaged of $drives', async ({ drives, damaged, says }) => {
  const { seat } = seatOf(['SIGBUS', 'SIGBUS', 'SIGBUS', 'SIGBUS'], { drives, damaged })
  void seat.start()
  await vi.waitFor(() => expect(linesOf('lost')).toEqual(['the committer died while it started: SIGBUS', ...says.map(line => expect.stringMatching(line) as string)]), soon)
  expect(linesOf('forked')).toHaveLength(damaged === '' ? drives.length + 1 : 1)
  await seat.end()
}, 30_000)
