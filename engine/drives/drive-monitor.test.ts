import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../base/seeded-random.ts'
import { SimulatedClock } from '../../base/simulated-clock.ts'
import type { Drive, DriveSpace } from './drive.ts'
import { formatDrive } from './drive-format.ts'
import { DriveMonitor } from './drive-monitor.ts'
import { SetMember } from './set-member.ts'
import { SimulatedDrive } from './simulated-drive.ts'

type Place = Pick<DriveSpace, 'device' | 'isMountPoint'>

const clock = new SimulatedClock()
const root: Place = { device: 0, isMountPoint: false }

/** Drives of which each can be put to another place, and emptied. */
class Drives {
  readonly members: SetMember[]
  readonly #places: Place[]
  readonly #drives: SimulatedDrive[]
  readonly #monitor: DriveMonitor

  constructor(places: readonly Place[]) {
    this.#places = [...places]
    this.#drives = places.map(() => new SimulatedDrive())
    this.members = places.map((_, position) => new SetMember({ driveId: idOf(position), position, label: `drive ${position}`, drive: this.#drive(position), clock }))
    this.#monitor = new DriveMonitor({ sets: [{ index: 0, members: this.members, parity: { standard: 1, reduced: 1 } }], clock, random: new SeededRandom(1) })
  }

  async format(position: number): Promise<void> {
    const ids = this.members.map(({ driveId }) => driveId)
    await formatDrive(this.#drive(position), { format: 2, deploymentId: idOf(9), driveId: idOf(position), sets: [ids], parity: 1 })
  }

  empty(position: number, place: Place): void {
    this.#drives[position] = new SimulatedDrive()
    this.#places[position] = place
  }

  async look(): Promise<string[]> {
    await this.#monitor.round()
    return this.members.map(({ condition }) => (condition.kind === 'out' ? condition.reason : condition.kind))
  }

  /** Whatever stands at the position now. */
  #drive(position: number): Drive {
    const current = (): SimulatedDrive => this.#drives[position] ?? new SimulatedDrive()
    return new Proxy({} as Drive, {
      get: (_, name: keyof Drive) => async (...args: never[]) => {
        const result: unknown = await (current()[name] as (...given: never[]) => unknown).apply(current(), args)
        return name === 'space' ? { ...(result as DriveSpace), ...this.#places[position] } : result
      },
    })
  }
}

const idOf = (position: number): string => String(position).repeat(32)
const mounted = (device: number): Place => ({ device, isMountPoint: true })

describe('an empty directory in the place of a drive', () => {
  it('is a drive that is not mounted where the others are, also when it was like that at the start', async () => {
    const drives = new Drives([mounted(1), mounted(2), root])
    for (const position of [0, 1]) await drives.format(position)
    drives.members[2]?.takeOut('missing', 'it was not there at the start')
    expect(await drives.look()).toEqual(['ok', 'ok', 'missing'])
    drives.empty(1, root)
    expect(await drives.look()).toEqual(['ok', 'missing', 'missing'])
  })

  it('is a new drive when another file system is mounted there', async () => {
    const drives = new Drives([mounted(1), mounted(2), mounted(3)])
    for (const position of [0, 1, 2]) await drives.format(position)
    expect(await drives.look()).toEqual(['ok', 'ok', 'ok'])
    drives.empty(2, root)
    expect(await drives.look()).toEqual(['ok', 'ok', 'missing'])
    drives.empty(2, mounted(4))
    expect(await drives.look()).toEqual(['ok', 'ok', 'blank'])
  })

  it('is a new drive where all are directories of one file system', async () => {
    const drives = new Drives([root, root, root])
    for (const position of [0, 1, 2]) await drives.format(position)
    expect(await drives.look()).toEqual(['ok', 'ok', 'ok'])
    drives.empty(2, root)
    expect(await drives.look()).toEqual(['ok', 'ok', 'blank'])
  })

  it('is not mounted where a mounted drive was, although others are directories', async () => {
    const drives = new Drives([root, root, mounted(3)])
    for (const position of [0, 1, 2]) await drives.format(position)
    await drives.look()
    drives.empty(2, root)
    expect(await drives.look()).toEqual(['ok', 'ok', 'missing'])
  })
})
