/** The file system that hands everything through (`passthrough/`, in Go) as an object: drives that fail as they are told. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** What a drive does instead of what it is asked for: `delayMs` before each operation and then `errno`, or nothing at all (`hangs`). */
export interface Fault {
  readonly errno?: 'EIO' | 'EROFS'
  /** Both when absent. Writes are all that changes something, and syncs. */
  readonly of?: 'reads' | 'writes'
  readonly delayMs?: number
  readonly hangs?: boolean
}

interface Answer {
  readonly error?: string
}

export class Passthrough {
  /** Has what is in the mounted folder. */
  readonly #below = mkdtempSync(join(tmpdir(), 'moraine-below-'))
  readonly #tell: (line: string) => void
  readonly #end: () => void
  readonly #ended: Promise<unknown>
  readonly #waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = []

  private constructor(program: string, folder: string) {
    const child = spawn(program, [folder, this.#below], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#tell = line => child.stdin.write(`${line}\n`)
    this.#end = () => child.stdin.end()
    this.#ended = new Promise(resolve => child.once('close', resolve))
    const fail = (error: Error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
    child.once('error', fail)
    child.once('close', code => fail(new Error(`the file system ended with ${code}: it needs root and /dev/fuse`)))
    createInterface({ input: child.stdout }).on('line', line => this.#waiting.shift()?.resolve(JSON.parse(line) as Answer))
  }

  /** Mounts it on an empty folder. */
  static async mount(program: string, folder: string): Promise<Passthrough> {
    const mounted = new Passthrough(program, folder)
    await mounted.#answer()
    return mounted
  }

  /** From now on, until the next. Without a fault the drive is well. */
  async fail(drive: string, fault: Fault = {}): Promise<void> {
    this.#tell(JSON.stringify({ drive, fault }))
    const { error } = await this.#answer()
    if (error !== undefined) throw new Error(error)
  }

  /** Nobody may use the folder any more. */
  async unmount(): Promise<void> {
    this.#end()
    await this.#ended
    rmSync(this.#below, { recursive: true, force: true })
  }

  #answer(): Promise<Answer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}
