import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll } from 'vitest'
import { must } from '../../base/assert.ts'
import { LmdbMetadataStore } from './lmdb-metadata-store.ts'
import { describeMetadataStore } from './metadata-store-suite.ts'
import type { MetadataStore } from './metadata-store.ts'

const root = mkdtempSync(join(tmpdir(), 'moraine-lmdb-'))
afterAll(() => rmSync(root, { recursive: true }))

const directories = new Map<MetadataStore, string>()
let opened = 0

describeMetadataStore('LmdbMetadataStore', {
  open: async () => openAt(join(root, String(opened++))),
  tamper: async (store, key, change) => {
    await store.close()
    const directory = must(directories.get(store), 'the harness opened it')
    const raw = open<Buffer, Buffer>({ path: directory, noSubdir: false, keyEncoding: 'binary', encoding: 'binary', overlappingSync: false })
    const stored = Buffer.from(must(raw.get(Buffer.from(key)), 'the row to tamper with is there'))
    change(stored)
    await raw.put(Buffer.from(key), stored)
    await raw.close()
    return openAt(directory)
  },
})

function openAt(directory: string): LmdbMetadataStore {
  const store = LmdbMetadataStore.open({ directory })
  directories.set(store, directory)
  return store
}
