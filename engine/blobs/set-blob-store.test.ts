import { beforeEach, describe, expect, test } from 'vitest'
import { must } from '../../base/assert.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB, MiB } from '../../base/units.ts'
import { DriveError } from '../drives/drive.ts'
import { formatDrive } from '../drives/drive-format.ts'
import type { DriveSet } from '../drives/drive-set.ts'
import { SetMember } from '../drives/set-member.ts'
import { type DriveOperation, SimulatedDrive } from '../drives/simulated-drive.ts'
import { BlobError, type BlobRef } from './blob-store.ts'
import { chunksOf, contentOf, describeBlobStore, readAll } from './blob-store-suite.ts'
import { healBlob } from '../heal/heal-blob.ts'
import { SetBlobStore } from './set-blob-store.ts'
import { shardFramePosition } from './shard-layout.ts'
import { positionOfShard } from './shard-placement.ts'
import { stripesAtOnce } from './stripe-buffers.ts'
import { directoryOf, hashBytes } from './block-layout.ts'

/** Drives whose operations a test can fail or hold up. */
class Rig {
  readonly drives: SimulatedDrive[] = []
  readonly set: DriveSet
  readonly damaged: string[] = []
  readonly store: SetBlobStore
  lookAgain = async (): Promise<void> => {}
  /** By drive: awaited before each operation. */
  readonly interfere: ((operation: DriveOperation, path: string) => Promise<void>)[] = []

  private constructor(drives: number, parity: number, options: { readonly patienceMs?: number; readonly hedgeAfterMs?: number; readonly capacityBytes?: number }) {
    for (let position = 0; position < drives; position++) {
      this.interfere.push(async () => {})
      this.drives.push(new SimulatedDrive({
        beforeOperation: (operation, path) => must(this.interfere[position], 'a drive')(operation, path),
        ...(options.capacityBytes === undefined ? {} : { capacityBytes: options.capacityBytes }),
      }))
    }
    const members = this.drives.map((drive, position) => new SetMember({ driveId: String(position), position, label: `drive ${position}`, drive, clock: systemClock }))
    this.set = { index: 0, members, parity: { standard: parity, reduced: Math.min(parity, 1) } }
    this.store = new SetBlobStore({ lookAgain: () => this.lookAgain(), sets: [this.set], clock: systemClock, random: systemRandom, blockBytes: 64 * KiB, onDamage: (blobId) => this.damaged.push(blobId), ...options })
  }

  static async open(drives: number, parity: number, options = {}): Promise<Rig> {
    const rig = new Rig(drives, parity, options)
    const sets = [rig.drives.map((_, position) => String(position))]
    for (const [position, drive] of rig.drives.entries()) await formatDrive(drive, { format: 2, deploymentId: 'd', driveId: String(position), sets, parity })
    return rig
  }

  fail(position: number, error: DriveError): void {
    this.interfere[position] = () => Promise.reject(error)
  }

  heal(position: number): void {
    this.interfere[position] = async () => {}
  }

  /** Changes a byte of each of the first `count` shards that hold the blob's byte at `position`, data shard first. */
  tamper(ref: BlobRef, position: number, count: number): void {
    if (ref.layout.kind !== 'stripes') throw new Error('a striped blob')
    const { dataShards, parityShards, blockBytes } = ref.layout
    const stripeBytes = dataShards * blockBytes
    const stripe = Math.floor(position / stripeBytes)
    const blockLength = Math.min(blockBytes, Math.ceil((ref.sizeBytes - stripe * stripeBytes) / dataShards))
    const first = Math.floor((position - stripe * stripeBytes) / blockLength)
    for (let step = 0; step < count; step++) {
      const shard = (first + step) % (dataShards + parityShards)
      const inBlock = step === 0 ? (position - stripe * stripeBytes) % blockLength : 0
      this.driveOf(ref, shard).flipByte(this.path(ref), shardFramePosition(stripe, blockBytes) + hashBytes + inBlock)
    }
  }

