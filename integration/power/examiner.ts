/** The process of `examine.ts`, started again when it ends. */
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Order, Verdict } from './examine.ts'

const deadlineMs = 60_000

export class Examiner {
  #child: ChildProcess | undefined

  /** What is wrong with the drives; that the process ended or hangs is wrong too. */
  async examine(order: Order): Promise<readonly string[]> {
    const child = this.#child ?? fork(join(import.meta.dirname, 'examine.ts'))
    this.#child = child
    return new Promise(resolve => {
      const finish = (problems: readonly string[], isAlive: boolean) => {
        clearTimeout(timer)
        child.removeAllListeners()
        if (!isAlive) {
          child.kill('SIGKILL')
          this.#child = undefined
        }
        resolve(problems)
      }
      const timer = setTimeout(() => finish([`no verdict within ${deadlineMs / 1000} s`], false), deadlineMs)
      child.once('message', message => finish((message as Verdict).problems, true))
      child.once('exit', (code, signal) => finish([`the process that opened the drives ended by ${signal ?? code}`], false))
      child.send(order)
    })
  }

  close(): void {
    this.#child?.removeAllListeners()
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }
}
