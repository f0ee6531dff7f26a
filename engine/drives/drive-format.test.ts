import { mkdtempSync, readdirSync, rmSync, writeFileSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { systemRandom } from '../../base/system.ts'
import { decodeRecord, encodeRecord, inspectDrive, migrate, openDrive, recordPath, replaceRecord, revisionOf } from './drive-format.ts'
import type { DriveRecord } from './drive-format.ts'
import { DriveError } from './drive.ts'
import type { Drive } from './drive.ts'
import { NodeDrive } from './node-drive.ts'
import { SimulatedDrive } from './simulated-drive.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-format-'))
afterAll(() => rmSync(root, { recursive: true }))

const driveId = 'fedcba9876543210fedcba9876543210'
const record: DriveRecord = { format: 2, deploymentId: '0123456789abcdef0123456789abcdef', driveId, sets: [[driveId]], parity: 0 }

async function write(drive: Drive, path: string, content: string): Promise<void> {
  const file = await drive.create(path)
  await file.write(Buffer.from(content), 0)
  await file.close()
}

test('an empty drive is formatted once and keeps its ids', async () => {
  const drive = new NodeDrive(mkdtempSync(join(root, 'd-')))
  const made = await openDrive(drive, systemRandom)
  expect(made).toMatchObject({ format: 2, parity: 0, deploymentId: expect.stringMatching(/^[0-9a-f]{32}$/) as string })
  expect(await openDrive(drive, systemRandom)).toEqual(made)
  expect((await drive.list('')).toSorted()).toEqual(['blobs', 'moraine.json'])
  expect((await drive.list('blobs')).length).toBe(256)
  const other = await openDrive(new SimulatedDrive(), systemRandom, made.deploymentId)
  expect(other.deploymentId).toBe(made.deploymentId)
  expect(other.driveId).not.toBe(made.driveId)
})

test('a power loss at any point leaves a drive that opens', async () => {
  let losses = 0
  for (let seed = 0; seed < 60; seed++) {
    const random = new SeededRandom(seed)
    // Most operations make directories; the interesting ones are the last.
    const stopAfter = seed < 20 ? random.integer(260) : 256 + random.integer(14)
    let operations = 0
    const drive = new SimulatedDrive({
      beforeOperation: async (operation) => {
        if (operation !== 'list' && operations++ >= stopAfter) throw new DriveError('Io', 'the power is going')
      },
    })
    const finished = await openDrive(drive, systemRandom).then((made) => made, () => undefined)
    const recovered = drive.crash(random)
    const state = await inspectDrive(recovered)
    const opened = await openDrive(recovered, systemRandom)
    if (finished !== undefined) expect(opened).toEqual(finished)
    else losses++
    expect(state.kind === 'unformatted' || state.record.driveId === opened.driveId).toBe(true)
    expect(await openDrive(recovered.crash(random), systemRandom)).toEqual(opened)
  }
  expect(losses).toBeGreaterThan(20)
})

describe('is refused untouched', () => {
  test('a directory that holds something else', async () => {
    const directory = mkdtempSync(join(root, 'd-'))
    writeFileSync(join(directory, 'thesis.docx'), 'years of work')
    await expect(openDrive(new NodeDrive(directory), systemRandom)).rejects.toMatchObject({ code: 'Foreign', message: expect.stringContaining('"thesis.docx"') as string })
    expect(readdirSync(directory)).toEqual(['thesis.docx'])
  })

  test('blobs without a record, or a record that is not ours', async () => {
    const directory = mkdtempSync(join(root, 'd-'))
    mkdirSync(join(directory, 'blobs/00'), { recursive: true })
    writeFileSync(join(directory, 'blobs/00/x'), 'x')
    await expect(openDrive(new NodeDrive(directory), systemRandom)).rejects.toMatchObject({ code: 'Foreign' })
    for (const text of ['{"title":"moraines of Alaska"}', 'plain text', '[]', 'null\n']) {
      const other = mkdtempSync(join(root, 'd-'))
      writeFileSync(join(other, recordPath), text)
      await expect(openDrive(new NodeDrive(other), systemRandom)).rejects.toMatchObject({ code: 'Foreign' })
      expect(readFileSync(join(other, recordPath), 'utf8')).toBe(text)
    }
  })

  test('a record cut short on a drive that is in use', async () => {
    const drive = new SimulatedDrive()
    await openDrive(drive, systemRandom)
    await write(drive, 'blobs/00/x', 'x')
    await drive.remove(recordPath)
    await write(drive, recordPath, encodeRecord(record).slice(0, 30))
    await expect(openDrive(drive, systemRandom)).rejects.toMatchObject({ name: 'DriveFormatError' })
    expect(await drive.list('blobs/00')).toEqual(['x'])
  })
})

