/** Power cuts replayed from recordings of real file systems: see `power-cuts.ts`. Needs root, `/dev/fuse` and loop devices. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cutPower } from './power-cuts.ts'
import { recordings } from './recordings.ts'

const program = process.env['TEST_PROGRAM'] ?? ''
const seed = 1

test('the recorder passes its own tests', () => {
  const { status, stdout, stderr } = spawnSync('go', ['test', './...'], { cwd: join(import.meta.dirname, 'recorder'), encoding: 'utf8' })
  expect(status, stdout + stderr).toBe(0)
})

test.each(recordings)('$name: what was acknowledged or read is there after $points power cuts', { timeout: 300_000 }, async recording => {
  const { problems, ...counts } = await cutPower({ ...recording, program, seed })
  console.log(`${recording.name}: ${JSON.stringify(counts)}`)
  expect(problems).toEqual([])
  expect(counts.acknowledged).toBeGreaterThan(50)
  expect(Math.min(...Object.values(counts.kinds))).toBeGreaterThanOrEqual(Math.floor(recording.points / 3))
})

test('it would notice: a drive that says that it has flushed, and has not', async () => {
  const { problems } = await cutPower({ program, seed, disks: 1, parity: 0, points: 6, loadMs: 1500, liesAlways: true })
  expect(problems.join('\n')).toMatch(/should hold|cannot be mounted|is listed with|Error/)
})
