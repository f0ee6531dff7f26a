/**
 * What it costs to prove that nothing refers to a blob: `node bench/micro/prove-references.ts [--references 1000000]`.
 *
 * A walk over all references of a store on disk, as sweep and collector make it, and the size of the index beside it.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock, systemRandom } from '../../base/system.ts'
import { ulid } from '../../base/ulid.ts'
import { MemoryBlobStore } from '../../engine/blobs/memory-blob-store.ts'
import { referenceRow } from '../../engine/keys.ts'
import { onOneDrive } from '../../engine/metadata/metadata-places.ts'
import { openMetadata } from '../../engine/metadata/open-metadata.ts'
import { referenceInUse } from '../../engine/objects/contents.ts'
import { defaultSettings } from '../../engine/objects/context.ts'
import { provenUnused } from '../../engine/objects/prove-unused.ts'

const { values: options } = parseArgs({ options: { references: { type: 'string', default: '1000000' } } })
const references = Number(options.references)
const rowsPerCommit = 5000
const machine = { clock: systemClock, random: systemRandom }
const directory = mkdtempSync(join(tmpdir(), 'moraine-bench-'))
try {
  const metadata = await openMetadata({ places: onOneDrive(directory), ...machine })
  for (let made = 0; made < references; made += rowsPerCommit) {
    const puts = Array.from({ length: rowsPerCommit }, () => ({ key: referenceRow({ kind: 'blob', blobId: ulid(systemClock, systemRandom) }, Buffer.from(systemRandom.bytes(16)).toString('hex')), value: referenceInUse }))
    await metadata.commit({ checks: [], puts, deletes: [], appends: [] })
  }
  const context = { metadata, blobs: new MemoryBlobStore(machine), ...machine, settings: defaultSettings }
  const candidates = Array.from({ length: 10_000 }, () => ({ held: { kind: 'blob', blobId: ulid(systemClock, systemRandom) } as const }))
  for (let round = 0; round < 3; round++) {
    const [cpu, startedMs] = [process.cpuUsage(), performance.now()]
    const unused = await provenUnused(context, candidates)
    const { user, system } = process.cpuUsage(cpu)
    console.log(`${references.toLocaleString('en')} references, ${unused.length} of ${candidates.length} candidates unused: ${((performance.now() - startedMs) / 1000).toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of CPU`)
  }
  console.log(`the index has ${(statSync(join(directory, 'data.mdb')).size / 2 ** 20).toFixed(0)} MiB`)
  await metadata.close()
} finally {
  rmSync(directory, { recursive: true })
}
