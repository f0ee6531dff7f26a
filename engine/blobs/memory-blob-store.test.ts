import { assert } from '../../base/assert.ts'
import { systemClock, systemRandom } from '../../base/system.ts'
import { describeBlobStore } from './blob-store-suite.ts'
import { MemoryBlobStore } from './memory-blob-store.ts'

describeBlobStore('MemoryBlobStore', {
  open: async () => new MemoryBlobStore({ clock: systemClock, random: systemRandom }),
  tamper: async (store, { blobId }, position) => {
    assert(store instanceof MemoryBlobStore, 'the harness opened it')
    store.tamper(blobId, position)
  },
})
