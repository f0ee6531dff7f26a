import { mkdtempSync, openSync, readSync, rmSync, writeSync, closeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { must } from '../../base/assert.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB, MiB } from '../../base/units.ts'
import { openDrive } from '../drives/drive-format.ts'
import { DriveError } from '../drives/drive.ts'
import { NodeDrive } from '../drives/node-drive.ts'
import { SimulatedDrive } from '../drives/simulated-drive.ts'
import type { SimulatedDriveOptions } from '../drives/simulated-drive.ts'
import { blobDirectories, decodeHeader, directoryOf, encodeHeader, fileBytes, framePosition, hashBytes, headerBytes } from './block-layout.ts'
import { chunksOf, contentOf, describeBlobStore, readAll } from './blob-store-suite.ts'
import type { BlobRef, BlobStore } from './blob-store.ts'
import { DriveBlobStore } from './drive-blob-store.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-blobs-'))
afterAll(() => rmSync(root, { recursive: true }))

/** One formatted drive for all tests, emptied for each: 257 directories are slow to make and remove. */
const drive = new NodeDrive(root)

async function openNode(blockBytes?: number): Promise<DriveBlobStore> {
  await openDrive(drive, systemRandom)
  const store = new DriveBlobStore({ drive, clock: systemClock, random: systemRandom, ...(blockBytes === undefined ? {} : { blockBytes }) })
  for await (const { blobId } of store.list()) await store.delete(blobId)
  return store
}

function fileOf({ blobId }: BlobRef): string {
  return `${directoryOf(blobId)}/${blobId}`
}

function positionInFile({ layout: { blockBytes } }: BlobRef, position: number): number {
  return framePosition(Math.floor(position / blockBytes), blockBytes) + hashBytes + (position % blockBytes)
}

const tamperNode = async (_store: BlobStore, ref: BlobRef, position: number): Promise<void> => {
  const file = openSync(join(root, fileOf(ref)), 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, positionInFile(ref, position))
  byte[0] = (byte[0] ?? 0) ^ 1
  writeSync(file, byte, 0, 1, positionInFile(ref, position))
  closeSync(file)
}

describeBlobStore('DriveBlobStore on a file system', { open: () => openNode(), tamper: tamperNode })
describeBlobStore('DriveBlobStore with small blocks', { open: () => openNode(64 * KiB), tamper: tamperNode })

test.each([511, 512, 513, 1024, 1535, 3000])('blobs of about %i KiB, in pieces of any length, are read as they were written', async (sizeKiB) => {
  const store = await openNode()
  const content = contentOf(sizeKiB * KiB + 17)
  const lengths = new SeededRandom(sizeKiB)
  const pieces = async function* () {
    for (let at = 0; at < content.length; ) {
      const end = at + 1 + lengths.integer(200 * KiB)
      yield content.subarray(at, end)
      at = end
    }
  }
  const ref = await store.write(pieces())
  expect((await readAll(store, ref)).equals(content)).toBe(true)
})

async function openSimulated(options: SimulatedDriveOptions = {}): Promise<{ drive: SimulatedDrive; store: DriveBlobStore }> {
  const drive = new SimulatedDrive(options)
  await openDrive(drive, systemRandom)
  return { drive, store: storeOn(drive) }
}

function storeOn(drive: SimulatedDrive): DriveBlobStore {
  return new DriveBlobStore({ drive, clock: systemClock, random: systemRandom, blockBytes: 4 * KiB })
}

const simulated = new Map<BlobStore, SimulatedDrive>()
describeBlobStore('DriveBlobStore on a simulated drive', {
  open: async () => {
    const { drive, store } = await openSimulated()
    simulated.set(store, drive)
    return store
  },
  tamper: async (store, ref, position) => must(simulated.get(store), 'the harness opened it').flipByte(fileOf(ref), positionInFile(ref, position)),
})

describe('durability', () => {
  test('a written blob survives a power loss', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { drive, store } = await openSimulated()
      const contents = [contentOf(10_000), contentOf(20_000), contentOf(0)]
      const refs = await Promise.all(contents.map((content) => store.write(chunksOf(content, 3000))))
      const recovered = storeOn(drive.crash(new SeededRandom(seed)))
      for (const [i, ref] of refs.entries()) expect((await readAll(recovered, ref)).equals(must(contents[i], 'its content'))).toBe(true)
    }
  })

  test('the check above notices a missing file sync and a missing directory sync', async () => {
    for (const mutation of [{ ignoreSync: true }, { ignoreDirectorySync: true }]) {
      let lost = 0
      for (let seed = 0; seed < 20; seed++) {
        const formatted = new SimulatedDrive()
        await openDrive(formatted, systemRandom)
        const drive = formatted.crash(new SeededRandom(seed), mutation)
        const ref = await storeOn(drive).write(chunksOf(contentOf(10_000), 3000))
        await readAll(storeOn(drive.crash(new SeededRandom(seed))), ref).catch(() => lost++)
      }
      expect(lost).toBeGreaterThan(0)
    }
  })

  test('writers of one directory share its syncs, but never one that began before their entry', async () => {
    const syncs: string[] = []
    const { store } = await openSimulated({
      beforeOperation: async (operation, path) => {
        if (operation === 'syncDirectory') syncs.push(path)
        await new Promise(setImmediate)
      },
    })
    syncs.length = 0
    const refs = await Promise.all(Array.from({ length: 2000 }, () => store.write(chunksOf(Buffer.from('x'), 1))))
    expect(new Set(syncs).size).toBe(new Set(refs.map(({ blobId }) => directoryOf(blobId))).size)
    expect(syncs.length).toBeLessThan(1000)
  })
})

