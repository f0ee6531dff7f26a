/**
 * Blobs over a set of drives, without HTTP: `node bench/micro/set-blobs.ts [--directory DIR] [--drives 6] [--parity 3] [--gone 0] [--streams 4]`.
 * CPU seconds for each GB (10^9 bytes) of objects say more than rates on a machine that does other work; they cover all threads.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock, systemRandom } from '../../base/system.ts'
import { KiB, MiB } from '../../base/units.ts'
import type { BlobRef } from '../../engine/blobs/blob-store.ts'
import { blobDirectories } from '../../engine/blobs/block-layout.ts'
import { SetBlobStore } from '../../engine/blobs/set-blob-store.ts'
import { NodeDrive } from '../../engine/drives/node-drive.ts'
import { SetMember } from '../../engine/drives/set-member.ts'

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: tmpdir() },
    drives: { type: 'string', default: '6' },
    parity: { type: 'string', default: '3' },
    gone: { type: 'string', default: '0' },
    streams: { type: 'string', default: '4' },
    size: { type: 'string', default: '64' },
    blobs: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '3' },
  },
})
const [drives, parity, gone, streams] = [Number(values.drives), Number(values.parity), Number(values.gone), Number(values.streams)]
const blobBytes = Number(values.size) * MiB
const blobs = Number(values.blobs)
const chunk = Buffer.alloc(64 * KiB, 'body')

async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let sent = 0; sent < blobBytes; sent += chunk.length) yield chunk
}

/** Runs it so many times, some at once; prints what it cost. */
async function timed(what: string, times: number, run: (index: number) => Promise<unknown>): Promise<void> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  let next = 0
  await Promise.all(Array.from({ length: streams }, async () => {
    while (next < times) await run(next++)
  }))
  const { user, system } = process.cpuUsage(cpu)
  const gigabytes = (times * blobBytes) / 1e9
  const seconds = (performance.now() - start) / 1000
  console.log(`${what.padEnd(24)} ${(gigabytes / seconds).toFixed(2)} GB/s, CPU s/GB: ${((user + system) / 1e6 / gigabytes).toFixed(3)}, of these in the system ${(system / 1e6 / gigabytes).toFixed(3)}`)
}

const root = mkdtempSync(join(values.directory, 'moraine-bench-'))
try {
  const members = Array.from({ length: drives }, (_, position) => {
    const path = join(root, `drive${position}`)
    for (const directory of blobDirectories) mkdirSync(join(path, directory), { recursive: true })
    return new SetMember({ driveId: String(position), position, label: path, drive: new NodeDrive(path), clock: systemClock })
  })
  const store = new SetBlobStore({ sets: [{ index: 0, members, parity: { standard: parity, reduced: 1 } }], clock: systemClock, random: systemRandom })
  const refs: BlobRef[] = []
  await timed(`write ${drives - parity}+${parity}`, blobs, async () => refs.push(await store.write(body())))
  for (const member of members.slice(0, gone)) member.takeOut('missing', 'taken away')
  const read = async (index: number): Promise<void> => {
    const ref = refs[index % refs.length]
    if (ref === undefined) return
    for await (const bytes of store.read(ref, { offset: 0, length: ref.sizeBytes })) if (bytes.length === 0) throw new Error('an empty piece')
  }
  await timed('read, first time', blobs, read)
  await timed(`read, ${gone} gone`, blobs * Number(values.rounds), read)
} finally {
  rmSync(root, { recursive: true, force: true })
}
