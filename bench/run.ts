/**
 * Side-by-side benchmarks over HTTP: one closed-loop generator process at a time, targets in turn (A B A B …, so that a
 * machine that drifts drifts for all), every round with a fresh process; prints rates, percentiles and ratios to the first.
 */
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { startServer } from '../integration/start-server.ts'
import { formatSize, help, parseArguments, UsageError, type Arguments } from './load/arguments.ts'
import { measureInTurn, type Case, type Total } from './load/measure.ts'
import type { Target } from './load/plan.ts'

const largeBytes = 1 << 20

function casesOf({ operations, sizes, concurrency }: Arguments): Case[] {
  return operations.flatMap(operation => {
    // A listing's entries weigh the same whatever the objects hold.
    const [first = 0] = sizes
    return (operation === 'LIST' ? [first] : sizes).flatMap(sizeBytes => concurrency.map(clients => ({ operation, sizeBytes, concurrency: clients })))
  })
}

function printCase(one: Case, totals: readonly Total[]): void {
  const rates = totals.map(({ operations, seconds }) => operations / seconds)
  for (const [index, total] of totals.entries()) {
    const rate = rates[index] ?? 0
    const size = one.operation === 'LIST' ? '1,000 keys' : formatSize(one.sizeBytes)
    const columns = [
      one.operation.padEnd(6), size.padStart(10), String(one.concurrency).padStart(4), total.target.name.padEnd(12),
      `${rate.toFixed(rate < 100 ? 1 : 0).padStart(9)}/s`, `${(total.bytes / total.seconds / (1 << 20)).toFixed(1).padStart(8)} MiB/s`,
      `p50 ${total.histogram.percentileMs(50).toFixed(2).padStart(8)} ms`, `p99 ${total.histogram.percentileMs(99).toFixed(2).padStart(8)} ms`,
      `x${(rate / (rates[0] ?? rate)).toFixed(2).padStart(6)}`,
      `rounds ${Math.min(...total.rates).toFixed(0)}–${Math.max(...total.rates).toFixed(0)}`, `generator ${(total.generatorCpu * 100).toFixed(0)}% of a core`,
    ]
    console.log(columns.join('  '))
    if (total.errors > 0) console.log(`       ${total.errors} errors, such as: ${total.firstError}`)
  }
}

/** A server that does nothing, as one more target; its rate is the generator's own limit. */
async function startTrivialServer(): Promise<{ target: Target; stop: () => void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load', 'trivial-server.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(child.stdout, 'data') as [Buffer]
  const target = { name: 'nothing', url: `http://127.0.0.1:${port.toString().trim()}`, accessKeyId: 'none', secretAccessKey: 'none' }
  return { target, stop: () => child.kill() }
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseArguments(args)
  if (options.help) {
    console.log(help)
    return 0
  }
  const targets = [...options.targets]
  const stops: (() => unknown)[] = []
  try {
    if (options.moraine || (targets.length === 0 && !options.ceiling)) {
      const server = await startServer({ workers: 2, args: ['--quiet'] })
      stops.push(() => server.stop())
      targets.push({ name: 'moraine', url: server.endpoint, accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey })
    }
    if (options.ceiling) {
      const trivial = await startTrivialServer()
      stops.push(trivial.stop)
      targets.push(trivial.target)
    }
    console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node.js ${process.version}, ${options.rounds} rounds of ${options.durationMs / 1000} s`)
    for (const one of casesOf(options)) {
      // What answers nothing has no bytes to read.
      const able = targets.filter(({ name }) => name !== 'nothing' || one.operation !== 'GET')
      if (able.length > 0) printCase(one, await measureInTurn(one, able.map(target => ({ target })), {
        ...options, preloaded: options.preloaded ?? (one.sizeBytes >= largeBytes ? 16 : 2000),
      }))
    }
    return 0
  } finally {
    for (const stop of stops) await stop()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError && 'code' in error)) throw error
  console.log(`${error.message}\n${help}`)
  process.exitCode = 2
}