  driveOf(ref: BlobRef, shard: number): SimulatedDrive {
    return must(this.drives[positionOfShard(ref.blobId, shard, this.drives.length)], 'a drive of the shard')
  }

  path({ blobId }: BlobRef): string {
    return `${directoryOf(blobId)}/${blobId}`
  }

  write(content: Buffer): Promise<BlobRef> {
    return this.store.write(chunksOf(content, 50_000))
  }

  /** How many drives hold a file of the blob. */
  async shards(ref: BlobRef): Promise<number> {
    const sizes = await Promise.all(this.drives.map((drive) => drive.sizeOf(this.path(ref)).catch(() => undefined)))
    return sizes.filter((size) => size !== undefined).length
  }
}

for (const [drives, parity] of [[2, 1], [4, 2], [6, 2], [16, 4]] as const) {
  const rigs = new WeakMap<SetBlobStore, Rig>()
  describeBlobStore(`SetBlobStore of ${drives - parity}+${parity}`, {
    open: async () => {
      const rig = await Rig.open(drives, parity)
      rigs.set(rig.store, rig)
      return rig.store
    },
    tamper: async (store, ref, position) => must(rigs.get(store as SetBlobStore), 'a rig').tamper(ref, position, parity + 1),
  })
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

const gone = new DriveError('Io', 'the drive is gone')

describe('a set of 4+2', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = await Rig.open(6, 2)
  })

  test('reads every byte with any two drives failing, missing their files or corrupt', async () => {
    const content = contentOf(2 * MiB + 12_345)
    const ref = await rig.write(content)
    for (let one = 0; one < 6; one++) {
      for (let other = one + 1; other < 6; other++) {
        for (const position of [one, other]) rig.fail(position, gone)
        expect((await readAll(rig.store, ref)).equals(content)).toBe(true)
        for (const position of [one, other]) {
          rig.heal(position)
          rig.set.members[position]?.takeBack()
        }
      }
    }
    for (let stripe = 0; stripe < 9; stripe++) rig.tamper(ref, stripe * 256 * KiB + stripe * 7_000, 2)
    expect((await readAll(rig.store, ref)).equals(content)).toBe(true)
    expect(new Set(rig.damaged)).toEqual(new Set([ref.blobId]))
    const other = await rig.write(content)
    for (const shard of [1, 4]) await rig.driveOf(other, shard).remove(rig.path(other))
    expect((await readAll(rig.store, other)).equals(content)).toBe(true)
    expect(new Set(rig.damaged)).toEqual(new Set([ref.blobId, other.blobId]))
  })

  test('a read that took the place of a late one is replaced as well when it hangs, whatever became of the late one', { timeout: 30_000 }, async () => {
    const slow = await Rig.open(6, 2, { hedgeAfterMs: 20 })
    const content = contentOf(200_000)
    const ref = await slow.write(content)
    slow.tamper(ref, 0, 1)
    const [late, forever] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const on = (shard: number, read: () => Promise<void>): void => {
      slow.interfere[positionOfShard(ref.blobId, shard, 6)] = (operation) => (operation === 'read' ? read() : Promise.resolve())
    }
    on(0, () => late.promise)
    let replacements = 0
    for (const shard of [4, 5]) on(shard, () => {
      if (++replacements > 1) return Promise.resolve()
      late.resolve()
      return forever.promise
    })
    const reading = readAll(slow.store, ref)
    await expect.poll(() => replacements, { timeout: 20_000 }).toBe(2)
    forever.resolve()
    expect((await reading).equals(content)).toBe(true)
  })

  test('a range reads only the block it needs', async () => {
    const ref = await rig.write(contentOf(3 * MiB))
    const reads: string[] = []
    for (const position of rig.interfere.keys()) {
      rig.interfere[position] = async (operation) => {
        if (operation === 'read') reads.push(String(position))
      }
    }
    await readAll(rig.store, ref, { offset: MiB + 5, length: 100 })
    expect(reads).toHaveLength(1)
  })

  test('with three drives gone it says that it cannot read, and with three shards gone that they are', async () => {
    const ref = await rig.write(contentOf(MiB))
    for (const position of [0, 1, 2]) rig.fail(position, gone)
    expect(await codeOf(readAll(rig.store, ref))).toBe('Unreadable')
    for (const position of [0, 1, 2]) rig.heal(position)
    for (const member of rig.set.members) member.takeBack()
    for (const shard of [0, 1, 2]) await rig.driveOf(ref, shard).remove(rig.path(ref))
    expect(await codeOf(readAll(rig.store, ref))).toBe('NotFound')
  })

  test('looks again before it refuses: drives that are back are used, and those that have gone unnoticed lose nothing', async () => {
    const rig = await Rig.open(4, 2)
    const content = contentOf(300_000)
    const ref = await rig.store.write(chunksOf(content, 9999))
    for (const member of rig.set.members.slice(0, 3)) member.takeOut('missing', 'a test')
    expect(await codeOf(readAll(rig.store, ref))).toBe('Unreadable')
    expect(await codeOf(rig.store.write(chunksOf(content, 9999)))).toBe('Unwritable')
    rig.lookAgain = async () => must(rig.set.members[0], 'a drive').takeBack()
    expect((await readAll(rig.store, ref)).equals(content)).toBe(true)
    rig.lookAgain = async () => must(rig.set.members[1], 'a drive').takeBack()
    expect((await readAll(rig.store, await rig.store.write(chunksOf(content, 9999)))).equals(content)).toBe(true)
    // Three directories are empty, and nobody has noticed: not a blob that is lost, but drives that are away.
    for (const member of rig.set.members) member.takeBack()
    for (const position of [0, 1, 2]) rig.fail(position, new DriveError('NotFound', 'gone'))
    expect(await codeOf(readAll(rig.store, ref))).toBe('NotFound')
    rig.lookAgain = async () => {
      for (const member of rig.set.members.slice(0, 3)) member.takeOut('missing', 'gone')
    }
    expect(await codeOf(readAll(rig.store, ref))).toBe('Unreadable')
  })

  test('acknowledges with two drives failing in the middle, which are taken out, and refuses with three', async () => {
    for (const failing of [1, 2, 3]) {
      for (const operation of ['create', 'write', 'sync', 'syncDirectory'] as const) {
        const fresh = await Rig.open(6, 2)
        for (let position = 0; position < failing; position++) {
          fresh.interfere[position] = async (begun) => {
            if (begun === operation) throw gone
          }
        }
        const content = contentOf(MiB + 7)
        const outcome = await fresh.write(content).catch((error: unknown) => error)
        const out = fresh.set.members.filter(({ condition }) => condition.kind === 'out').map(({ position }) => position)
        expect(out).toEqual([0, 1, 2].slice(0, failing))
        if (failing === 3) {
          expect(outcome).toMatchObject({ code: 'Unwritable' })
          for (let position = 0; position < failing; position++) fresh.heal(position)
          for (const member of fresh.set.members) member.takeBack()
          expect(await Array.fromAsync(fresh.store.list())).toEqual([])
          continue
        }
        const ref = outcome as BlobRef
        expect(fresh.damaged).toEqual([ref.blobId])
        expect((await readAll(fresh.store, ref)).equals(content)).toBe(true)
        for (const [position, member] of fresh.set.members.entries()) {
          fresh.heal(position)
          member.takeBack()
        }
        const { outcome: healed, found } = await healBlob({ set: fresh.set, blobId: ref.blobId, verify: false, clock: systemClock, random: systemRandom })
        expect([healed, found.missing + found.corrupt]).toEqual(['healed', failing])
      }
    }
  })

  test('what a drive that hung does at last neither passes for a shard nor removes the one that was healed meanwhile', async () => {
    for (const isHealedFirst of [true, false]) {
      const slow = await Rig.open(6, 2, { patienceMs: 60, hedgeAfterMs: 20 })
      const hold = Promise.withResolvers<void>()
      slow.interfere[4] = (operation) => (operation === 'sync' ? hold.promise : Promise.resolve())
      const ref = await slow.write(contentOf(300_000))
      slow.interfere[4] = async () => {}
      slow.set.members[4]?.takeBack()
      const heal = () => healBlob({ set: slow.set, blobId: ref.blobId, verify: false, clock: systemClock, random: systemRandom })
      if (isHealedFirst) {
        slow.drives[4]?.flipByte(slow.path(ref), 0)
        expect(await heal()).toMatchObject({ outcome: 'healed' })
      }
      hold.reject(new DriveError('Io', 'a failed sync'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      slow.set.members[4]?.takeBack()
      expect(await heal()).toMatchObject({ outcome: isHealedFirst ? 'whole' : 'healed' })
      expect(await heal()).toMatchObject({ outcome: 'whole' })
    }
  })

  test('a shard has no end while an earlier part of it may be missing', async () => {
    const slow = await Rig.open(6, 2, { patienceMs: 60, hedgeAfterMs: 20 })
    const hold = Promise.withResolvers<void>()
    let writes = 0
    slow.interfere[4] = (operation) => (operation === 'write' && writes++ === 1 ? hold.promise : Promise.resolve())
    const ref = await slow.write(contentOf(2 * stripesAtOnce * 4 * 64 * KiB + 100_000))
    slow.set.members[4]?.takeBack()
    expect(await healBlob({ set: slow.set, blobId: ref.blobId, verify: false, clock: systemClock, random: systemRandom })).toMatchObject({ outcome: 'healed', found: { corrupt: 1 } })
    hold.resolve()
  })

  test('a drive that hangs is waited for, then taken out', async () => {
    const slow = await Rig.open(6, 2, { patienceMs: 60, hedgeAfterMs: 20 })
    const hold = Promise.withResolvers<void>()
    slow.interfere[4] = () => hold.promise
    const content = contentOf(3 * MiB)
    const ref = await slow.write(content)
    expect(slow.set.members[4]?.condition).toMatchObject({ kind: 'out', reason: 'slow' })
    slow.set.members[4]?.takeBack()
    expect((await readAll(slow.store, ref)).equals(content)).toBe(true)
    hold.resolve()
  })

  test('is full when too few drives have room, and goes on reading and deleting', async () => {
    const small = await Rig.open(6, 2, { capacityBytes: 700_000 })
    const content = contentOf(MiB)
    const ref = await small.write(content)
    expect(await codeOf(small.write(contentOf(2 * MiB)))).toBe('Full')
    expect(small.set.members.map(({ condition }) => condition.kind)).toContain('full')
    expect((await readAll(small.store, ref)).equals(content)).toBe(true)
    await small.store.delete(ref.blobId)
    for (const member of small.set.members) member.takeBack()
    await small.write(content)
  })

  test('reduced redundancy has its own parity', async () => {
    const ref = await rig.store.write(chunksOf(contentOf(MiB), 9_999), 'reduced')
    expect(ref.layout).toMatchObject({ dataShards: 5, parityShards: 1 })
    rig.fail(3, gone)
    expect((await readAll(rig.store, ref)).equals(contentOf(MiB))).toBe(true)
  })
})

describe('durability', () => {
  test('every acknowledged blob is whole after a power loss, on every drive that was not taken out', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const rig = await Rig.open(4, 2)
      const content = contentOf(300_000 + seed)
      const ref = await rig.write(content)
      const random = new SeededRandom(seed)
      const members = rig.drives.map((drive, position) => new SetMember({ driveId: String(position), position, label: '', drive: drive.crash(random), clock: systemClock }))
      const damaged: string[] = []
      const store = new SetBlobStore({ sets: [{ ...rig.set, members }], clock: systemClock, random: systemRandom, onDamage: (blobId) => damaged.push(blobId) })
      expect((await readAll(store, ref)).equals(content)).toBe(true)
      expect(damaged).toEqual([])
      for await (const { storedBytes } of store.list()) expect(storedBytes).toBeGreaterThan(2 * content.length)
    }
  })
})
