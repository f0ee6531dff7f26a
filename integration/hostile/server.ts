/** The server that is attacked, and what it must keep through all of it: its processes and a bounded memory. */
import { readFileSync } from 'node:fs'
import { startServer, type StartedServer } from '../start-server.ts'

/** How long a body may stand still: short, so that slow ones are seen to be cut. */
export const bodyIdleMs = 3000

const memoryLimitBytes = 400 * 1024 * 1024

export interface Victim extends StartedServer {
  /** Throws when a worker has died or grown beyond its bound; with what it logged as its own faults. */
  expectUnharmed(): void
}

/** Starts it and points the suites' connections at it: import `../raw-http/connection.ts` only after this. */
export async function startVictim(env: Readonly<Record<string, string>> = {}): Promise<Victim> {
  const server = await startServer({ workers: 2, env: { MORAINE_BODY_IDLE_TIMEOUT: `${bodyIdleMs}ms`, ...env } })
  Object.assign(process.env, { TEST_ENDPOINT: server.endpoint, TEST_ACCESS_KEY: server.accessKeyId, TEST_SECRET_KEY: server.secretAccessKey })
  const workers = workersOf(server.pid)
  if (workers.length < 2) throw new Error(`the server has ${workers.length} workers`)
  return {
    ...server,
    expectUnharmed() {
      const now = workersOf(server.pid)
      if (now.join() !== workers.join()) throw new Error(`workers were ${workers.join()}, are ${now.join()}:\n${server.logs().slice(-4000)}`)
      for (const pid of now) {
        const bytes = anonymousBytes(pid)
        if (bytes > memoryLimitBytes) throw new Error(`worker ${pid} holds ${Math.round(bytes / 1024 / 1024)} MiB`)
      }
      const faults = server.logs().split('\n').filter(line => line.includes('"level":"error"'))
      if (faults.length > 0) throw new Error(`faults of its own:\n${faults.slice(0, 5).join('\n')}`)
    },
  }
}

const workersOf = (pid: number): string[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').toSorted()

/** Memory that is no mapped file: the database's pages are not counted. */
function anonymousBytes(pid: string): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}