test('what a server puts in the place of a drive that has just been pulled does not make the new one foreign, and goes', async () => {
  const directory = mkdtempSync(join(root, 'pulled-'))
  mkdirSync(join(directory, 'metadata'))
  for (const name of ['committer.sqlite', 'epoch.json', 'epoch.json.new']) writeFileSync(join(directory, 'metadata', name), 'x')
  const drive = new NodeDrive(directory)
  expect((await inspectDrive(drive)).kind).toBe('unformatted')
  await openDrive(drive, systemRandom)
  expect(readdirSync(join(directory, 'metadata'))).toEqual(['committer.sqlite'])
  rmSync(join(directory, recordPath))
  writeFileSync(join(directory, 'metadata', 'data.mdb'), 'rows')
  await expect(inspectDrive(drive)).rejects.toMatchObject({ code: 'Foreign', message: 'there is no moraine.json, but metadata holds "data.mdb"' })
})

test('the root of a file system, and a lock, do not make a drive foreign', async () => {
  const drive = new SimulatedDrive()
  await drive.createDirectory('lost+found')
  await write(drive, 'lock.sqlite', '')
  expect((await openDrive(drive, systemRandom)).format).toBe(2)
})

describe('the record', () => {
  /** Never to change: what each format wrote. */
  const golden1 =
    '{"moraine":{"format":1,"deploymentId":"0123456789abcdef0123456789abcdef","driveId":"fedcba9876543210fedcba9876543210"},"checksum":"91a882ec4b91c943"}\n'
  const golden2 =
    '{"moraine":{"format":2,"deploymentId":"0123456789abcdef0123456789abcdef","driveId":"fedcba9876543210fedcba9876543210","sets":[["fedcba9876543210fedcba9876543210"]],"parity":0},"checksum":"0e5a463ff0f0667c"}\n'

  test('of format 1 is read as a deployment of one drive', () => {
    expect(decodeRecord(golden1)).toEqual(record)
  })

  test('of format 2 is read and written as it always was', () => {
    expect(encodeRecord(record)).toBe(golden2)
    expect(decodeRecord(golden2)).toEqual(record)
  })

  test('of format 3 says how the sets changed, and takes the place of the one before whole, whenever the power goes', async () => {
    const changed: DriveRecord = { ...record, format: 3, sets: [[driveId], []], change: { revision: 1, parities: [0, 1] } }
    expect(decodeRecord(encodeRecord(changed))).toEqual(changed)
    expect(() => migrate({ ...changed, change: { revision: 1, parities: [0] } })).toThrow(expect.objectContaining({ code: 'Damaged' }) as Error)
    for (let stopAfter = 0; stopAfter < 9; stopAfter++) {
      const random = new SeededRandom(stopAfter)
      let operations = -Infinity
      const drive = new SimulatedDrive({
        beforeOperation: async () => {
          if (operations++ >= stopAfter) throw new DriveError('Io', 'the power is going')
        },
      })
      const made = await openDrive(drive, systemRandom)
      operations = 0
      const isDone = await replaceRecord(drive, { ...made, format: 3, change: { revision: 1, parities: [0] } }).then(() => true, () => false)
      const state = await inspectDrive(drive.crash(random))
      const revision = state.kind === 'formatted' ? revisionOf(state.record) : undefined
      expect(isDone ? [1] : [0, 1]).toContain(revision)
    }
  })

  test('of a newer format is refused', () => {
    expect(() => migrate({ ...record, format: 4 })).toThrow(expect.objectContaining({ code: 'NewerFormat' }))
  })

  test('that was changed is Damaged', () => {
    for (const [from, to] of [['fedc', 'fedd'], ['"format":2', '"format":3'], ['}\n', '\n']] as const) {
      expect(() => decodeRecord(golden2.replace(from, to))).toThrow(expect.objectContaining({ code: 'Damaged' }))
    }
    const wrong = [{ format: 1, deploymentId: 'x' }, { deploymentId: 'x', driveId: 'y' }, { ...record, sets: [['x']] }, { ...record, sets: 'x' }, { ...record, parity: '1' }]
    for (const body of wrong) expect(() => migrate(body)).toThrow(expect.objectContaining({ code: 'Damaged' }))
  })
})
