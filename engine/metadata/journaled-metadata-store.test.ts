import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll } from 'vitest'
import { must } from '../../base/assert.ts'
import { systemRandom, systemClock } from '../../base/system.ts'
import { describeMetadataStore } from './metadata-store-suite.ts'
import type { MetadataStore } from './metadata-store.ts'
import { openMetadata } from './open-metadata.ts'
import { onOneDrive } from './metadata-places.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-journaled-'))
afterAll(() => rmSync(root, { recursive: true }))

const directories = new Map<MetadataStore, string>()
let opened = 0

describeMetadataStore('JournaledMetadataStore', {
  open: async () => openAt(join(root, String(opened++))),
  // Under the open store: a restart would go back to the checkpoint, and undo it.
  tamper: async (store, key, change) => {
    const path = must(directories.get(store), 'the harness opened it')
    const raw = open<Buffer, Buffer>({ path, noSubdir: false, keyEncoding: 'binary', encoding: 'binary', noSync: true, overlappingSync: false })
    const stored = Buffer.from(must(raw.get(Buffer.from(key)), 'the row to tamper with is there'))
    change(stored)
    raw.putSync(Buffer.from(key), stored)
    await raw.close()
    return store
  },
  misplace: async (store, key, stored) => {
    const path = must(directories.get(store), 'the harness opened it')
    const raw = open<Buffer, Buffer>({ path, noSubdir: false, keyEncoding: 'binary', encoding: 'binary', noSync: true, overlappingSync: false })
    const found = raw.get(Buffer.from(key))
    const before = found === undefined ? undefined : Buffer.from(found)
    if (stored === undefined) raw.removeSync(Buffer.from(key))
    else raw.putSync(Buffer.from(key), stored)
    await raw.close()
    return before
  },
})

async function openAt(directory: string): Promise<MetadataStore> {
  const store = await openMetadata({ places: onOneDrive(directory), clock: systemClock, random: systemRandom })
  directories.set(store, directory)
  return store
}
