import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB } from '../../base/units.ts'
import { onOneDrive } from './metadata-places.ts'
import { openMetadata } from './open-metadata.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-damage-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const rows = 3000
/** What goes on in a process of its own, which damage may end: a line for each trial's walk. */
const program = `
  import { LmdbReader } from ${JSON.stringify(join(import.meta.dirname, 'index', 'lmdb-reader.ts'))}
  const reader = new LmdbReader(process.argv[1])
  let met = 0
  try {
    await reader.walk({ table: 0x72, onRows: (rows) => { met += rows.length } })
    console.log('whole ' + met)
  } catch (error) {
    console.log('noticed ' + error.code)
  }
`

test('a walk over a table with a flipped bit in a page of its tree meets all rows or says so', async () => {
  const directory = join(root, 'pristine')
  const store = await openMetadata({ places: onOneDrive(directory), clock: systemClock, random: systemRandom })
  const random = new SeededRandom(3)
  for (let first = 0; first < rows; first += 500) {
    const puts = Array.from({ length: 500 }, () => ({ key: Buffer.concat([Buffer.from('r'), Buffer.from(random.bytes(40))]), value: Buffer.of(1) }))
    await store.commit({ checks: [], puts, deletes: [], appends: [] })
  }
  await store.close()
  const pristine = readFileSync(join(directory, 'data.mdb'))
  const pages = Array.from({ length: pristine.length / (4 * KiB) }, (_, page) => page * 4 * KiB).slice(2)
  const branches = pages.filter((at) => pristine.readUInt16LE(at + flagsAt) === branchFlag)
  const leaves = pages.filter((at) => pristine.readUInt16LE(at + flagsAt) === leafFlag)
  const outcomes = { whole: 0, noticed: 0, killed: 0, lost: [] as string[] }
  for (let trial = 0; trial < 16; trial++) {
    const damaged = join(root, `damaged-${trial}`)
    mkdirSync(damaged)
    const image = Buffer.from(pristine)
    // In branch pages, whose damage hides many rows, and in leaves; in what they say of their rows, and of how many there are.
    const page = random.pick(trial % 2 === 0 ? branches : leaves)
    const at = page + (trial % 4 < 2 ? rowsEndAt : pageHeaderBytes + random.integer(100))
    image[at] = (image[at] ?? 0) ^ (1 << random.integer(8))
    writeFileSync(join(damaged, 'data.mdb'), image)
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program, damaged], { encoding: 'utf8' })
    const [kind, count] = stdout.trim().split(' ')
    if (signal !== null) outcomes.killed++
    else if (kind === 'noticed') outcomes.noticed++
    else if (Number(count) === rows) outcomes.whole++
    else outcomes.lost.push(`trial ${trial}: ${stdout}`)
  }
  expect(outcomes.lost).toEqual([])
  expect(outcomes.noticed).toBeGreaterThan(3)
}, 60_000)

/** See `MDB_page` in LMDB's `mdb.c`. */
const pageHeaderBytes = 24
const rowsEndAt = 20
const flagsAt = 18
const branchFlag = 1
const leafFlag = 2
