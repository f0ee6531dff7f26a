/**
 * Starts the real server for black-box suites: `node src/main.ts server` in its own process group on
 * a free port. Imports nothing of the server.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface StartServerOptions {
  /** The drive directory, kept afterwards; a fresh temporary one, removed by `stop`, when absent. */
  readonly drive?: string
  /** Added to an environment without any `MORAINE_` or `MINIO_` name of ours. */
  readonly env?: Readonly<Record<string, string>>
  /** After `server --address …` and before the drive. */
  readonly args?: readonly string[]
  /** 2 when absent. */
  readonly workers?: number
  /** A port to listen on; a free one when absent. */
  readonly port?: number
}

export interface StartedServer {
  readonly endpoint: string
  readonly port: number
  readonly drive: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** The primary process, and the process group of all of them. */
  readonly pid: number
  /** Standard output and error so far. */
  logs(): string
  /** Drains by SIGTERM and resolves with the exit code; the temporary drive is removed. */
  stop(): Promise<number | undefined>
  /** SIGKILL to every process of the server; resolves when they are gone. The drive stays. */
  kill9(): Promise<void>
}

const startDeadlineMs = 60_000
const stopDeadlineMs = 60_000
const pollMs = 50
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Resolves once the server answers that it is ready. Throws with its logs when it ends or hangs. */
export async function startServer({ drive, env = {}, args = [], workers = 2, port }: StartServerOptions = {}): Promise<StartedServer> {
  const directory = drive ?? (await mkdtemp(join(tmpdir(), 'moraine-')))
  const listenPort = port ?? (await freePort())
  const words = ['server', '--address', `127.0.0.1:${listenPort}`, '--workers', String(workers), ...args, directory]
  const server = spawnServer(words, env)
  const endpoint = `http://127.0.0.1:${listenPort}`
  await waitUntilReady(server, endpoint)
  return {
    endpoint,
    port: listenPort,
    drive: directory,
    accessKeyId: env['MORAINE_ROOT_USER'] ?? env['MINIO_ROOT_USER'] ?? 'moraineadmin',
    secretAccessKey: env['MORAINE_ROOT_PASSWORD'] ?? env['MINIO_ROOT_PASSWORD'] ?? 'moraineadmin',
    pid: server.pid,
    logs: () => server.logs(),
    stop: async () => {
      const code = await server.stop()
      if (drive === undefined) await rm(directory, { recursive: true, force: true })
      return code
    },
    kill9: () => server.kill9(),
  }
}

export interface SpawnedServer {
  readonly pid: number
  readonly child: ChildProcess
  logs(): string
  /** Resolves with the exit code; undefined when a signal ended it. */
  readonly ended: Promise<number | undefined>
  stop(): Promise<number | undefined>
  kill9(): Promise<void>
}

/** `moraine WORDS`, whatever becomes of it. */
export function spawnServer(words: readonly string[], env: Readonly<Record<string, string>> = {}): SpawnedServer {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(MORAINE|MINIO)_/.test(name))
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...Object.fromEntries(inherited), ...env },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code ?? undefined))
  })
  const { pid } = child
  if (pid === undefined) throw new Error('the server could not be started')
  return {
    pid,
    child,
    logs: () => Buffer.concat(chunks).toString(),
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), stopDeadlineMs)
      try {
        return await ended
      } finally {
        clearTimeout(timer)
      }
    },
    kill9: async () => {
      signalGroup(pid, 'SIGKILL')
      await ended
    },
  }
}

async function waitUntilReady(server: SpawnedServer, endpoint: string): Promise<void> {
  let running = true
  const end = (): void => {
    running = false
  }
  server.ended.then(end, end)
  for (const deadline = Date.now() + startDeadlineMs; Date.now() < deadline && running; ) {
    const answer = await fetch(`${endpoint}/minio/health/ready`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
    if (answer?.status === 200) return
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
  await server.kill9()
  throw new Error(`the server did not become ready:\n${server.logs()}`)
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', resolve)
  })
  const address = probe.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  await new Promise(resolve => probe.close(resolve))
  return address.port
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has ended already.
  }
}
