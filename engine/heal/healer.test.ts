import { describe, expect, it, vi } from 'vitest'
import { must } from '../../base/assert.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB, MiB } from '../../base/units.ts'
import { directoryOf } from '../blobs/block-layout.ts'
import type { BlobRef } from '../blobs/blob-store.ts'
import { chunksOf, contentOf, readAll } from '../blobs/blob-store-suite.ts'
import { membersByShard, SetBlobStore } from '../blobs/set-blob-store.ts'
import { shardFileBytes } from '../blobs/shard-layout.ts'
import { formatDrive } from '../drives/drive-format.ts'
import type { DriveSet } from '../drives/drive-set.ts'
import { SetMember } from '../drives/set-member.ts'
import { SimulatedDrive } from '../drives/simulated-drive.ts'
import { healBlob, type HealedBlob } from './heal-blob.ts'
import { Healer } from './healer.ts'
import { planHeal, type ShardState } from './plan-heal.ts'

async function openSet(count: number, parity: number) {
  const drives: SimulatedDrive[] = []
  for (let position = 0; position < count; position++) drives.push(await blank(position, count, parity))
  return assemble(drives, parity)
}

function assemble(drives: SimulatedDrive[], parity: number) {
  const members = drives.map((drive, position) => new SetMember({ driveId: String(position), position, label: `drive ${position}`, drive, clock: systemClock }))
  const set: DriveSet = { index: 0, members, parity: { standard: parity, reduced: 1 } }
  const healer = new Healer({ sets: [set], clock: systemClock, random: systemRandom, restFactor: 0 })
  const store = new SetBlobStore({ sets: [set], clock: systemClock, random: systemRandom, blockBytes: 16 * KiB, onDamage: (blobId, index, kind) => healer.report(blobId, index, kind) })
  return { drives, set, store, healer, members }
}

async function blank(position: number, count: number, parity: number): Promise<SimulatedDrive> {
  const drive = new SimulatedDrive()
  await formatDrive(drive, { format: 2, deploymentId: 'd', driveId: String(position), sets: [Array.from({ length: count }, (_, index) => String(index))], parity })
  return drive
}

type Rig = Awaited<ReturnType<typeof openSet>>

const driveOf = ({ set, drives }: Rig, { blobId }: BlobRef, shard: number): SimulatedDrive => must(drives[must(membersByShard(set, blobId)[shard], 'a shard').position], 'a drive')
const pathOf = ({ blobId }: BlobRef): string => `${directoryOf(blobId)}/${blobId}`
const heal = ({ set }: Rig, { blobId }: BlobRef, verify: boolean) => healBlob({ set, blobId, verify, clock: systemClock, random: systemRandom })

async function shardsOf(rig: Rig, ref: BlobRef): Promise<string[]> {
  return Promise.all(membersByShard(rig.set, ref.blobId).map(async ({ drive }) => {
    const bytes = Buffer.alloc(await drive.sizeOf(pathOf(ref)))
    const file = await drive.open(pathOf(ref))
    await file.read(bytes, 0)
    return bytes.toString('base64')
  }))
}

const walk = ({ healer }: Rig, kind: 'missing' | 'everything') => healer.walk({ kind, onProgress: async () => {}, signal: new AbortController().signal })

describe('planHeal', () => {
  const all: readonly ShardState[] = ['good', 'missing', 'corrupt', 'absent']

  it('rebuilds what is wrong when enough is good, waits for drives, and gives up on nothing that could be there', () => {
    const states = all.flatMap((a) => all.flatMap((b) => all.flatMap((c) => all.map((d) => [a, b, c, d] as const))))
    for (const shards of states) {
      const plan = planHeal(shards, [true, true, true, true], 2)
      const good = shards.filter((state) => state === 'good').length
      const absent = shards.filter((state) => state === 'absent').length
      const wrong = shards.flatMap((state, shard) => (state === 'missing' || state === 'corrupt' ? [shard] : []))
      if (good + absent < 2) expect(plan.kind).toBe('hopeless')
      else if (good < 2) expect(plan.kind).toBe('wait')
      else if (wrong.length > 0) expect(plan).toEqual({ kind: 'rebuild', shards: wrong })
      else expect(plan.kind).toBe(good === 4 ? 'whole' : 'wait')
    }
    expect(planHeal(['good', 'good', 'missing'], [true, true, false], 2)).toEqual({ kind: 'wait' })
  })
})

