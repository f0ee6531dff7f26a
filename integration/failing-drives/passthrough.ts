/** The file system that hands everything through (`passthrough/`, in Go) as an object: drives that fail as they are told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FuseProgram } from '../fuse-program.ts'

/** What a drive does instead of what it is asked for: `delayMs` before each operation and then `errno`, or nothing at all (`hangs`). */
export interface Fault {
  readonly errno?: 'EIO' | 'EROFS'
  /** Both when absent. Writes are all that changes something, and syncs. */
  readonly of?: 'reads' | 'writes'
  readonly delayMs?: number
  readonly hangs?: boolean
}

export class Passthrough {
  /** Has what is in the mounted folder. */
  readonly #below: string
  readonly #program: FuseProgram<{ readonly error?: string }>

  private constructor(below: string, program: FuseProgram<{ readonly error?: string }>) {
    this.#below = below
    this.#program = program
  }

  /** Mounts it on an empty folder. */
  static async mount(program: string, folder: string): Promise<Passthrough> {
    const below = mkdtempSync(join(tmpdir(), 'moraine-below-'))
    return new Passthrough(below, await FuseProgram.mount(program, [folder, below]))
  }

  /** From now on, until the next. Without a fault the drive is well. */
  async fail(drive: string, fault: Fault = {}): Promise<void> {
    await this.#program.ask({ drive, fault })
  }

  /** Nobody may use the folder any more. */
  async unmount(): Promise<void> {
    await this.#program.end()
    rmSync(this.#below, { recursive: true, force: true })
  }
}
