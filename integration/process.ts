/** Child processes of the suites: each in its own process group, so that a deadline ends all of it. */
import { spawn } from 'node:child_process'

export interface CommandOptions {
  readonly signal: AbortSignal
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Exit codes that are not an error; 0 when absent. */
  readonly accept?: readonly number[]
}

/**
 * Run to the end with our own standard output and error; resolves with the exit code.
 * Throws when the code is not accepted, and when `signal` ended the process group.
 */
export async function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<number> {
  const { signal, cwd, env = process.env, accept = [0] } = options
  signal.throwIfAborted()
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true, env, ...(cwd === undefined ? {} : { cwd }) })
  const end = () => {
    if (child.pid !== undefined) killGroup(child.pid)
  }
  signal.addEventListener('abort', end)
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode, exitSignal) => {
        if (exitCode === null) reject(new Error(`${command} ended by ${exitSignal}`))
        else resolve(exitCode)
      })
    })
    signal.throwIfAborted()
    if (!accept.includes(code)) throw new Error(`${command} ${args.slice(0, 4).join(' ')} exited ${code}`)
    return code
  } finally {
    signal.removeEventListener('abort', end)
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended already.
  }
}