describe('healBlob', () => {
  it.each([0, 1, 5000, 64 * KiB, 64 * KiB + 1, MiB + 7])('makes the shards of a blob of %i bytes again, byte for byte', async (sizeBytes) => {
    const rig = await openSet(6, 2)
    const ref = await rig.store.write(chunksOf(contentOf(sizeBytes), 9999))
    const before = await shardsOf(rig, ref)
    for (let one = 0; one < 6; one++) {
      const other = (one + 2) % 6
      await driveOf(rig, ref, one).remove(pathOf(ref))
      await driveOf(rig, ref, other).remove(pathOf(ref))
      expect(await heal(rig, ref, false)).toMatchObject({ outcome: 'healed', found: { missing: 2 } })
      expect(await shardsOf(rig, ref)).toEqual(before)
    }
    expect(await heal(rig, ref, true)).toMatchObject({ outcome: 'whole' })
  })

  it('finds every changed byte of a shard, and mends it', async () => {
    const rig = await openSet(4, 2)
    const ref = await rig.store.write(chunksOf(contentOf(40_000), 9999))
    const before = await shardsOf(rig, ref)
    if (ref.layout.kind !== 'stripes') throw new Error('a striped blob')
    const bytes = shardFileBytes(ref.sizeBytes, ref.layout)
    for (let position = 0; position < bytes; position += position < 100 || position > bytes - 40 ? 1 : 997) {
      driveOf(rig, ref, 1).flipByte(pathOf(ref), position)
      expect(await heal(rig, ref, true)).toMatchObject({ outcome: 'healed', found: { corrupt: 1 } })
    }
    expect(await shardsOf(rig, ref)).toEqual(before)
  })

  it('mends a blob each of whose shards is damaged somewhere', async () => {
    const rig = await openSet(6, 2)
    const content = contentOf(6 * 64 * KiB)
    const ref = await rig.store.write(chunksOf(content, 9999))
    for (let shard = 0; shard < 6; shard++) driveOf(rig, ref, shard).flipByte(pathOf(ref), 64 + shard * (16 * KiB + 8) + 100)
    expect(await heal(rig, ref, true)).toMatchObject({ outcome: 'healed', found: { corrupt: 6 } })
    expect(await heal(rig, ref, true)).toMatchObject({ outcome: 'whole' })
    expect((await readAll(rig.store, ref)).equals(content)).toBe(true)
  })

  it('touches nothing when too little is left', async () => {
    const rig = await openSet(4, 2)
    const ref = await rig.store.write(chunksOf(contentOf(100_000), 9999))
    for (const shard of [0, 1, 2]) await driveOf(rig, ref, shard).remove(pathOf(ref))
    expect(await heal(rig, ref, true)).toMatchObject({ outcome: 'hopeless' })
    expect(await driveOf(rig, ref, 3).sizeOf(pathOf(ref))).toBeGreaterThan(0)
  })

  it('waits for a drive that is out', async () => {
    const rig = await openSet(4, 2)
    const ref = await rig.store.write(chunksOf(contentOf(100_000), 9999))
    const away = must(membersByShard(rig.set, ref.blobId)[2], 'a shard')
    away.takeOut('missing', 'unplugged')
    expect(await heal(rig, ref, false)).toMatchObject({ outcome: 'waiting', found: { absent: 1 } })
    away.takeBack()
    expect(await heal(rig, ref, false)).toMatchObject({ outcome: 'whole' })
  })
})

