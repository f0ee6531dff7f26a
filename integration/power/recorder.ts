/** The recording file system (`recorder/`, in Go) as an object: disk images whose writes and flushes it logs, and replays. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

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
  readonly #tell: (line: string) => void
  readonly #ended: Promise<unknown>
  readonly #end: () => void
  readonly #waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = []

  private constructor(program: string, root: string, images: number, imageBytes: number) {
    this.root = root
    const child = spawn(program, [join(root, 'images'), String(images), String(imageBytes)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#tell = line => child.stdin.write(`${line}\n`)
    this.#end = () => child.stdin.end()
    this.#ended = new Promise(resolve => child.once('close', resolve))
    const fail = (error: Error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
    child.once('error', fail)
    child.once('close', code => fail(new Error(`the recorder ended with ${code}: it needs root and /dev/fuse, without which no power cut can be tried here`)))
    createInterface({ input: child.stdout }).on('line', line => this.#waiting.shift()?.resolve(JSON.parse(line) as Answer))
  }

  static async start(program: string, images: number, imageBytes: number): Promise<Recorder> {
    const root = mkdtempSync(join(tmpdir(), 'moraine-power-'))
    mkdirSync(join(root, 'images'))
    const recorder = new Recorder(program, root, images, imageBytes)
    await recorder.#answer()
    return recorder
  }

  /** The path of an image; images count from 0. */
  image(index: number): string {
    return join(this.root, 'images', `${index + 1}.img`)
  }

  /** How many entries the log has: what happens from now on comes after them. */
  async position(): Promise<number> {
    return (await this.#ask({ do: 'state' })).entries
  }

  /** Of each flush the position after it, and the log's end. */
  async flushes(): Promise<{ readonly flushes: readonly number[]; readonly end: number; readonly bytes: number }> {
    const { flushes = [], entries, bytes } = await this.#ask({ do: 'flushes' })
    return { flushes, end: entries, bytes }
  }

  async fail(image: number, fault: Fault): Promise<void> {
    await this.#ask({ do: 'fault', image, fault })
  }

  /** The recording is over: from here on the images are what cuts leave. */
  async replay(): Promise<void> {
    await this.#ask({ do: 'replay' })
  }

  /** Cuts come in the order of the log. Nothing may be mounted meanwhile. */
  async cut({ at, keep, seed, liar = -1 }: Cut): Promise<void> {
    await this.#ask({ do: 'cut', cut: { at, keep, seed, liar } })
  }

  async close(): Promise<void> {
    this.#end()
    await this.#ended
    rmSync(this.root, { recursive: true })
  }

  async #ask(command: object): Promise<Answer> {
    this.#tell(JSON.stringify(command))
    const answer = await this.#answer()
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  #answer(): Promise<Answer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}
