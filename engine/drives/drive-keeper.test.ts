import { expect, test } from 'vitest'
import { systemClock as clock, systemRandom as random } from '../../base/system.ts'
import { type DriveRecord, formatDrive, inspectDrive, recordPath } from './drive-format.ts'
import { DriveKeeper } from './drive-keeper.ts'
import { SetMember } from './set-member.ts'
import { SimulatedDrive } from './simulated-drive.ts'

const ids = ['1', '2'].map((digit) => digit.repeat(32))
const record: Omit<DriveRecord, 'driveId'> = { format: 2, deploymentId: '0'.repeat(32), sets: [ids], parity: 1 }

/** Processes over two drives, the second of them empty. */
async function open(processes: number) {
  const removed: string[] = []
  const drives = ids.map(() => new SimulatedDrive({ beforeOperation: async (operation, path) => { if (operation === 'remove') removed.push(path) } }))
  const [first, second] = drives as [SimulatedDrive, SimulatedDrive]
  await formatDrive(first, { ...record, driveId: ids[0] ?? '' })
  const keepers = Array.from({ length: processes }, () => {
    const members = drives.map((drive, position) => new SetMember({ driveId: ids[position] ?? '', position, label: `drive ${position}`, drive, clock }))
    return { members, keeper: new DriveKeeper({ record, sets: [{ index: 0, members, parity: { standard: 1, reduced: 1 } }], home: 0, clock, random }) }
  })
  for (const { keeper } of keepers) await keeper.examine()
  return { keepers, second, removed }
}

test('a drive that was formatted since it was found empty keeps its record', async () => {
  const { keepers: [one], second, removed } = await open(1)
  expect(one?.members[1]?.condition).toMatchObject({ reason: 'blank' })
  const other = { ...record, driveId: ids[1] ?? '', deploymentId: '9'.repeat(32) }
  await formatDrive(second, other)
  expect(await one?.keeper.formatReplaced()).toBe(0)
  expect(await inspectDrive(second)).toEqual({ kind: 'formatted', record: other })
  expect(removed).not.toContain(recordPath)
})

test('several processes format an empty drive at once', async () => {
  const { keepers, second } = await open(4)
  const formatted = await Promise.all(keepers.map(({ keeper }) => keeper.formatReplaced()))
  expect(formatted.filter((count) => count > 0).length).toBeGreaterThan(0)
  expect(await inspectDrive(second)).toMatchObject({ kind: 'formatted', record: { driveId: ids[1] } })
  for (const { keeper, members } of keepers) {
    await keeper.examine()
    expect(members[1]?.condition.kind).toBe('ok')
  }
})
