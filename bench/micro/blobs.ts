/**
 * What the size of a blob's blocks costs: streaming 10 MiB blobs, and reading one byte.
 *
 *     node bench/micro/blobs.ts [--directory DIR]
 *
 * CPU seconds say more than rates on a machine that does other work; both cover all threads.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock, systemRandom } from '../../base/system.ts'
import { GiB, KiB, MiB } from '../../base/units.ts'
import type { BlobRef, BlobStore } from '../../engine/blobs/blob-store.ts'
import { DriveBlobStore } from '../../engine/blobs/drive-blob-store.ts'
import { openDrive } from '../../engine/drives/drive-format.ts'
import { NodeDrive } from '../../engine/drives/node-drive.ts'

const { values: options } = parseArgs({ options: { directory: { type: 'string', default: tmpdir() } } })
const blobBytes = 10 * MiB
const blobs = 10
const rounds = 20
const chunk = Buffer.alloc(64 * KiB, 'body')

async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let sent = 0; sent < blobBytes; sent += chunk.length) yield chunk
}

async function readAll(store: BlobStore, ref: BlobRef, offset = 0, length = ref.sizeBytes): Promise<number> {
  let count = 0
  for await (const block of store.read(ref, { offset, length })) count += block.length
  return count
}

/** Wall and CPU seconds of `run`. */
async function timed(run: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(cpu)
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
}

async function measure(drive: NodeDrive, blockBytes: number): Promise<string> {
  const store = new DriveBlobStore({ drive, clock: systemClock, random: systemRandom, blockBytes })
  const refs: BlobRef[] = []
  const written = await timed(async () => {
    while (refs.length < blobs) refs.push(await store.write(body()))
  })
  const streamAll = async (): Promise<void> => {
    for (let round = 0; round < rounds; round++) for (const ref of refs) await readAll(store, ref)
  }
  await streamAll()
  const read = await timed(streamAll)
  const readGiB = (rounds * blobs * blobBytes) / GiB
  const lookups = 2000
  const single = await timed(async () => {
    for (let i = 0; i < lookups; i++) await readAll(store, refs[i % blobs] ?? fail(), (i * 7919 * 1031) % blobBytes, 1)
  })
  for (const { blobId } of refs) await store.delete(blobId)
  return [
    `${String(blockBytes / KiB).padStart(5)} KiB blocks`,
    `write ${((written.wall / blobs) * 1000).toFixed(1)} ms each`,
    `read ${(readGiB / read.wall).toFixed(2)} GiB/s, ${(read.cpu / readGiB).toFixed(3)} CPU s/GiB`,
    `one byte ${((single.wall / lookups) * 1e6).toFixed(0)} µs, ${((single.cpu / lookups) * 1e6).toFixed(0)} CPU µs`,
  ].join(' | ')
}

function fail(): never {
  throw new Error('there are as many refs as blobs')
}

const directory = mkdtempSync(join(options.directory, 'moraine-bench-'))
try {
  const drive = new NodeDrive(directory)
  await openDrive(drive, systemRandom)
  for (const size of [64, 128, 256, 512]) console.log(await measure(drive, size * KiB))
} finally {
  rmSync(directory, { recursive: true })
}
