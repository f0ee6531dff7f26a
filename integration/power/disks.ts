/** ext4 on the images of a recorder, each mounted through a loop device. */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Recorder } from './recorder.ts'

const run = promisify(execFile)
const journalMiB = 4

export class Disks {
  readonly count: number
  readonly #recorder: Recorder
  readonly #mounted = new Set<number>()

  constructor(recorder: Recorder, count: number) {
    this.#recorder = recorder
    this.count = count
    for (let index = 0; index < count; index++) mkdirSync(this.folder(index))
  }

  /** Where a disk is mounted; disks count from 0. */
  folder(index: number): string {
    return join(this.#recorder.root, `drive${index + 1}`)
  }

  get folders(): string[] {
    return Array.from({ length: this.count }, (_, index) => this.folder(index))
  }

  /** The server's word for all of them. */
  get words(): string {
    return this.count === 1 ? this.folder(0) : join(this.#recorder.root, `drive{1...${this.count}}`)
  }

  /** Empty file systems, with nothing left to initialize later on. */
  async make(): Promise<void> {
    await run('losetup', ['--find']).catch((cause: unknown) => {
      throw new Error('no loop device can be used here, without which no power cut can be tried on a real file system', { cause })
    })
    const options = ['-q', '-F', '-b', '4096', '-m', '0', '-N', '8192', '-J', `size=${journalMiB}`, '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0']
    for (let index = 0; index < this.count; index++) await run('mkfs.ext4', [...options, this.#recorder.image(index)])
  }

  /** Throws when ext4 does not take an image, which names the disk. */
  async mount(indexes: readonly number[] = this.folders.keys().toArray()): Promise<void> {
    // One after the other: mount looks for a free loop device and takes it in two steps.
    for (const index of indexes) {
      await run('mount', ['-o', 'loop,nodiscard,noatime', this.#recorder.image(index), this.folder(index)])
      this.#mounted.add(index)
    }
  }

  /** All that are mounted; writes back what they have. */
  async unmount(): Promise<void> {
    for (const index of this.#mounted) {
      await run('umount', [this.folder(index)])
      this.#mounted.delete(index)
    }
  }

  /** As a new disk: nothing is left on it. */
  wipe(index: number): void {
    for (const name of readdirSync(this.folder(index))) rmSync(join(this.folder(index), name), { recursive: true })
  }

  /** What each drive knows of who has the metadata, for people. */
  epochs(): string {
    return this.folders.map(folder => {
      try {
        return readFileSync(join(folder, 'metadata', 'epoch.json'), 'utf8').trim()
      } catch (error) {
        return `${String(error)}; there are ${readdirSync(folder).join(' ')}`
      }
    }).join('; ')
  }

  /** What lies in the folders while nothing is mounted there; removed. */
  strayFiles(): string[] {
    const stray = this.folders.flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
    for (const path of stray) rmSync(path, { recursive: true })
    return stray
  }

  /** Whatever the tests left. */
  async release(): Promise<void> {
    for (const index of this.#mounted) await run('umount', ['-l', this.folder(index)]).catch(() => undefined)
    this.#mounted.clear()
  }
}
