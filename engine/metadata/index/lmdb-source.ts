import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '../../../base/assert.ts'
import type { IndexSource } from '../open-member.ts'
import { dataFile, lockFile } from './lmdb-environment.ts'
import { LmdbIndex } from './lmdb-index.ts'
import { writeMetaPages } from './lmdb-meta.ts'
import type { MetadataIndex } from './metadata-index.ts'

/** The LMDB index of a directory. */
export class LmdbSource implements IndexSource {
  readonly #directory: string
  readonly #mapBytes: number | undefined

  constructor(directory: string, mapBytes?: number) {
    this.#directory = directory
    this.#mapBytes = mapBytes
  }

  exists(): boolean {
    return existsSync(join(this.#directory, dataFile))
  }

  clear(): void {
    for (const name of [dataFile, lockFile]) rmSync(join(this.#directory, name), { force: true })
  }

  restore(snapshot: Buffer): void {
    const file = openSync(join(this.#directory, dataFile), 'r+')
    try {
      writeMetaPages(snapshot, (bytes, at) => writeSync(file, bytes, 0, bytes.length, at))
      fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  open(): LmdbIndex {
    return LmdbIndex.open(this.#directory, this.#mapBytes)
  }

  async replaceWith(donor: MetadataIndex): Promise<void> {
    assert(donor instanceof LmdbIndex, 'all members of a deployment have LMDB indexes')
    this.clear()
    await donor.copyTo(this.#directory)
  }
}
