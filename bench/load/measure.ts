/** Runs the load generator against several servers in turn, and adds up what it measured. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { Histogram } from './histogram.ts'
import type { Measured, Operation, Plan, Target } from './plan.ts'

const generator = join(import.meta.dirname, 'generator.ts')

export interface Case {
  readonly operation: Operation
  readonly sizeBytes: number
  readonly concurrency: number
}

export interface Contender {
  readonly target: Target
  /** A process of this machine, whose CPU time is wanted. */
  readonly serverPid?: number
}

export interface Total {
  readonly target: Target
  operations: number
  errors: number
  bytes: number
  seconds: number
  generatorCpu: number
  serverCpuSeconds: number
  readonly rates: number[]
  readonly histogram: Histogram
  firstError: string | undefined
}

export type Rounds = Pick<Plan, 'warmUpMs' | 'durationMs' | 'preloaded' | 'payload' | 'isPrepared'> & { readonly rounds: number }

/** A B A B …, so that a machine that drifts drifts for all; each round by a fresh process. */
export async function measureInTurn(one: Case, contenders: readonly Contender[], { rounds, warmUpMs, durationMs, preloaded, payload, isPrepared = false }: Rounds): Promise<Total[]> {
  const totals = contenders.map(({ target }): Total => ({
    target, operations: 0, errors: 0, bytes: 0, seconds: 0, generatorCpu: 0, serverCpuSeconds: 0, rates: [], histogram: new Histogram(), firstError: undefined,
  }))
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { target, serverPid }] of contenders.entries()) {
      const plan: Plan = { ...one, target, bucket: 'bench', round, preloaded, warmUpMs, durationMs, payload, isPrepared, ...(serverPid === undefined ? {} : { serverPid }) }
      const total = totals[index]
      if (total !== undefined) addRound(total, await generate(plan))
    }
  }
  return totals
}

function generate(plan: Plan): Promise<Measured> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [generator, JSON.stringify(plan)], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Measured)
      else reject(new Error(`${plan.target.name} ${plan.operation}: ${stderr}`))
    })
  })
}

function addRound(total: Total, measured: Measured): void {
  total.operations += measured.operations
  total.errors += measured.errors
  total.bytes += measured.bytes
  total.generatorCpu = (total.generatorCpu * total.seconds + measured.generatorCpu * measured.seconds) / (total.seconds + measured.seconds)
  total.seconds += measured.seconds
  total.serverCpuSeconds += measured.serverCpuSeconds
  total.rates.push(measured.operations / measured.seconds)
  total.firstError ??= measured.firstError
  for (const [microseconds, count] of measured.latency) total.histogram.add(microseconds, count)
}
