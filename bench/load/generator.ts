/**
 * The closed-loop load generator, a process of its own: `node bench/load/generator.ts PLAN` with a `Plan` as JSON; prints a
 * `Measured` as JSON. Each of `concurrency` connections sends its next request when the last one is answered.
 */
import { Connection } from './connection.ts'
import { Histogram } from './histogram.ts'
import { partsOfUpload, type Measured, type Plan } from './plan.ts'
import { cpuSeconds } from './processes.ts'
import { createSigner } from './sign.ts'
import { Requests, type Workload } from './workload.ts'

async function measure(plan: Plan): Promise<Measured> {
  const { hostname, port, host } = new URL(plan.target.url)
  const requests = new Requests(plan, createSigner(plan.target, host))
  const connect = () => new Connection({ hostname, port: Number(port) })
  const connections: [Connection, ...Connection[]] = [connect(), ...Array.from({ length: plan.concurrency - 1 }, connect)]
  if (plan.isPrepared !== true) await requests.prepare(connections)
  const load = startLoad(plan, connections, requests.workload())
  await new Promise(resolve => setTimeout(resolve, plan.operation === 'DELETE' ? 0 : plan.warmUpMs))
  load.beginMeasuring()
  await Promise.race([new Promise(resolve => setTimeout(resolve, plan.durationMs)), load.ended])
  const measured = load.stop()
  await load.ended
  for (const connection of connections) connection.close()
  return measured
}

function startLoad(plan: Plan, connections: readonly Connection[], workload: Workload) {
  let histogram = new Histogram()
  let counts = { operations: 0, errors: 0, bytes: 0 }
  let firstError: string | undefined
  let stopping = false
  let startedAt = performance.now()
  let cpu = process.cpuUsage()
  let serverCpu = 0
  const sentBytes = plan.operation === 'PUT' ? plan.sizeBytes : plan.operation === 'MULTIPART' ? plan.sizeBytes * partsOfUpload : 0
  const expectedBytes = plan.operation === 'GET' ? plan.sizeBytes : undefined
  const loop = async (connection: Connection) => {
    while (!stopping) {
      const sentAt = performance.now()
      const answer = workload(connection)
      if (answer === undefined) return
      try {
        const { status, bodyBytes } = await answer
        if (stopping) return
        // A DELETE in a mix may name a key that was never written, which is 204 too.
        if (status >= 300) throw new Error(`status ${status}`)
        if (expectedBytes !== undefined && bodyBytes !== expectedBytes) throw new Error(`${bodyBytes} bytes instead of ${expectedBytes}`)
        counts.operations += 1
        counts.bytes += sentBytes || bodyBytes
        histogram.add((performance.now() - sentAt) * 1000)
      } catch (error) {
        counts.errors += 1
        firstError ??= String(error)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    }
  }
  const ended = Promise.all(connections.map(loop))
  return {
    ended,
    beginMeasuring() {
      histogram = new Histogram()
      counts = { operations: 0, errors: 0, bytes: 0 }
      startedAt = performance.now()
      cpu = process.cpuUsage()
      serverCpu = cpuSeconds(plan.serverPid)
    },
    stop(): Measured {
      stopping = true
      const seconds = (performance.now() - startedAt) / 1000
      const { user, system } = process.cpuUsage(cpu)
      const generatorCpu = (user + system) / 1e6 / seconds
      const serverCpuSeconds = cpuSeconds(plan.serverPid) - serverCpu
      return { ...counts, seconds, generatorCpu, serverCpuSeconds, latency: histogram.toPairs(), ...(firstError === undefined ? {} : { firstError }) }
    },
  }
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '{}') as Plan)))
process.exit(0)