describe('the drive\'s failures', () => {
  test('no space: Full, nothing stays, and deletes make room', async () => {
    const { drive, store } = await openSimulated({ capacityBytes: 100 * KiB })
    const ref = await store.write(chunksOf(contentOf(60_000), 5000))
    await expect(store.write(chunksOf(contentOf(60_000), 5000))).rejects.toMatchObject({ name: 'BlobError', code: 'Full' })
    expect(await Array.fromAsync(store.list())).toMatchObject([{ blobId: ref.blobId }])
    await store.delete(ref.blobId)
    expect((await readAll(store, await store.write(chunksOf(contentOf(60_000), 5000)))).length).toBe(60_000)
    expect((await drive.list('blobs')).length).toBe(256)
  })

  test('an I/O error in a write or a sync fails the blob', async () => {
    for (const failing of ['create', 'write', 'sync', 'syncDirectory']) {
      const state: { armed: boolean } = { armed: false }
      const { store } = await openSimulated({
        beforeOperation: async (operation) => {
          if (state.armed && operation === failing) throw new DriveError('Io', 'EIO')
        },
      })
      state.armed = true
      await expect(store.write(chunksOf(contentOf(50_000), 5000))).rejects.toMatchObject({ name: 'BlobError', code: 'Io' })
      state.armed = false
      expect(await Array.fromAsync(store.list())).toEqual([])
    }
  })

  test('a block of another blob, or of another place, is Corrupt', async () => {
    const { drive, store } = await openSimulated()
    const content = Buffer.alloc(8 * KiB, 'same')
    const [one, other] = [await store.write(chunksOf(content, 8 * KiB)), await store.write(chunksOf(content, 8 * KiB))]
    const frame = Buffer.alloc(hashBytes + 4 * KiB)
    const source = await drive.open(fileOf(other))
    await source.read(frame, framePosition(0, 4 * KiB))
    const target = await drive.open(fileOf(one))
    await target.write(frame, framePosition(0, 4 * KiB))
    await expect(readAll(store, one)).rejects.toMatchObject({ code: 'Corrupt' })
    await target.read(frame, framePosition(1, 4 * KiB))
    await target.write(frame, framePosition(0, 4 * KiB))
    await expect(readAll(store, one)).rejects.toMatchObject({ code: 'Corrupt' })
  })

  test('a file that is cut short is Corrupt', async () => {
    const { store } = await openSimulated()
    const ref = await store.write(chunksOf(contentOf(10_000), 5000))
    await expect(readAll(store, { ...ref, sizeBytes: 20_000 })).rejects.toMatchObject({ code: 'Corrupt' })
  })
})

test('a stream holds a bounded number of blocks and follows its consumer', async () => {
  const reads = { started: 0 }
  const { store } = await openSimulated({
    beforeOperation: async (operation) => {
      if (operation === 'read') reads.started++
    },
  })
  const ref = await store.write(chunksOf(contentOf(MiB), 64 * KiB))
  let taken = 0
  for await (const _ of store.read(ref, { offset: 0, length: MiB })) {
    taken++
    await new Promise(setImmediate)
    expect(reads.started - taken).toBeLessThan(4)
  }
  expect(taken).toBe(64)
  reads.started = 0
  await readAll(store, ref, { offset: 500_000, length: 1 })
  expect(reads.started).toBe(1)
})

/** Never to change: a blob "Moraine" as format 1 wrote it. */
const golden = [
  '4d4f5241494e4542010000000010000030314152595a365334315a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a000000000000',
  '0000000000000000169df8feedc39de7810251d0bb6c44984d6f7261696e65',
].join('')

describe('the file of a blob', () => {
  const blobId = '01ARYZ6S41ZZZZZZZZZZZZZZZZ'

  test('begins with a header that says what it is', () => {
    const header = Buffer.alloc(headerBytes, 0xff)
    encodeHeader(header, blobId, 4096)
    expect(decodeHeader(header)).toEqual({ blobId, blockBytes: 4096 })
    for (const position of [0, 9, 13, 20, 50, 60]) {
      const changed = Buffer.from(header)
      changed[position] = (changed[position] ?? 0) ^ 1
      expect(() => decodeHeader(changed)).toThrow(expect.objectContaining({ code: 'Corrupt' }))
    }
  })

  test('keeps its format: format 1 as first written', async () => {
    const drive = new SimulatedDrive()
    await openDrive(drive, systemRandom)
    const clock = { ...systemClock, nowMs: () => 1_469_918_176_385 }
    const store = new DriveBlobStore({ drive, clock, random: { bytes: (count) => new Uint8Array(count).fill(255) }, blockBytes: 4 * KiB })
    const ref = await store.write(chunksOf(Buffer.from('Moraine'), 7))
    const file = Buffer.alloc(fileBytes(7, 4 * KiB))
    expect(await drive.sizeOf(`blobs/ff/${blobId}`)).toBe(file.length)
    await (await drive.open(`blobs/ff/${blobId}`)).read(file, 0)
    expect(ref.blobId).toBe(blobId)
    expect(file.toString('hex')).toBe(golden)
  })

  test('lies in one of 256 directories by the random end of its id', () => {
    expect(new Set(blobDirectories).size).toBe(256)
    const random = new SeededRandom(3)
    const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
    const seen = new Set(Array.from({ length: 5000 }, () => directoryOf(`01ARYZ6S41ZZZZZZZZZZZZZZ${alphabet[random.integer(32)]}${alphabet[random.integer(32)]}`)))
    expect(seen).toEqual(new Set(blobDirectories))
  })
})
