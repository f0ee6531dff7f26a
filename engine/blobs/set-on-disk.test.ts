/** Shards on a real file system: their large writes go past the page cache, and leave the same files. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { must } from '../../base/assert.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB, MiB } from '../../base/units.ts'
import type { Drive, DriveFile } from '../drives/drive.ts'
import { NodeDrive } from '../drives/node-drive.ts'
import { beginsPage, pageBytes } from '../drives/page-memory.ts'
import { SetMember } from '../drives/set-member.ts'
import { blobDirectories } from './block-layout.ts'
import { chunksOf, contentOf, readAll } from './blob-store-suite.ts'
import { pathOf, SetBlobStore } from './set-blob-store.ts'
import { shardFileBytes } from './shard-layout.ts'
import { newBlockBytes, regionBytes, stripeBuffers, type StripeBuffer } from './stripe-buffers.ts'

interface Write {
  readonly position: number
  readonly sizeBytes: number
  readonly inPages: boolean
}

/** Tells how it is written to. */
class ToldDrive extends NodeDrive {
  readonly writes: Write[] = []

  override async create(path: string): Promise<DriveFile> {
    const file = await super.create(path)
    return {
      write: (bytes, position) => {
        this.writes.push({ position, sizeBytes: bytes.byteLength, inPages: position % pageBytes === 0 && beginsPage(bytes) })
        return file.write(bytes, position)
      },
      writeSynced: (bytes, position) => file.writeSynced(bytes, position),
      read: (target, position) => file.read(target, position),
      readInto: (targets, position) => file.readInto(targets, position),
      sync: () => file.sync(),
      close: () => file.close(),
    }
  }
}

const root = mkdtempSync(join(tmpdir(), 'moraine-set-'))
afterAll(() => rmSync(root, { recursive: true }))

const drives = Array.from({ length: 6 }, (_, position) => {
  const path = join(root, String(position))
  for (const directory of blobDirectories) mkdirSync(join(path, directory), { recursive: true })
  return new ToldDrive(path)
})
const membersOf = (ofDrives: readonly Drive[]): SetMember[] => ofDrives.map((drive, position) => new SetMember({ driveId: String(position), position, label: String(position), drive, clock: systemClock }))
const storeOf = (members: readonly SetMember[]): SetBlobStore => new SetBlobStore({ sets: [{ index: 0, members, parity: { standard: 3, reduced: 1 } }], clock: systemClock, random: systemRandom })

const stripeBytes = 3 * 128 * KiB

describe('SetBlobStore on a file system', () => {
  it.each([0, 1, stripeBytes, 2 * stripeBytes - 1, 2 * stripeBytes, 2 * stripeBytes + 1, 4 * stripeBytes, 5 * MiB + 7])('stores %i bytes in whole pages but for the end, and reads them with any three drives', async (sizeBytes) => {
    for (const drive of drives) drive.writes.length = 0
    const content = contentOf(sizeBytes)
    const ref = await storeOf(membersOf(drives)).write(chunksOf(content, 70_001))
    for (const drive of drives) {
      const writes = drive.writes.toSorted((a, b) => a.position - b.position)
      expect(await drive.sizeOf(pathOf(ref.blobId))).toBe(shardFileBytes(sizeBytes, { dataShards: 3, parityShards: 3, blockBytes: 128 * KiB }))
      expect(writes.every(({ inPages }) => inPages)).toBe(true)
      expect(writes.slice(0, -1).every(({ sizeBytes: bytes }) => bytes % pageBytes === 0 && bytes >= 256 * KiB)).toBe(true)
    }
    for (const lost of [[], [0, 1, 2], [1, 3, 5], [3, 4, 5]]) {
      const members = membersOf(drives)
      for (const position of lost) must(members[position], 'a drive').takeOut('missing', 'a test')
      expect((await readAll(storeOf(members), ref)).equals(content)).toBe(true)
    }
  })

  it('fills the memory of a stream that ended again, but not what a reader that stopped has', async () => {
    const store = storeOf(membersOf(drives))
    const content = contentOf(4 * MiB)
    const ref = await store.write(chunksOf(content, 70_001))
    const kept: Buffer[] = []
    for (let reader = 0; reader < 20; reader++) {
      for await (const bytes of store.read(ref, { offset: 0, length: content.length })) {
        kept.push(bytes)
        break
      }
    }
    for (let again = 0; again < 5; again++) expect((await readAll(store, ref)).equals(content)).toBe(true)
    await store.write(chunksOf(Buffer.alloc(4 * MiB), 70_001))
    expect(kept.length).toBe(20)
    expect(kept.every((bytes) => bytes.equals(content.subarray(0, bytes.length)))).toBe(true)
  })

  it('holds as much for a stream on sixteen drives as on eight', () => {
    const bytes = Array.from({ length: 16 }, (_, index) => index + 1).map((count) => (count + Math.floor(count / 2)) * regionBytes(newBlockBytes(count)))
    expect(Math.max(...bytes)).toBeLessThan(3.2 * MiB)
  })

  it('writes with one buffer for each stream when many are in use, and nothing else changes', async () => {
    const buffers = stripeBuffers(6, 128 * KiB)
    const taken: StripeBuffer[] = []
    while (!buffers.areScarce) taken.push(buffers.take())
    const store = storeOf(membersOf(drives))
    const contents = [1, 2 * stripeBytes, 3 * MiB + 5].map((sizeBytes) => contentOf(sizeBytes))
    const refs = await Promise.all(contents.map((content) => store.write(chunksOf(content, 70_001))))
    for (const [index, ref] of refs.entries()) expect((await readAll(store, ref)).equals(must(contents[index], 'its content'))).toBe(true)
    for (const buffer of taken) buffers.giveBack(buffer)
    expect(buffers.areScarce).toBe(false)
  })
})
