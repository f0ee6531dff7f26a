/** A file system in Go that is told what to do by lines of JSON, and answers each with one; the first says that it is mounted. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class FuseProgram<Answer extends { readonly error?: string }> {
  readonly #tell: (line: string) => void
  readonly #end: () => void
  readonly #ended: Promise<unknown>
  readonly #waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = []

  private constructor(program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#tell = line => child.stdin.write(`${line}\n`)
    this.#end = () => child.stdin.end()
    this.#ended = new Promise(resolve => child.once('close', resolve))
    const fail = (error: Error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
    child.once('error', fail)
    child.once('close', code => fail(new Error(`the file system ended with ${code}: it needs root and /dev/fuse, without which this cannot be tried here`)))
    createInterface({ input: child.stdout }).on('line', line => this.#waiting.shift()?.resolve(JSON.parse(line) as Answer))
  }

  static async mount<Answer extends { readonly error?: string }>(program: string, args: readonly string[]): Promise<FuseProgram<Answer>> {
    const mounted = new FuseProgram<Answer>(program, args)
    await mounted.#answer()
    return mounted
  }

  async ask(command: object): Promise<Answer> {
    this.#tell(JSON.stringify(command))
    const answer = await this.#answer()
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  /** Nobody may use what is mounted any more. */
  async end(): Promise<void> {
    this.#end()
    await this.#ended
  }

  #answer(): Promise<Answer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}
