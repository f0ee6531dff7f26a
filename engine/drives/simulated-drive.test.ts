import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { KiB } from '../../base/units.ts'
import { describeDrive } from './drive-suite.ts'
import type { Drive } from './drive.ts'
import { SimulatedDrive } from './simulated-drive.ts'
import type { SimulatedDriveOptions } from './simulated-drive.ts'

describeDrive('SimulatedDrive', async () => new SimulatedDrive())

const before = Buffer.alloc(2 * KiB, 'b')
const after = Buffer.alloc(2 * KiB, 'a')

/** What 200 power losses leave of one state, as a count of each outcome. */
async function outcomes(options: SimulatedDriveOptions, prepare: (drive: SimulatedDrive) => Promise<void>, look: (drive: Drive) => Promise<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (let seed = 0; seed < 200; seed++) {
    const drive = new SimulatedDrive(options)
    await prepare(drive)
    const outcome = await look(drive.crash(new SeededRandom(seed)))
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }
  return counts
}

async function look(drive: Drive): Promise<string> {
  if (!(await drive.list('')).includes('f')) return 'gone'
  const content = Buffer.alloc(before.length)
  const file = await drive.open('f')
  const count = await file.read(content, 0)
  if (count === 0) return 'empty'
  if (content.subarray(0, count).equals(before)) return 'before'
  if (content.subarray(0, count).equals(after)) return 'after'
  return 'torn'
}

async function create(drive: Drive, { sync = true, syncDirectory = true } = {}): Promise<void> {
  const file = await drive.create('f')
  await file.write(before, 0)
  if (sync) await file.sync()
  if (syncDirectory) await drive.syncDirectory('')
}

describe('a power loss', () => {
  test('keeps a synced file with a synced entry', async () => {
    expect([...(await outcomes({}, (drive) => create(drive), look)).keys()]).toEqual(['before'])
  })

  test('drops, tears or keeps unsynced bytes', async () => {
    const seen = await outcomes({}, (drive) => create(drive, { sync: false }), look)
    expect([...seen.keys()].toSorted()).toEqual(['before', 'empty', 'torn'])
  })

  test('leaves old, new or torn bytes of an unsynced overwrite', async () => {
    const seen = await outcomes({}, async (drive) => {
      await create(drive)
      await (await drive.open('f')).write(after, 0)
    }, look)
    expect([...seen.keys()].toSorted()).toEqual(['after', 'before', 'torn'])
  })

  test('drops or keeps an unsynced entry and an unsynced removal', async () => {
    const entry = await outcomes({}, (drive) => create(drive, { syncDirectory: false }), look)
    expect([...entry.keys()].toSorted()).toEqual(['before', 'gone'])
    const removal = await outcomes({}, async (drive) => {
      await create(drive)
      await drive.remove('f')
    }, look)
    expect([...removal.keys()].toSorted()).toEqual(['before', 'gone'])
    const synced = await outcomes({}, async (drive) => {
      await create(drive)
      await drive.remove('f')
      await drive.syncDirectory('')
    }, look)
    expect([...synced.keys()]).toEqual(['gone'])
  })

  test('takes what is below an unsynced directory with it', async () => {
    const seen = await outcomes({}, async (drive) => {
      await drive.createDirectory('d')
      await (await drive.create('d/f')).sync()
      await drive.syncDirectory('d')
    }, async (drive) => ((await drive.list('')).includes('d') ? (await drive.list('d')).join() : 'gone'))
    expect([...seen.keys()].toSorted()).toEqual(['f', 'gone'])
  })

  test('a sync covers only what was there when it began', async () => {
    const seen = await outcomes({}, async (drive) => {
      await create(drive)
      const file = await drive.open('f')
      const writing = file.write(after, 0)
      await Promise.all([file.sync(), writing])
    }, look)
    expect(seen.size).toBeGreaterThan(1)
  })

  test('without syncs nothing is sure: the mutation switches', async () => {
    expect((await outcomes({ ignoreSync: true }, (drive) => create(drive), look)).size).toBe(3)
    expect((await outcomes({ ignoreDirectorySync: true }, (drive) => create(drive), look)).size).toBe(2)
  })

  test('repeats from its seed', async () => {
    const once = await outcomes({}, (drive) => create(drive, { sync: false, syncDirectory: false }), look)
    expect(await outcomes({}, (drive) => create(drive, { sync: false, syncDirectory: false }), look)).toEqual(once)
  })

  test('ends the old drive, operations under way included', async () => {
    let goOn = (): void => undefined
    const drive = new SimulatedDrive({ beforeOperation: (operation) => (operation === 'create' ? new Promise((resolve) => (goOn = resolve)) : Promise.resolve()) })
    const creating = drive.create('f')
    const recovered = drive.crash(new SeededRandom(1))
    goOn()
    await expect(creating).rejects.toMatchObject({ code: 'Io' })
    await expect(drive.list('')).rejects.toMatchObject({ code: 'Io' })
    expect(await recovered.list('')).toEqual([])
  })
})

test('a drive is full at its capacity, and has room again after a removal', async () => {
  const drive = new SimulatedDrive({ capacityBytes: 3 * KiB })
  await create(drive)
  const file = await drive.create('g')
  await expect(file.write(before, 0)).rejects.toMatchObject({ code: 'Full' })
  await drive.remove('f')
  await file.write(before, 0)
})
