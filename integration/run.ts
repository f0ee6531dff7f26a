/**
 * Black-box suites with real clients: `node integration/run.ts [--list] [NAME…]` (none: all), one part at a time.
 *
 * Each part gets a fresh server of two workers on an empty drive (its address and credentials in `TEST_ENDPOINT`,
 * `TEST_ACCESS_KEY` and `TEST_SECRET_KEY`, its process in `TEST_SERVER_PID`), or starts its own. A part fails when a test fails, errors or is skipped, when
 * no test ran, and when its deadline passes. The last line is `N passed, N failed`; the exit code is 1 unless all passed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'
import { countReports, type TestCounts } from './junit.ts'
import { domain, parts, websiteDomain, type Part } from './parts.ts'
import { prepare } from './prepare.ts'
import { runCommand } from './process.ts'
import { startServer } from './start-server.ts'

/** Run one part to its end; what its report counts, or a failure when it wrote none. */
async function runPart(part: Part, scratch: string, cache: string): Promise<TestCounts> {
  const prepared = await prepare(part, scratch, cache)
  const server = part.server ? await startServer({ workers: 2, env: { MORAINE_DOMAIN: domain, MORAINE_WEBSITE_DOMAIN: websiteDomain } }) : undefined
  try {
    const address = server === undefined
      ? {}
      : { TEST_ENDPOINT: server.endpoint, TEST_ACCESS_KEY: server.accessKeyId, TEST_SECRET_KEY: server.secretAccessKey, TEST_SERVER_PID: String(server.pid) }
    const env = { ...process.env, ...prepared.env, ...address }
    const signal = AbortSignal.timeout(part.deadlineMs)
    const code = await runCommand(prepared.command, prepared.args, { signal, env, cwd: scratch, accept: [0, 1] })
    const counts = countReports(prepared.report)
    if (counts.passed + counts.failed === 0) throw new Error('no test ran')
    if (code !== 0 && counts.failed === 0) throw new Error(`exit code ${code} although no test failed`)
    if (counts.failed > 0 && server !== undefined) console.log(`server's last lines:\n${server.logs().split('\n').slice(-40).join('\n')}`)
    return counts
  } finally {
    await server?.stop()
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--list')) {
    for (const part of parts) console.log(part.name)
    return 0
  }
  const unknown = args.filter(name => !parts.some(part => part.name === name))
  if (unknown.length > 0) {
    console.log(`no such part: ${unknown.join(', ')}; --list names them`)
    return 2
  }
  const cache = cacheFolder()
  // The server refuses MORAINE_* names that it does not know, and this one is ours.
  delete process.env['MORAINE_CACHE']
  // Servers start in half the time when their stripped sources are kept; entries are named by content.
  process.env['NODE_COMPILE_CACHE'] ??= join(cache, 'compiled')
  const scratch = mkdtempSync(join(tmpdir(), 'moraine-integration-'))
  const total = { passed: 0, failed: 0 }
  const lines: string[] = []
  for (const part of args.length === 0 ? parts : parts.filter(({ name }) => args.includes(name))) {
    console.log(`\n== ${part.name}`)
    const startedAt = performance.now()
    let outcome: string
    try {
      const counts = await runPart(part, scratch, cache)
      total.passed += counts.passed
      total.failed += counts.failed
      outcome = `${counts.passed} passed, ${counts.failed} failed`
    } catch (error) {
      total.failed += 1
      outcome = `FAILED: ${error instanceof Error ? error.message : String(error)}`
      console.log(error)
    }
    lines.push(`${part.name.padEnd(12)} ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${outcome}`)
    console.log(lines.at(-1))
  }
  rmSync(scratch, { recursive: true, force: true })
  console.log(`\n${lines.join('\n')}\n${total.passed} passed, ${total.failed} failed`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
