import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'

/** A primary with its committer; its workers start, or fail to, as the test says. */

const root = mkdtempSync(join(tmpdir(), 'moraine-primary-'))
const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
let primary: ChildProcess | undefined
afterEach(() => primary?.kill('SIGKILL'))
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 10 }))

/** The n-th worker to start, counted from 1, runs `start` with n and with what others have noted by `note`. */
function startPrimary(start: string): ChildProcess {
  const directory = mkdtempSync(join(root, 'p-'))
  const program = join(directory, 'server.mjs')
  writeFileSync(program, `
    import cluster from 'node:cluster'
    import { appendFileSync, existsSync, readFileSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { systemClock as clock, systemRandom as random } from ${at('../../../base/system.ts')}
    import { takeDeployment } from ${at('../../../engine/index.ts')}
    import { parseConfig } from ${at('../../config/parse-config.ts')}
    import { createLogger } from ${at('../../telemetry/logger.ts')}
    import { committerCommand, runCommitter } from ${at('./committer-process.ts')}
    import { runPrimary } from ${at('./primary.ts')}
    import { runWorker } from ${at('./worker.ts')}
    const notes = ${JSON.stringify(join(directory, 'notes'))}
    const noted = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split(' ') : [])
    const note = text => appendFileSync(notes, text + ' ')
    const until = async text => { while (!noted().includes(text)) await sleep(10) }
    const running = { port: 1, readMetadataFrom() {}, heard() {}, drain: async () => {} }
    if (cluster.isWorker) {
      runWorker(async () => {
        note('started')
        const n = noted().filter(text => text === 'started').length
        ${start}
      })
    } else if (process.argv[2] === committerCommand) {
      const prepare = async () => ({ warehouse: 'lake', notes: [] })
      await runCommitter(process.argv.slice(2), clock, { prepare, settle() {}, reasonsOf() {}, isDamage: () => false })
    } else {
      const drives = [${JSON.stringify(join(directory, 'drive'))}]
      const { config } = parseConfig({ argv: drives, env: {}, readFile: path => readFileSync(path, 'utf8') })
      const { metadata, unsettled, release } = await takeDeployment({ drives, random })
      const { logger } = createLogger({ level: 'warn', readable: false, destination: 2 })
      const onListening = () => process.send('serving')
      process.send(await runPrimary({ config, workers: 2, workerFile: ${JSON.stringify(program)}, metadata, unsettled, clock, logger, onListening }))
      release()
      process.disconnect()
    }`)
  primary = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  return primary
}

async function next(child: ChildProcess): Promise<unknown> {
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown]
  return message
}

test('a worker that cannot start after another has served is replaced: the server goes on', async () => {
  const child = startPrimary(`
    if (n === 1) return setTimeout(() => note('served'), 500), running
    if (n === 2) { await until('served'); throw new Error('its drive was pulled') }
    return running`)
  expect(await next(child)).toBe('serving')
  child.kill('SIGTERM')
  expect(await next(child)).toEqual({ kind: 'drained' })
}, 120_000)

test('a first worker that cannot start ends the server, which says why', async () => {
  const child = startPrimary(`throw new Error('no address')`)
  expect(await next(child)).toEqual({ kind: 'failed', messages: [expect.stringContaining('no address')] })
}, 120_000)