describe('Healer', () => {
  it('rests after every few stripes, and four times as long while clients are served', async () => {
    const rig = await openSet(4, 2)
    const ref = await rig.store.write(chunksOf(contentOf(MiB), 9999))
    const restsWhile = async (foreground: { readonly isBusy: boolean } | undefined): Promise<number[]> => {
      const rests: number[] = []
      let nowMs = 0
      // Any look at the clock takes a millisecond. A healer waits for a read for hours, and for nothing else.
      const clock = { ...systemClock, monotonicMs: () => nowMs++, sleep: (ms: number, signal?: AbortSignal) => (ms > 60_000 ? systemClock.sleep(ms, signal) : Promise.resolve(void rests.push(ms))) }
      await driveOf(rig, ref, 1).remove(pathOf(ref))
      const healer = new Healer({ sets: [rig.set], clock, random: systemRandom, ...(foreground === undefined ? {} : { foreground }) })
      expect(await healer.heal(ref.blobId, 0, false)).toMatchObject({ outcome: 'healed' })
      return rests
    }
    const [idle, busy] = [await restsWhile({ isBusy: false }), await restsWhile({ isBusy: true })]
    expect(idle).toEqual(await restsWhile(undefined))
    expect(idle.length).toBeGreaterThan(10)
    expect(busy).toEqual(idle.map((restMs) => 4 * restMs))
  })

  it('fills a replaced drive', async () => {
    const rig = await openSet(6, 2)
    const contents = Array.from({ length: 30 }, (_, index) => contentOf(30_000 + index * 7000, index))
    const refs = await Promise.all(contents.map((content) => rig.store.write(chunksOf(content, 9999))))
    for (const replaced of [[2], [0, 5]]) {
      const drives = await Promise.all(rig.drives.map(async (drive, position) => (replaced.includes(position) ? blank(position, 6, 2) : drive)))
      const fresh = assemble(drives, 2)
      expect(await walk(fresh, 'missing')).toMatchObject({ done: 256, checkedBlobs: 30, healedBlobs: 30, hopelessBlobs: 0 })
      expect(await walk(fresh, 'everything')).toMatchObject({ checkedBlobs: 30, healedBlobs: 0 })
      for (const [index, ref] of refs.entries()) expect((await readAll(fresh.store, ref)).equals(must(contents[index], 'its content'))).toBe(true)
      rig.drives.splice(0, 6, ...drives)
    }
  })

  it('finds shards that were never finished in a comparison of the drives', async () => {
    const rig = await openSet(4, 2)
    const ref = await rig.store.write(chunksOf(contentOf(200_000), 9999))
    const before = await shardsOf(rig, ref)
    const cuts = [0, 10, 64, Math.floor((before[1] ?? '').length / 2)]
    for (const length of cuts) {
      const drive = driveOf(rig, ref, 1)
      await drive.remove(pathOf(ref))
      const file = await drive.create(pathOf(ref))
      await file.write(Buffer.from(before[1] ?? '', 'base64').subarray(0, length), 0)
      await file.close()
      expect(await walk(rig, 'missing')).toMatchObject({ checkedBlobs: 1, healedBlobs: 1 })
      expect(await shardsOf(rig, ref)).toEqual(before)
    }
    driveOf(rig, ref, 2).flipByte(pathOf(ref), 20)
    expect(await walk(rig, 'missing')).toMatchObject({ checkedBlobs: 1, healedBlobs: 1 })
    expect(await walk(rig, 'missing')).toMatchObject({ checkedBlobs: 1, healedBlobs: 0 })
  })

  it('resumes a walk where it was', async () => {
    const rig = await openSet(4, 2)
    for (let index = 0; index < 20; index++) await rig.store.write(chunksOf(contentOf(20_000), 9999))
    const stop = new AbortController()
    const first = await rig.healer.walk({ kind: 'everything', signal: stop.signal, onProgress: async ({ done }) => { if (done === 100) stop.abort() } })
    expect(first.done).toBe(100)
    const second = await rig.healer.walk({ kind: 'everything', from: JSON.parse(JSON.stringify(first)) as typeof first, signal: new AbortController().signal, onProgress: async () => {} })
    expect(second).toMatchObject({ done: 256, checkedBlobs: 20, healedBlobs: 0 })
  })

  it('heals what a read or a write reports', async () => {
    const rig = await openSet(6, 2)
    const ref = await rig.store.write(chunksOf(contentOf(300_000), 9999))
    driveOf(rig, ref, 0).flipByte(pathOf(ref), 500)
    await readAll(rig.store, ref)
    expect(rig.healer.queuedBlobs).toBe(1)
    must(rig.members[3], 'a drive').takeOut('failing', 'a test')
    const lacking = await rig.store.write(chunksOf(contentOf(50_000), 9999))
    must(rig.members[3], 'a drive').takeBack()
    const stop = new AbortController()
    const running = rig.healer.run(stop.signal)
    await expect.poll(() => rig.healer.healedBlobs).toBe(2)
    stop.abort()
    await running
    for (const healed of [ref, lacking]) expect(await heal(rig, healed, true)).toMatchObject({ outcome: 'whole' })
  })

  it('reads nothing through for the want of a drive that is out, and everything for a bad block', async () => {
    const rig = await openSet(6, 2)
    const whole = await rig.store.write(chunksOf(contentOf(300_000), 9999))
    // Not the one with the shard that is read and found bad.
    must(membersByShard(rig.set, whole.blobId)[5], 'a drive').takeOut('failing', 'a test')
    const lacking = await rig.store.write(chunksOf(contentOf(300_000), 9999))
    // A shard that the read meets: not that of the drive that is out.
    const damaged = driveOf(rig, whole, 0) === rig.drives[3] ? 1 : 0
    driveOf(rig, whole, damaged).flipByte(pathOf(whole), 500)
    await readAll(rig.store, whole)
    const healing = vi.spyOn(rig.healer, 'heal')
    const stop = new AbortController()
    const running = rig.healer.run(stop.signal)
    await expect.poll(() => healing.mock.settledResults.filter(({ type }) => type === 'fulfilled').length, { timeout: 10_000 }).toBe(2)
    stop.abort()
    await running
    const [first, second] = healing.mock.settledResults.map(({ value }) => value as HealedBlob)
    expect(healing.mock.calls.map(([blobId, , verify]) => [blobId, verify])).toEqual([[lacking.blobId, false], [whole.blobId, true]])
    expect(first).toMatchObject({ outcome: 'waiting', movedBytes: 0 })
    expect(second?.found.corrupt).toBe(1)
  })
})
