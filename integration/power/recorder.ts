/** The recording file system (`recorder/`, in Go) as an object: disk images whose writes and flushes it logs, and replays. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FuseProgram } from '../fuse-program.ts'

/** What a drive does instead of what it is asked for: `delayMs` before each write and flush, then `errno`; reads fail where `reads` is set. */
export interface Fault {
  readonly errno?: 'EIO' | 'ENOSPC'
  readonly reads?: boolean
  readonly delayMs?: number
}

/** Where the power goes: after so many entries of the log; and what becomes of the writes since each image's last flush. */
export interface Cut {
  readonly at: number
  readonly keep: 'all' | 'none' | 'some'
  readonly seed: number
  /** The image whose flushes since the cut before did nothing. */
  readonly liar?: number
}

interface Answer {
  readonly entries: number
  readonly bytes: number
  readonly flushes?: readonly number[]
  readonly error?: string
}

export class Recorder {
  /** Has the folder `images`, and is free for folders to mount on. */
  readonly root: string
  readonly #program: FuseProgram<Answer>

  private constructor(root: string, program: FuseProgram<Answer>) {
    this.root = root
    this.#program = program
  }

  static async start(program: string, images: number, imageBytes: number): Promise<Recorder> {
    const root = mkdtempSync(join(tmpdir(), 'moraine-power-'))
    const folder = join(root, 'images')
    mkdirSync(folder)
    return new Recorder(root, await FuseProgram.mount(program, [folder, String(images), String(imageBytes)]))
  }

  /** The path of an image; images count from 0. */
  image(index: number): string {
    return join(this.root, 'images', `${index + 1}.img`)
  }

  /** How many entries the log has: what happens from now on comes after them. */
  async position(): Promise<number> {
    return (await this.#program.ask({ do: 'state' })).entries
  }

  /** Of each flush the position after it, and the log's end. */
  async flushes(): Promise<{ readonly flushes: readonly number[]; readonly end: number; readonly bytes: number }> {
    const { flushes = [], entries, bytes } = await this.#program.ask({ do: 'flushes' })
    return { flushes, end: entries, bytes }
  }

  async fail(image: number, fault: Fault): Promise<void> {
    await this.#program.ask({ do: 'fault', image, fault })
  }

  /** The recording is over: from here on the images are what cuts leave. */
  async replay(): Promise<void> {
    await this.#program.ask({ do: 'replay' })
  }

  /** Cuts come in the order of the log. Nothing may be mounted meanwhile. */
  async cut({ at, keep, seed, liar = -1 }: Cut): Promise<void> {
    await this.#program.ask({ do: 'cut', cut: { at, keep, seed, liar } })
  }

  async close(): Promise<void> {
    await this.#program.end()
    rmSync(this.root, { recursive: true })
  }
}
